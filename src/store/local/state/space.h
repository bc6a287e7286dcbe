/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Whether there is room on the disk. Changes are refused while a reserve is left, so that deletes,
 * garbage collection and the index never meet a disk that is completely full. Blocks that the log
 * has taken ahead count as room, as long as three quarters of the reserve are free besides.
 *
 * Any thread.
 */
#ifndef STORE_LOCAL_STATE_SPACE_H
#define STORE_LOCAL_STATE_SPACE_H

#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>

struct wal;

struct space {
	pthread_mutex_t lock;  /* protects all below; a leaf */
	int dir;               /* borrowed: any directory of the file system */
	const struct wal *log; /* borrowed; NULL: not yet, or not any more */
	uint64_t reserve;
	int64_t sampled_ms;
	uint64_t free;       /* as the file system said then */
	uint64_t ahead;      /* and the log */
	uint64_t claimed;    /* since then */
	uint64_t in_flight;  /* claimed and not yet released */
	int64_t reported_ms; /* when it was last logged that the disk is full */
};

void space_init(struct space *space, int dir, uint64_t reserve);
void space_destroy(struct space *space);
/* From now on the room that the log has taken ahead counts; NULL ends that. */
void space_count_log(struct space *space, const struct wal *log);

/* Takes `bytes` into account; false, and nothing is claimed, if that would touch the reserve. */
bool space_claim(struct space *space, uint64_t bytes);
/* Whether space_claim() would succeed now. */
bool space_fits(struct space *space, uint64_t bytes);
/* Releases a claim: the bytes are on the disk, or will not be written. */
void space_release(struct space *space, uint64_t bytes);
/* Bytes the file system has left, freshly asked. */
uint64_t space_left(struct space *space);

#endif
