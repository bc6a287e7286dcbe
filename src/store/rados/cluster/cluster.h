/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A Ceph cluster, and its pools. All that the store says to Ceph goes through this folder; nobody
 * else knows librados.
 *
 * Any thread may call. Calls wait for the cluster unless it says otherwise.
 */
#ifndef STORE_RADOS_CLUSTER_CLUSTER_H
#define STORE_RADOS_CLUSTER_CLUSTER_H

#include <stdbool.h>
#include <stdint.h>

#include "base/compiler.h"
#include "base/err.h"
#include "base/histogram.h"
#include "base/slice.h"

struct cluster;
struct pool;

struct cluster_options {
	const char *config; /* the path of a ceph.conf */
	const char *id;     /* `postern` for client.postern */
	const char *space;  /* the RADOS namespace of all objects; "" for the default one */
	/* After which an operation whose outcome is not known gives up (-ETIMEDOUT). */
	unsigned timeout_s;
};

/* Connects. ERR_UNAVAILABLE, logged. */
enum err cluster_open(const struct cluster_options *options, struct cluster **ret) MUST_USE;
/* Closes its pools, too. Nothing may be on its way. NULL is allowed. */
void cluster_close(struct cluster *cluster);

/* A pool of that name; it lives as long as the cluster. ERR_UNAVAILABLE, logged. */
enum err cluster_pool(struct cluster *cluster, const char *name, struct pool **ret) MUST_USE;

/*
 * Whether the user may read and change what is in the pool: 0, -EPERM, or another -errno. Does
 * both to an object that is never there.
 */
int pool_try(struct pool *pool) MUST_USE;

#define POOL_ROOM "room" /* the object by which is asked: */
/*
 * Whether there is room in the pool: 0, -ENOSPC, -EDQUOT, or another -errno. Makes an object and
 * removes it: Ceph lets rows be added to those that are there, however full it is. If several ask
 * at once, a wrong 0 is possible, and put right by the next one who asks.
 */
int pool_has_room(struct pool *pool) MUST_USE;

/*
 * What a result of Ceph (0, or -errno) is to the store's caller: ERR_OK, ERR_DISK_FULL, or
 * ERR_UNAVAILABLE, which is logged with what was `wanted` of which object.
 */
enum err cluster_err(int result, const char *wanted, const char *object) MUST_USE;

/* ---- What was done --------------------------------------------------------------------------- */

enum cluster_operation {
	CLUSTER_READ_ROWS,
	CLUSTER_CHANGE_ROWS,
	CLUSTER_READ_DATA,
	CLUSTER_WRITE_DATA,
	CLUSTER_REMOVE_DATA,
	CLUSTER_OPERATIONS,
};

enum cluster_result {
	CLUSTER_DONE,
	CLUSTER_OVERTAKEN, /* a comparison did not hold */
	CLUSTER_MISSING,   /* there is no such object */
	CLUSTER_LOST,      /* it may have happened */
	CLUSTER_FAILED,
	CLUSTER_RESULTS,
};

/* Of all operations that have ended, but for watching, connecting and trying. */
struct cluster_counts {
	uint64_t counts[CLUSTER_OPERATIONS][CLUSTER_RESULTS];
	struct histogram_sum latency[CLUSTER_OPERATIONS];
};

void cluster_counts(const struct cluster *cluster, struct cluster_counts *ret);

/* ---- Data ------------------------------------------------------------------------------------ */

/* One operation on its way. The caller's, in its place until `done` is called. */
struct transfer {
	/* On a thread of librados: must not wait. `result` is 0 or -errno. */
	void (*done)(struct transfer *transfer, int result);
	void *completion; /* private, as is all that follows */
	struct pool *pool;
	enum cluster_operation operation;
	int64_t begin_us;
};

/*
 * Makes an object of these bytes, which are copied, or fails with -EEXIST; `of` says whose it is.
 * Does not wait. A negative result: it was not begun.
 */
int pool_create(struct pool *pool, const char *object, struct slice bytes, struct slice of,
	struct transfer *transfer) MUST_USE;
/* Removes an object. Likewise. */
int pool_remove(struct pool *pool, const char *object, struct transfer *transfer) MUST_USE;
/* Whose an object is: the length of what was said then, or -errno: -ENODATA if nothing was. */
int pool_owner(struct pool *pool, const char *object, char *ret, size_t size) MUST_USE;
/* A run of bytes of an object. */
struct pool_run {
	uint64_t offset;
	char *bytes; /* room for them */
	size_t len;
	size_t got; /* result: how many there were */
};

/* Reads runs of an object, all of one moment. 0 or -errno. */
int pool_read(struct pool *pool, const char *object, struct pool_run *runs, size_t count) MUST_USE;

/* Calls `name` for each object of the namespace, in no order, until it says false. 0 or -errno. */
int pool_list(struct pool *pool, bool (*name)(const char *object, void *ctx), void *ctx) MUST_USE;

/* ---- Watching -------------------------------------------------------------------------------- */

struct watch {
	/* Both on a thread of librados: must not wait. */
	void (*notified)(struct watch *watch, uint64_t notification);
	void (*lost)(struct watch *watch);
	uint64_t number; /* private, as is what follows */
	bool is_begun;
	struct pool *pool;
	const char *object;
};

/* Makes the watch hear of notifications; the caller has set the two functions. 0 or -errno. */
int watch_begin(struct watch *watch, struct pool *pool, const char *object) MUST_USE;
/* Nothing is heard afterwards. Allowed also if it could not begin, or has ended. */
void watch_end(struct watch *watch);
/* Lets whoever notified know that it has been heeded. From any thread. */
void watch_acknowledge(struct watch *watch, uint64_t notification);
/* Waits until all who watch have acknowledged: 0, or -ETIMEDOUT. */
int pool_notify(struct pool *pool, const char *object, uint64_t timeout_ms) MUST_USE;

#endif
