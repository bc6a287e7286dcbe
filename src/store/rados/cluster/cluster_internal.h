/* SPDX-License-Identifier: Apache-2.0 */
/* What the files of this room share. */
#ifndef STORE_RADOS_CLUSTER_CLUSTER_INTERNAL_H
#define STORE_RADOS_CLUSTER_CLUSTER_INTERNAL_H

#include <stdatomic.h>

#include "store/rados/cluster/cluster.h"
#include "store/rados/cluster/librados.h"

enum {
	POOLS_MAX = 3,
	POOL_RUNS_MAX = 2,
};

struct counters {
	_Atomic uint64_t counts[CLUSTER_OPERATIONS][CLUSTER_RESULTS];
	struct histogram latency[CLUSTER_OPERATIONS];
};

struct pool {
	const struct librados *api;
	struct counters *counters; /* the cluster's */
	void *cluster;             /* librados's handles */
	void *io;
};

struct cluster {
	struct librados api;
	void *handle;
	bool connected;
	char *space;
	struct counters counters;
	struct pool pools[POOLS_MAX];
	unsigned pool_count;
};

/* Sends the operation, which it frees. Negative: it was not begun. */
int transfer_begin(struct pool *pool, enum cluster_operation operation, const char *object,
	void *op, struct transfer *transfer) MUST_USE;

/* The time, for what follows. */
int64_t counting_begin(void);
/* Counts an operation that ends now. */
void counting_end(
	struct pool *pool, enum cluster_operation operation, int64_t begin_us, int result);

#endif
