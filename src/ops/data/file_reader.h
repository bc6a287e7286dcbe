/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A thread that reads from files for loops, which must not wait for the disk. It reads into a few
 * buffers of its own, so its memory is bounded however many requests there are. What lies in
 * memory already is handed out as it is.
 */
#ifndef OPS_DATA_FILE_READER_H
#define OPS_DATA_FILE_READER_H

#include "base/compiler.h"
#include "base/slice.h"
#include "base/task.h"

struct file_reader;

enum {
	FILE_READER_PIECE_BYTES = 1 << 20
};

struct read_request {
	struct task done; /* done.run is the caller's; posted to `home` */
	struct executor *home;
	const char
		*memory; /* to read from, if it is not NULL; stays until file_reader_give_back() */
	int fd;          /* else; stays open until done */
	uint64_t offset;
	size_t size;        /* 1 to FILE_READER_PIECE_BYTES */
	struct slice bytes; /* result: all `size` of them, until file_reader_give_back() */
	int error;          /* result: 0, or an errno value and no bytes */
	/* The reader's: */
	struct read_request *next;
	struct task task;
	char *buffer; /* NULL: the bytes are the caller's */
};

/* NULL if there is no thread or memory. */
struct file_reader *file_reader_new(void) MUST_USE;
/* When nothing is asked or held any more. NULL is allowed. */
void file_reader_free(struct file_reader *file_reader);

/* Any thread; never waits. Those who ask are served in turn. */
void file_reader_request(struct file_reader *file_reader, struct read_request *request);
/* Due once for each request that came back, soon: others may be waiting for the buffer. */
void file_reader_give_back(struct file_reader *file_reader, struct read_request *request);

#endif
