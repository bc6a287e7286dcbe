/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A thread that reads ranges of files into the page cache, so that a loop can send them without
 * waiting for the disk.
 */
#ifndef NET_WARMER_H
#define NET_WARMER_H

#include <stdbool.h>
#include <stdint.h>

#include "base/compiler.h"
#include "base/task.h"

struct warmer;

struct warm_request {
	struct task done; /* done.run is the caller's; posted to `home` */
	struct executor *home;
	int fd; /* stays open until done */
	uint64_t offset;
	uint64_t size;
	struct warm_request *next; /* private */
};

/* NULL, logged, if there is no thread or memory. */
struct warmer *warmer_new(void) MUST_USE;
/* Finishes what is queued first. */
void warmer_free(struct warmer *warmer);

/* Any thread. Also completes if the range cannot be read; the sender then gets the error. */
void warmer_request(struct warmer *warmer, struct warm_request *request);

/* Whether the range seems to be in memory: its first and last byte are. Does not block. */
bool warmer_is_warm(int fd, uint64_t offset, uint64_t size);

#endif
