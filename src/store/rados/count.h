/* SPDX-License-Identifier: Apache-2.0 */
/* What a bucket holds: the function of store.h. */
#ifndef STORE_RADOS_COUNT_H
#define STORE_RADOS_COUNT_H

#include "store/store.h"

void rados_bucket_count(struct store *store, struct store_bucket_count *count);

#endif
