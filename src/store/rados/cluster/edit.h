/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Changes rows of one object, all together or not at all:
 *
 *	struct edit edit = edit_begin(pool);
 *	edit_compare(&edit, key, value);
 *	edit_set(&edit, key, another);
 *	int result = edit_run(&edit, "object");
 *
 * Every comparison is with the object as it is before the operation, wherever it stands in it. A
 * row that is not there compares equal to the empty value, so no row of the store is empty.
 */
#ifndef STORE_RADOS_CLUSTER_EDIT_H
#define STORE_RADOS_CLUSTER_EDIT_H

#include "store/rados/cluster/cluster.h"

struct edit {
	struct pool *pool;
	void *op; /* librados's */
};

/* Cannot fail: librados ends the process without memory. */
struct edit edit_begin(struct pool *pool) MUST_USE;
/* Instead of edit_run(). */
void edit_drop(struct edit *edit);
/* Makes the object; -EEXIST if it is there. Without it an object that is not there is -ENOENT. */
void edit_create(struct edit *edit);
/* Makes it if it is not there. */
void edit_ensure(struct edit *edit);
/* Keys and values are copied. */
void edit_compare(struct edit *edit, struct slice key, struct slice value);
void edit_set(struct edit *edit, struct slice key, struct slice value);
void edit_remove(struct edit *edit, struct slice key);
/* Rows from `begin` up to, but without, `end`. */
void edit_remove_range(struct edit *edit, struct slice begin, struct slice end);
/* Removes the object with all of its rows, if the comparisons hold. */
void edit_remove_object(struct edit *edit);
/*
 * 0, or -errno and nothing has happened; but after -ETIMEDOUT it may have happened, or still do so.
 * -ECANCELED: a comparison did not hold. Consumes the edit.
 */
int edit_run(struct edit *edit, const char *object) MUST_USE;
/*
 * The same without waiting; the name is copied. Negative: it was not begun, and `done` is not
 * called.
 */
int edit_send(struct edit *edit, const char *object, struct transfer *transfer) MUST_USE;

#endif
