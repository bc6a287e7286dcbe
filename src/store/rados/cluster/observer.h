/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Keeps up with an object that all gateways change: a thread has it read whenever one of them
 * notifies, and acknowledges when that is done, so whoever notified knows that all have read. When
 * the watch is lost it is begun anew, and what was missed meanwhile is read.
 */
#ifndef STORE_RADOS_CLUSTER_OBSERVER_H
#define STORE_RADOS_CLUSTER_OBSERVER_H

#include "store/rados/cluster/cluster.h"

struct observer;

struct observer_options {
	struct pool *pool;
	const char *object; /* it is there */
	const char *thread; /* the name of it */
	/* Reads it, on that thread alone; waits. What cannot be read was logged. */
	enum err (*read)(void *ctx);
	void *ctx;
	/* It is also read so often, in case nobody says that it has changed; 0: never. */
	unsigned every_ms;
};

/* Watches, and has it read once. Waits. ERR_UNAVAILABLE, or what read() has returned. */
enum err observer_new(const struct observer_options *options, struct observer **ret) MUST_USE;
/* Nothing is read afterwards. Waits. NULL is allowed. */
void observer_free(struct observer *observer);
/* Has it read soon. Does not wait. */
void observer_look(struct observer *observer);

/*
 * Waits until all who watch have read the object: ERR_OK. ERR_UNAVAILABLE, logged, if somebody did
 * not say so for twice LIMIT_RADOS_NOTIFY_MS.
 */
enum err pool_tell(struct pool *pool, const char *object) MUST_USE;

#endif
