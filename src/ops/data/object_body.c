/* SPDX-License-Identifier: Apache-2.0 */
#include "ops/data/object_body.h"

#include "ops/respond.h"

static void found(struct places *places, enum err e, const struct store_blob *place)
{
	if (e == ERR_OK)
		respond_extent(places->r, place);
	else
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
	if (get->head_only || first + size <= get->blob.size) {
		respond_blob(r, status, &get->blob, first, size);
		return;
	}
	body->first = first;
	places_init(&body->places, r, get, found);
	respond_extents(r, status, size, next, body);
}

void object_body_release(struct object_body *body)
{
	places_release(&body->places);
}
