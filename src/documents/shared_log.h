/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A log that all gateways of a store write and read. A writer has a ring: its newest entries,
 * beyond which the oldest is removed. Whoever reads has the entries of all rings in one order, that
 * of their ids, which is about that of time.
 */
#ifndef DOCUMENTS_SHARED_LOG_H
#define DOCUMENTS_SHARED_LOG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "base/slice.h"

struct shared_log_query {
	int64_t before; /* only ids below this one */
	size_t limit;
	/* For each, the newest first; the bytes are gone when it returns. False: the end. */
	bool (*take)(void *ctx, int64_t id, struct slice bytes);
	void *ctx;
	bool more; /* result: there are older ones */
};

/* A place of a log embeds it. */
struct shared_log {
	/* The id of the next entry, which nobody else gets: positive, rising. Any thread. */
	int64_t (*next_id)(struct shared_log *log);
	/* Both wait, are for one thread at a time, and log why they fail. */
	enum err (*add)(struct shared_log *log, int64_t id, struct slice bytes);
	enum err (*read)(struct shared_log *log, struct shared_log_query *query);
	void (*close)(struct shared_log *log);
};

#endif
