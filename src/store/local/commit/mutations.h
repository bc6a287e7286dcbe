/* SPDX-License-Identifier: Apache-2.0 */
/* Changes that bring no bytes with them: from a call of store.h to the committer. */
#ifndef STORE_LOCAL_COMMIT_MUTATIONS_H
#define STORE_LOCAL_COMMIT_MUTATIONS_H

#include "store/store.h"

void mutation_delete(struct store *store, struct store_delete *del);
void mutation_object(struct store *store, struct store_metadata_update *mutation);

void mutation_multipart_begin(struct store *store, struct store_multipart_begin *begin);
void mutation_multipart_abort(struct store *store, struct store_multipart_abort *abort);
void mutation_multipart_complete(struct store *store, struct store_multipart_complete *complete);

void mutation_bucket_create(struct store *store, struct store_bucket_create *create);
void mutation_bucket(struct store *store, struct store_bucket_update *mutation);
void mutation_bucket_delete(struct store *store, struct store_bucket_delete *del);

#endif
