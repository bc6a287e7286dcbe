/* SPDX-License-Identifier: Apache-2.0 */
/* Shared by large.c (one object) and large_files.c (the folder). */
#ifndef STORE_LOCAL_LARGE_LARGE_INTERNAL_H
#define STORE_LOCAL_LARGE_LARGE_INTERNAL_H

#include <pthread.h>

#include "base/thread_queue.h"
#include "crypto/digest.h"
#include "store/local/large/large.h"
#include "store/local/large/sums.h"

enum {
	LARGE_BUFFER_BYTES = 1 << 20,
	LARGE_ALIGN = 4096, /* of memory, offset and length for O_DIRECT */
	LARGE_FILES_IN_FOLDER = 4096,
	LARGE_NAME_BYTES = 24,
	LARGE_SPARE_BUFFERS = 16, /* kept for the next upload */
};

struct large_buffer {
	struct large_buffer *next;
	char *bytes; /* LARGE_BUFFER_BYTES, aligned */
	size_t len;
	unsigned lanes_left; /* lanes that have not yet had it */
};

/* The two things that are done with each buffer, side by side. */
enum large_lane_kind {
	LANE_HASH,
	LANE_WRITE,
	LANE_COUNT,
};

struct large_lane {
	struct task job;
	struct large *large;
	struct large_buffer *at; /* the next buffer to work on */
	bool busy;               /* its job is queued or runs */
};

struct large {
	struct local *local;
	struct budget_account memory;
	unsigned buffers;             /* at most, of those in flight */
	struct large_buffer *filling; /* the caller's: not yet handed over */
	/* Under files->lock: */
	struct large_lane lanes[LANE_COUNT];
	struct large_buffer *first; /* handed over and not yet done with, in order */
	struct large_buffer **last;
	unsigned in_flight; /* how many these are */
	enum err err;       /* the first fault */
	bool finishing;
	bool aborted;
	struct store_wait *waiting;
	struct large *numbered_next; /* in files->numbered */
	uint64_t file;               /* the number; 0: none yet */
	bool doubtful;               /* see large_doubt() */
	/* The lane that writes, then the job `last_job`: */
	int fd;
	bool direct;
	uint64_t staged; /* the name in staging/, 0 if the file has none */
	uint64_t written;
	/* The lane that hashes: */
	struct digest_md5 md5;
	uint64_t crc64;
	struct sums sums;
	uint64_t size; /* handed over */
	struct task last_job;
	const unsigned char *expect_md5;
	void (*done)(struct large *large, const struct large_result *result, void *ctx);
	void *ctx;
};

struct large_files {
	int dir;
	int staging;
	pthread_mutex_t lock; /* protects all below and what struct large says */
	uint64_t next;
	uint64_t next_staged;
	uint64_t synced_folder; /* this one's name is durable; UINT64_MAX: none is known to be */
	struct large *numbered; /* with a number and not settled, ascending */
	struct large_buffer *spare;
	unsigned spares;
};

/* At the end: the next start finds out about the files. */
void large_free_doubtful(struct large_files *files);
/* Gives the object's file the next number. */
void large_files_number(struct large_files *files, struct large *large);
void large_files_unnumber(struct large_files *files, struct large *large);
/* The directory of a file, which is made if `make`. An errno value. */
int large_files_dir(struct large_files *files, uint64_t file, bool make, int *ret) MUST_USE;
/* Into LARGE_NAME_BYTES. */
void large_files_name(uint64_t file, char *out);

#endif
