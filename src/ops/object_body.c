/* SPDX-License-Identifier: Apache-2.0 */
#include "ops/object_body.h"

#include "ops/damage.h"
#include "ops/respond.h"

static void damaged(struct exchange *x UNUSED, void *ctx, uint64_t offset)
{
	struct object_body *body = ctx;
	damage_tell(body->places.r, body->places.get, &body->place, offset);
	respond_broken(body->places.r);
}

static void found(struct places *places, enum err e, const struct store_blob *place)
{
	struct object_body *body = CONTAINER_OF(places, struct object_body, places);
	if (e == ERR_OK) {
		body->place = *place;
		respond_extent(places->r, place);
		return;
	}
	respond_broken(places->r);
	respond_extent_failed(places->r);
}

static void next(struct exchange *x UNUSED, void *ctx, uint64_t at)
{
	struct object_body *body = ctx;
	places_find(&body->places, body->first + at);
}

void object_body_send(struct object_body *body, struct request *r, struct store_get *get,
	int status, uint64_t first, uint64_t size)
{
	places_init(&body->places, r, get, found);
	if (get->head_only || first + size <= get->blob.size) {
		body->place = get->blob;
		respond_file(r, status, &get->blob, first, size, damaged, body);
		return;
	}
	body->first = first;
	respond_extents(r, status, size, next, damaged, body);
}

void object_body_release(struct object_body *body)
{
	places_release(&body->places);
}
