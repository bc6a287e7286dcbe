/* SPDX-License-Identifier: Apache-2.0 */
/* Deletes, changes of metadata and uploads: the functions of store.h. */
#ifndef STORE_RADOS_MUTATION_H
#define STORE_RADOS_MUTATION_H

#include "store/store.h"

void rados_delete(struct store *store, struct store_delete *del);
void rados_metadata_update(struct store *store, struct store_metadata_update *change);
void rados_multipart_begin(struct store *store, struct store_multipart_begin *begin);
void rados_multipart_abort(struct store *store, struct store_multipart_abort *abort);
void rados_multipart_complete(struct store *store, struct store_multipart_complete *complete);

#endif
