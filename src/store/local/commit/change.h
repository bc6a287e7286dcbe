/* SPDX-License-Identifier: Apache-2.0 */
/* Calls of store.h that bring no bytes, turned into mutations for the committer. */
#ifndef STORE_LOCAL_COMMIT_CHANGE_H
#define STORE_LOCAL_COMMIT_CHANGE_H

#include "store/store.h"

void change_delete(struct store *store, struct store_delete *del);
void change_object(struct store *store, struct store_object_change *change);

void change_upload_begin(struct store *store, struct store_upload_begin *begin);
void change_upload_abort(struct store *store, struct store_upload_abort *abort);
void change_upload_complete(struct store *store, struct store_upload_complete *complete);

void change_bucket_create(struct store *store, struct store_bucket_create *create);
void change_bucket(struct store *store, struct store_bucket_change *change);
void change_bucket_delete(struct store *store, struct store_bucket_delete *del);

#endif
