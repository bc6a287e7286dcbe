/* SPDX-License-Identifier: Apache-2.0 */
/* Reading: get.c, list.c, list_versions.c, list_parts.c and list_uploads.c; as store.h says. */
#ifndef STORE_LOCAL_READ_READ_H
#define STORE_LOCAL_READ_READ_H

#include "store/store.h"

enum store_now read_get(struct store *store, struct store_get *get);
void read_get_release(struct store *store, struct store_get *get);
enum store_now read_more(struct store *store, struct store_read *read);
void read_more_release(struct store *store, struct store_read *read);

/* damage.c */
void read_damaged(struct store *store, const struct store_damage *damage);

void read_list(struct store *store, struct store_list *list);
void read_list_release(struct store *store, struct store_list *list);
void read_list_parts(struct store *store, struct store_list_parts *list);
void read_list_parts_release(struct store *store, struct store_list_parts *list);
void read_list_uploads(struct store *store, struct store_list_multiparts *list);
void read_list_uploads_release(struct store *store, struct store_list_multiparts *list);

#endif
