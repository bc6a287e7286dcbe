/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A thread that reads ranges of files into the page cache, so that a loop can send them without
 * waiting for the disk.
 */
#ifndef NET_PREFETCHER_H
#define NET_PREFETCHER_H

#include <stdbool.h>
#include <stdint.h>

#include "base/compiler.h"
#include "base/task.h"

struct prefetcher;

struct prefetch_request {
	struct task done; /* done.run is the caller's; posted to `home` */
	struct executor *home;
	int fd; /* stays open until done */
	uint64_t offset;
	uint64_t size;
	/* The prefetcher's: */
	struct prefetcher *prefetcher_;
	struct task task_;
};

/* NULL if there is no thread or memory. */
struct prefetcher *prefetcher_new(void) MUST_USE;
/* Finishes what is queued first. */
void prefetcher_free(struct prefetcher *prefetcher);

/* Any thread. Also completes if the range cannot be read; the sender then gets the error. */
void prefetcher_request(struct prefetcher *prefetcher, struct prefetch_request *request);

/* Whether the range seems to be in memory: its first and last byte are. Does not block. */
bool prefetcher_is_cached(int fd, uint64_t offset, uint64_t size);

#endif
