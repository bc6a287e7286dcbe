/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A log in a pool: 16 rings, each an object. A gateway has the ring of its number, which gateways
 * that started before, or later, have had; two at a time lose nothing, and share its room.
 */
#ifndef STORE_RADOS_DOCUMENTS_POOL_LOG_H
#define STORE_RADOS_DOCUMENTS_POOL_LOG_H

#include "documents/shared_log.h"
#include "store/rados/cluster/cluster.h"

struct pool_log_options {
	struct pool *pool; /* outlives it */
	const char *name;  /* of the objects, in front of the ring's digit; outlives it */
	uint64_t gateway;
	size_t entries; /* of a ring, FETCH_ROWS_MAX at most */
	int64_t (*next_id)(void *ctx);
	void *ctx;
};

/* ERR_UNAVAILABLE without memory. */
enum err log_in_pool(const struct pool_log_options *options, struct shared_log **ret) MUST_USE;

#endif
