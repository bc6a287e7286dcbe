/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Marks of a pool: rows of 16 objects, each with the half hour of the mark's time in front. Setting
 * one is one operation, that makes the row if it is not there. The first of each gateway in each
 * half hour removes what is older.
 */
#ifndef STORE_RADOS_DOCUMENTS_POOL_MARKS_H
#define STORE_RADOS_DOCUMENTS_POOL_MARKS_H

#include "base/clock.h"
#include "documents/shared_marks.h"
#include "store/rados/cluster/cluster.h"

#define RADOS_MARKS "marks." /* and a hexadecimal digit */

/* The pool outlives it. ERR_UNAVAILABLE without memory. */
enum err marks_in_pool(
	struct pool *pool, const struct clock *clock, struct shared_marks **ret) MUST_USE;

#endif
