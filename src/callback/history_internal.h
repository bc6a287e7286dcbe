/* SPDX-License-Identifier: Apache-2.0 */
/* What the places of a history have in common: its thread, and who waits for it. */
#ifndef CALLBACK_HISTORY_INTERNAL_H
#define CALLBACK_HISTORY_INTERNAL_H

#include <stdatomic.h>
#include <stdbool.h>

#include "base/thread_queue.h"
#include "callback/history.h"

/* A place; all but `next_id` and `close` on the history's thread. */
struct history_ops {
	/* From any thread. */
	int64_t (*next_id)(struct callback_history *history);
	/* What waits together is written together. */
	bool (*begin)(struct callback_history *history);
	bool (*write)(struct callback_history *history, const struct callback_record *record);
	bool (*commit)(struct callback_history *history);
	/* After any that is not committed. */
	void (*end)(struct callback_history *history);
	/* Why one of them has failed. */
	const char *(*fault)(struct callback_history *history);
	/* Sets the query's records and `more`. What fails is logged. */
	enum err (*read)(struct callback_history *history, struct callback_history_query *query);
	/* Frees it, whole or half made. */
	void (*close)(struct callback_history *history);
};

/* What is written together: records that were waiting together. */
enum batch {
	BATCH_NONE,
	BATCH_OPEN,
	BATCH_FAILED, /* the rest of it is lost too, so that trouble is waited for once */
};

struct callback_history {
	const struct history_ops *ops;
	struct thread_queue *queue;
	atomic_size_t waiting; /* records that are not written yet */
	/* The thread's. */
	enum batch batch;
	bool failing; /* has been said */
};

/* Starts the thread. */
enum err history_start(struct callback_history *history) MUST_USE;

#endif
