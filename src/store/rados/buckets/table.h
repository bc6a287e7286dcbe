/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The table of buckets: rows of one object, which all gateways watch and have in memory. A change
 * compares and sets a row, and then notifies: each gateway reads the table again, and acknowledges;
 * then the change is answered. So whoever was told of a change finds it at every gateway. If the
 * one that made it dies before it tells, the others find it when they look again, some beats later.
 *
 *	table.c    reading and watching
 *	change.c   creating, changing and deleting buckets
 */
#ifndef STORE_RADOS_BUCKETS_TABLE_H
#define STORE_RADOS_BUCKETS_TABLE_H

#include "store/rados/state/state.h"

/* Makes the table if there is none, reads it, and watches it from now on. Waits. */
enum err table_open(struct rados *r) MUST_USE;
/* Allowed also if it is not open. */
void table_close(struct rados *r);

/* Lets all gateways read the table again, this one too. Waits. ERR_UNAVAILABLE. */
enum err table_notify(struct rados *r) MUST_USE;

/* The functions of store.h; they run on the thread `admin`. */
void bucket_create_begin(struct store *store, struct store_bucket_create *create);
void bucket_update_begin(struct store *store, struct store_bucket_update *change);
void bucket_delete_begin(struct store *store, struct store_bucket_delete *del);

#endif
