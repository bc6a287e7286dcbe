/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Listings: rows are read in pages, each of one moment; what is behind a common prefix is not read.
 *
 *	list.c       current objects
 *	versions.c   all versions: the rows of current and of older ones, merged
 *	uploads.c    uploads, and the parts of one
 *	page.c       a page of rows
 *	listing.c    the entries, for as long as the caller has them
 */
#ifndef STORE_RADOS_LIST_LIST_H
#define STORE_RADOS_LIST_LIST_H

#include "store/rados/state/state.h"

void rados_list(struct store *store, struct store_list *list);
void rados_list_release(struct store *store, struct store_list *list);
void rados_list_parts(struct store *store, struct store_list_parts *list);
void rados_list_parts_release(struct store *store, struct store_list_parts *list);
void rados_list_uploads(struct store *store, struct store_list_multiparts *list);
void rados_list_uploads_release(struct store *store, struct store_list_multiparts *list);

#endif
