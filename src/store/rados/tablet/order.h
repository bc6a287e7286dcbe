/* SPDX-License-Identifier: Apache-2.0 */
/*
 * In what order new keys come to a tablet. If most come behind all others, a split in the middle
 * would leave tablets that stay half full.
 */
#ifndef STORE_RADOS_TABLET_ORDER_H
#define STORE_RADOS_TABLET_ORDER_H

#include "store/rados/tablet/settle.h"

/* Takes note of the new keys among these changes, which have been made together. */
void order_note(struct key_order *order, struct change *const *changes, size_t count);
/* Where to split, of so many rows: how many stay in front. At least 1 if there are 2. */
uint64_t order_split_at(const struct key_order *order, uint64_t rows);
/* It has been split. */
void order_reset(struct key_order *order);

#endif
