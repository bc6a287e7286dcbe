/* SPDX-License-Identifier: Apache-2.0 */
/* Rows that move from one tablet to another, when one is split or two are merged. */
#ifndef STORE_RADOS_TABLET_MOVING_H
#define STORE_RADOS_TABLET_MOVING_H

#include "store/rados/tablet/heads.h"

/* The kinds that are of keys, as a string. */
extern const char moving_kinds[];

/* Adds to the counts what the row is. -EBADMSG if it is damaged. */
int moving_count(const struct row *row, struct store_bucket_stats *counts) MUST_USE;

/* The sum of a tablet, which has what moved; all zeros without one. False if it is damaged. */
bool seen_sum(const struct seen *seen, struct own *ret) MUST_USE;
void moving_set_sum(struct edit *edit, const struct own *sum);

#endif
