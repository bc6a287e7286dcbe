/* SPDX-License-Identifier: Apache-2.0 */
#include "ops/data/damage.h"

#include "ops/ops_internal.h"

void damage_tell(struct request *r, const struct store_get *get, const struct store_blob *blob,
	uint64_t offset)
{
	struct store_damage damage = {.get = get, .blob = blob, .offset = offset, .request = r->id};
	store_damaged(r->ops->options.store, &damage);
	request_note(r, "damaged=yes");
}
