/* SPDX-License-Identifier: Apache-2.0 */
#include "ops/data/object_body.h"

#include "ops/data/damage.h"
#include "ops/respond.h"

static void damaged(struct exchange *x UNUSED, void *ctx, uint64_t offset)
{
	struct object_body *body = ctx;
	damage_tell(body->extents.r, body->extents.get, &body->place, offset);
	respond_broken(body->extents.r);
}

static void found(struct extents *extents, enum err e, const struct store_blob *place)
{
	struct object_body *body = CONTAINER_OF(extents, struct object_body, extents);
	if (e == ERR_OK) {
		body->place = *place;
		respond_extent(extents->r, place);
		return;
	}
	respond_broken(extents->r);
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
	extents_init(&body->extents, r, get, found);
	if (get->head_only || first + size <= get->blob.size) {
		body->place = get->blob;
		respond_blob(r, status, &get->blob, first, size, damaged, body);
		return;
	}
	body->first = first;
	respond_extents(r, status, size, next, damaged, body);
}

void object_body_release(struct object_body *body)
{
	extents_release(&body->extents);
}
