/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The rows ROW_OWN of a tablet: one of each instance that has changed it, until that has ended and
 * somebody adds it to the sum.
 */
#ifndef STORE_RADOS_TABLET_OWNS_H
#define STORE_RADOS_TABLET_OWNS_H

#include "store/rados/cluster/fetch.h"
#include "store/rados/rows/key.h"
#include "store/rados/rows/tablet_rows.h"
#include "store/rados/state/state.h"

/* Asks for the first of them. Returns the number for fetch_rows(). */
size_t owns_fetch(struct rados *r, struct fetch *fetch);

/*
 * Adds up all of them but that of the instance `but`; `first` are those that owns_fetch() has
 * brought. If there are more these are read: as they are then. ERR_UNAVAILABLE, ERR_INTERNAL.
 */
enum err owns_add_up(struct rados *r, uint64_t bucket, const char *tablet, const struct rows *first,
	uint64_t but, struct store_bucket_stats *ret) MUST_USE;
#define OWNS_ALL UINT64_MAX /* for `but`: no instance has that number */

/*
 * Reads that of an instance, and the sum, from rows that have them if they are there; all zeros
 * otherwise. An instance that has ended, as the sum says, is closed, whether or not it has a row.
 * False if one of them is damaged.
 */
bool owns_take(
	const struct rows *rows, uint64_t instance, struct own *ret, bool *ret_there) MUST_USE;

#endif
