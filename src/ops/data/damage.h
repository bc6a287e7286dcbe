/* SPDX-License-Identifier: Apache-2.0 */
/* Stored bytes that an operation has read, and that are not what was stored. */
#ifndef OPS_DATA_DAMAGE_H
#define OPS_DATA_DAMAGE_H

#include "ops/request.h"

/* Has the store log and count it, and notes it for the request's line in the log. */
void damage_tell(struct request *r, const struct store_get *get, const struct store_blob *blob,
	uint64_t offset);

#endif
