/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Documents of a pool: the rows of one object, each with its name. Whoever replaces one notifies
 * all who watch the object, and goes on when they have taken it.
 */
#ifndef STORE_RADOS_DOCUMENTS_POOL_DOCUMENTS_H
#define STORE_RADOS_DOCUMENTS_POOL_DOCUMENTS_H

#include "documents/documents.h"
#include "store/rados/cluster/cluster.h"

#define RADOS_DOCUMENTS "documents"

/*
 * Followers are told of changes; after `look_ms` also if nobody says a word. The pool outlives it.
 * Waits. ERR_UNAVAILABLE.
 */
enum err documents_in_pool(struct pool *pool, unsigned look_ms, struct documents **ret) MUST_USE;
/* Followers are told when they look. Takes over the cluster, also if it fails. */
enum err documents_in_own_pool(
	struct pool *pool, struct cluster *cluster, struct documents **ret) MUST_USE;

#endif
