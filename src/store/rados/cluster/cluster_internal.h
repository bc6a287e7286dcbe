/* SPDX-License-Identifier: Apache-2.0 */
/* What the files of this room share. */
#ifndef STORE_RADOS_CLUSTER_CLUSTER_INTERNAL_H
#define STORE_RADOS_CLUSTER_CLUSTER_INTERNAL_H

#include "store/rados/cluster/cluster.h"
#include "store/rados/cluster/librados.h"

enum {
	POOLS_MAX = 3,
	POOL_RUNS_MAX = 2,
};

struct pool {
	const struct librados *api;
	void *cluster; /* librados's handles */
	void *io;
};

struct cluster {
	struct librados api;
	void *handle;
	bool connected;
	char *space;
	struct pool pools[POOLS_MAX];
	unsigned pool_count;
};

#endif
