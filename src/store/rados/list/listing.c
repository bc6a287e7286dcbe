/* SPDX-License-Identifier: Apache-2.0 */
#include "store/rados/list/listing.h"

#include <stdlib.h>

#include "store/shared/roll_up.h"

enum {
	/* Each entry may have as much as an object can. */
	TEXT_BYTES_MAX = LIMIT_LIST_KEYS * (ENTRY_BYTES_MAX + LIMIT_KEY_BYTES)
};

static struct listing *listing_new(struct rados *r, const struct listing_request *request)
{
	uint32_t max = request->max;
	struct budget_account memory = {.pool = request->pool};
	struct listing *listing = NULL;
	if (budget_take(&memory, sizeof(*listing)) && !(listing = calloc(1, sizeof(*listing))))
		budget_close(&memory);
	if (!listing)
		return NULL;
	listing->r = r;
	listing->request = *request;
	listing->list = request->list;
	listing->uploads = request->uploads;
	listing->memory = memory;
	listing->max = max == 0 || max > LIMIT_LIST_KEYS ? LIMIT_LIST_KEYS : max;
	arena_init_counted(&listing->texts, NULL, 0, TEXT_BYTES_MAX, &listing->memory, true);
	return listing;
}

void listing_free(struct listing *listing)
{
	if (!listing)
		return;
	arena_reset(&listing->texts);
	budget_close(&listing->memory);
	free(listing);
}

static void run(struct task *task)
{
	struct listing *listing = CONTAINER_OF(task, struct listing, task);
	struct store_wait *wait = listing->request.wait;
	enum err e = life_is_well(&listing->r->life) ? listing->request.collect(listing)
						     : ERR_UNAVAILABLE;
	if (e != ERR_OK) {
		*listing->request.count = 0;
		*listing->request.held = NULL;
		listing_free(listing);
	}
	store_answer(wait, e);
}

void listing_begin(struct rados *r, const struct listing_request *request)
{
	struct listing *listing = listing_new(r, request);
	*request->count = 0;
	*request->truncated = false;
	*request->held = listing;
	if (!listing) {
		store_answer(request->wait, ERR_UNAVAILABLE);
		return;
	}
	listing->task.run = run;
	thread_queue_add(r->readers, &listing->task);
}

static bool copy(struct listing *listing, struct slice from, struct slice *ret)
{
	*ret = arena_copy(&listing->texts, from);
	return ret->ptr != NULL;
}

enum err listing_add(struct listing *listing, struct slice key, struct slice rolled,
	const struct store_object *object, bool is_latest)
{
	struct store_list *list = listing->list;
	struct store_entry entry = {.is_prefix = rolled.len > 0};
	bool ok = copy(listing, slice_head(key, rolled.len ? rolled.len : key.len), &entry.key);
	if (ok && !entry.is_prefix) {
		entry.is_latest = is_latest;
		entry.object = *object;
		ok = copy(listing, object->headers, &entry.object.headers) &&
		     copy(listing, object->tags, &entry.object.tags);
	}
	if (!ok)
		return ERR_UNAVAILABLE;
	listing->entries[list->count++] = entry;
	return ERR_OK;
}

struct slice listing_rolled_marker(struct slice prefix, struct slice delimiter, struct slice marker)
{
	return slice_starts(marker, prefix) ? roll_up(prefix, delimiter, marker) : S("");
}
