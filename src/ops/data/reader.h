/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A thread that reads parts of files for loops, which must not wait for a disk. What it has read
 * lies in one of a few buffers of its own, so that memory is bounded however many ask. What lies in
 * memory already is handed out as it is.
 */
#ifndef OPS_DATA_READER_H
#define OPS_DATA_READER_H

#include "base/compiler.h"
#include "base/slice.h"
#include "base/task.h"

struct reader;

enum {
	READER_PIECE_BYTES = 1 << 20
};

struct read_request {
	struct task done; /* done.run is the caller's; posted to `home` */
	struct executor *home;
	const char *memory; /* to read from, if it is not NULL; stays until reader_give_back() */
	int fd;             /* else; stays open until done */
	uint64_t offset;
	size_t size;        /* 1 to READER_PIECE_BYTES */
	struct slice bytes; /* result: all `size` of them, until reader_give_back() */
	int error;          /* result: 0, or an errno value and no bytes */
	/* The reader's: */
	struct read_request *next;
	char *buffer; /* NULL: the bytes are the caller's */
};

/* NULL, logged, if there is no thread or memory. */
struct reader *reader_new(void) MUST_USE;
/* When nothing is asked or held any more. NULL is allowed. */
void reader_free(struct reader *reader);

/* Any thread; never waits. Those who ask are served in turn. */
void reader_request(struct reader *reader, struct read_request *request);
/* Due once for each request that came back, soon: others may be waiting for the buffer. */
void reader_give_back(struct reader *reader, struct read_request *request);

#endif
