/* SPDX-License-Identifier: Apache-2.0 */
#include "ops/data/object_body.h"

#include "ops/respond.h"

static void found(struct extents *extents, enum err e, const struct store_blob *place)
{
	if (e == ERR_OK)
		respond_extent(extents->r, place);
	else
		respond_extent_failed(extents->r);
}

static void next(struct exchange *x UNUSED, void *ctx, uint64_t at)
{
	struct object_body *body = ctx;
	extents_find(&body->extents, body->first + at);
}

void object_body_send(struct object_body *body, struct request *r, struct store_get *get,
	int status, uint64_t first, uint64_t size)
{
	if (get->head_only || first + size <= get->blob.size) {
		respond_file(r, status, &get->blob, first, size);
		return;
	}
	body->first = first;
	extents_init(&body->extents, r, get, found);
	respond_extents(r, status, size, next, body);
}

void object_body_release(struct object_body *body)
{
	extents_release(&body->extents);
}
