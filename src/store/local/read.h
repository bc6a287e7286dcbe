/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Reading: get (get.c) and list (list.c). A get whose answer is in memory is done in the caller's
 * thread; all else goes to the pool `readers`.
 */
#ifndef STORE_LOCAL_READ_H
#define STORE_LOCAL_READ_H

#include "store/store.h"

enum store_now read_get(struct store *store, struct store_get *get);
void read_get_release(struct store *store, struct store_get *get);

void read_list(struct store *store, struct store_list *list);
void read_list_release(struct store *store, struct store_list *list);

#endif
