/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Mutations of objects and uploads: store/rules decides what one means, asking for what it has to
 * see; and then the effects are carried out, which cannot fail.
 */
#include <stdlib.h>

#include "store/memory/memory_internal.h"
#include "store/rules/rules.h"

/* A mutation on its way. */
struct mutation {
	struct memory *m;
	uint64_t bucket_id;
	struct slice key;
	uint64_t upload;
	uint32_t part;
	struct body *body; /* the bytes that are brought; not ours */
	struct rules_mutation mutation;

	/* Under the lock: */
	struct area *area;
	struct rules_view view;
	struct rules_effects effects;
	struct store_part *parts; /* what view.parts are */
	/* What stands behind the view. */
	struct item *current;
	struct item *null;
	struct item *named;
	struct item *newest;
	struct item *begun; /* the upload */
	struct item *old_part;
	struct item *made;     /* or what something is changed into */
	struct map_node *gone; /* linked by `left`: to be let go of when the lock is free again */
};

/* ---- Looking --------------------------------------------------------------------------------- */

struct item *find_current(const struct area *area, struct slice key)
{
	return item_of(map_find(&area->current, key, 0));
}

/* The first of the older versions, and the one behind a version. */
static struct item *old_from(const struct area *area, struct slice key)
{
	struct map_node *node = map_from(&area->old, key, 0);
	return node && slice_eq(node->key, key) ? item_of(node) : NULL;
}

static struct item *old_next(const struct item *item)
{
	struct map_node *node = map_next(&item->node);
	return node && slice_eq(node->key, item->node.key) ? item_of(node) : NULL;
}

struct item *find_old(const struct area *area, struct slice key, const struct store_version *which)
{
	if (!which->is_null)
		return item_of(map_find(&area->old, key, ~which->number));
	struct item *item = old_from(area, key);
	while (item && !item->object.is_null)
		item = old_next(item);
	return item;
}

struct item *find_newest(
	const struct area *area, struct slice key, const struct store_version *except)
{
	struct item *item = old_from(area, key);
	return item && item_is(item, except) ? old_next(item) : item;
}

static const struct store_object *object_of(const struct item *item)
{
	return item ? &item->object : NULL;
}

static enum err look_at_parts(struct mutation *c)
{
	size_t count = 0;
	struct map_node *first = c->begun ? map_from(&c->begun->parts, S(""), 0) : NULL;
	for (struct map_node *node = first; node; node = map_next(node))
		count++;
	c->parts = malloc((count + 1) * sizeof(*c->parts));
	if (!c->parts)
		return ERR_UNAVAILABLE;
	struct store_part *to = c->parts;
	for (struct map_node *node = first; node; node = map_next(node)) {
		const struct store_object *object = &item_of(node)->object;
		*to = (struct store_part){.number = (uint32_t)node->number,
			.size = object->size,
			.modified_ms = object->modified_ms,
			.crc64 = object->crc64};
		memcpy(to->md5, object->md5, sizeof(to->md5));
		to++;
	}
	c->view.parts = c->parts;
	c->view.part_count = count;
	return ERR_OK;
}

static void look_at_upload(struct mutation *c)
{
	c->begun = item_of(map_find(&c->area->uploads, c->key, c->upload));
	c->view.upload = object_of(c->begun);
}

/* Looks at what the rules need. */
static enum err look(struct mutation *c, unsigned rows)
{
	static const struct store_version null = {.is_null = true};
	const struct store_version *which = &c->mutation.version;
	c->view.known |= rows;
	if (rows & RULES_CURRENT)
		c->view.current = object_of(c->current = find_current(c->area, c->key));
	if (rows & RULES_NULL)
		c->view.null = object_of(c->null = find_old(c->area, c->key, &null));
	if (rows & RULES_NAMED)
		c->view.named = object_of(c->named = find_old(c->area, c->key, which));
	if (rows & RULES_NEWEST)
		c->view.newest = object_of(c->newest = find_newest(c->area, c->key, which));
	if (rows & RULES_UPLOAD)
		look_at_upload(c);
	if ((rows & RULES_PART) && c->begun)
		c->view.part = object_of(
			c->old_part = item_of(map_find(&c->begun->parts, S(""), c->part)));
	return rows & RULES_PARTS ? look_at_parts(c) : ERR_OK;
}

static enum err decide(struct mutation *c)
{
	int64_t now_ms = clock_wall_ms(c->m->clock);
	enum err e;
	do {
		e = rules_decide(&c->view, &c->mutation, now_ms, c->m->sequence + 1, &c->effects);
		if (e == ERR_OK && c->effects.needs)
			e = look(c, c->effects.needs);
	} while (e == ERR_OK && c->effects.needs);
	return e;
}

/* ---- Doing ----------------------------------------------------------------------------------- */

/* The bytes of two bodies, or of those parts of an upload that are taken. */
static enum err join(struct mutation *c, struct body **ret)
{
	struct body *body = body_new();
	enum err e = body ? ERR_OK : ERR_UNAVAILABLE;
	*ret = body;
	if (e == ERR_OK && c->effects.current == RULES_GROWS && c->current->body)
		e = body_share(body, c->current->body);
	if (e == ERR_OK && c->effects.current == RULES_GROWS)
		return body_share(body, c->body);
	struct map_node *node = map_from(&c->begun->parts, S(""), 0);
	for (; node && e == ERR_OK; node = map_next(node))
		if (rules_takes_part(c->mutation.complete, (uint32_t)node->number))
			e = body_share(body, item_of(node)->body);
	return e;
}

static struct item *changed_item(const struct mutation *c)
{
	if (c->effects.current == RULES_IS_CHANGED)
		return c->current;
	return c->effects.null == RULES_IS_CHANGED ? c->null : c->named;
}

/* Makes what there will be besides; the last thing that can fail. */
static enum err make(struct mutation *c)
{
	const struct rules_effects *effects = &c->effects;
	bool is_changed = effects->current == RULES_IS_CHANGED ||
			  effects->null == RULES_IS_CHANGED || effects->named == RULES_IS_CHANGED;
	struct body *body = NULL;
	enum err e = ERR_OK;
	if (is_changed)
		body = body_ref(changed_item(c)->body);
	else if (effects->current == RULES_GROWS || effects->upload == RULES_IS_COMPLETE)
		e = join(c, &body);
	else if (effects->made == RULES_MADE_NOTHING)
		return ERR_OK;
	else
		body = body_ref(c->body);
	if (e != ERR_OK) {
		body_unref(body);
		return e;
	}
	struct slice key = effects->made == RULES_MADE_PART ? S("") : c->key;
	return item_new(key, &effects->object, body, effects->made == RULES_MADE_MARKER, &c->made);
}

static void put_in(struct map *map, struct item *item, uint64_t number)
{
	item->node.number = number;
	map_insert(map, &item->node);
}

static void take_out(struct mutation *c, struct map *map, struct item *item)
{
	map_remove(map, &item->node);
	item->node.left = c->gone;
	c->gone = &item->node;
}

static void let_go(struct mutation *c)
{
	while (c->gone) {
		struct item *item = item_of(c->gone);
		c->gone = item->node.left;
		item_unref(item);
	}
}

/* What was decided about something that is there. Another one comes in the place of a changed one.
 */
static void carry_out(struct mutation *c, struct map *map, struct item *item, enum rules_fate fate)
{
	uint64_t number;
	switch (fate) {
	case RULES_STAYS:
		break;
	case RULES_GOES:
	case RULES_IS_COMPLETE:
		take_out(c, map, item);
		break;
	case RULES_BECOMES_OLDER:
		map_remove(map, &item->node);
		put_in(&c->area->old, item, ~item->object.version);
		break;
	case RULES_BECOMES_CURRENT:
		map_remove(map, &item->node);
		put_in(&c->area->current, item, 0);
		break;
	case RULES_IS_CHANGED:
	case RULES_GROWS:
		number = item->node.number;
		take_out(c, map, item);
		put_in(map, TAKE(c->made), number);
		break;
	}
}

static void put_made(struct mutation *c)
{
	struct item *item = TAKE(c->made);
	switch (c->effects.made) {
	case RULES_MADE_NOTHING:
		break;
	case RULES_MADE_CURRENT:
		put_in(&c->area->current, item, 0);
		break;
	case RULES_MADE_MARKER:
		put_in(&c->area->old, item, ~item->object.version);
		break;
	case RULES_MADE_UPLOAD:
		put_in(&c->area->uploads, item, item->object.version);
		break;
	case RULES_MADE_PART:
		put_in(&c->begun->parts, item, c->part);
		break;
	}
}

static void count(struct mutation *c)
{
	struct store_bucket_stats held;
	const struct store_bucket_stats *change = &c->effects.counts;
	(void)buckets_counts(c->m->buckets, c->bucket_id, &held);
	rules_add_counts(&held, change);
	buckets_set_counts(c->m->buckets, c->bucket_id, &held);
	c->m->stats.objects += change->objects;
	c->m->stats.bytes += change->bytes;
	c->m->stats.commits++;
	c->m->sequence++;
	/* What comes later gets greater numbers than what was kept. */
	if (c->mutation.kept && c->mutation.kept->version > c->m->sequence)
		c->m->sequence = c->mutation.kept->version;
}

static void carry_all_out(struct mutation *c)
{
	const struct rules_effects *effects = &c->effects;
	carry_out(c, &c->area->current, c->current, effects->current);
	carry_out(c, &c->area->old, c->null, effects->null);
	carry_out(c, &c->area->old, c->named, effects->named);
	carry_out(c, &c->area->old, c->newest, effects->newest);
	if (c->begun)
		carry_out(c, &c->begun->parts, c->old_part, effects->part);
	carry_out(c, &c->area->uploads, c->begun, effects->upload);
	put_made(c);
	count(c);
}

/* All of a mutation but the answer; c->effects say how it went. */
static enum err run(struct mutation *c)
{
	struct memory *m = c->m;
	memory_lock(m);
	enum err e = ERR_NO_SUCH_BUCKET;
	c->area = memory_area(m, c->bucket_id);
	if (c->area && c->bucket_id && buckets_find(m->buckets, c->bucket_id, &c->view.versioning))
		e = decide(c);
	if (e == ERR_OK)
		e = make(c);
	if (e == ERR_OK)
		carry_all_out(c);
	memory_unlock(m);
	let_go(c);
	free(c->parts);
	return e;
}

/* ---- Puts ------------------------------------------------------------------------------------ */

static struct store_object without_text(const struct store_object *object)
{
	struct store_object copy = *object;
	copy.headers = S("");
	copy.tags = S("");
	return copy;
}

enum err memory_commit(
	struct memory *m, const struct brought *brought, struct store_put_commit *commit)
{
	static const enum rules_kind kinds[] = {
		[STORE_PUT_OBJECT] = RULES_PUT,
		[STORE_PUT_PART] = RULES_UPLOAD_PART,
		[STORE_PUT_APPEND] = RULES_APPEND,
	};
	struct mutation c = {
		.m = m,
		.bucket_id = brought->bucket_id,
		.key = brought->key,
		.upload = brought->upload,
		.part = brought->part,
		.body = brought->body,
		.mutation = {.kind = kinds[brought->kind],
			.object = &brought->object,
			.position = brought->position,
			.forbid_overwrite = commit->forbid_overwrite,
			.caller = commit->caller,
			.kept = brought->kind == STORE_PUT_PART ? NULL : commit->kept},
	};
	enum err e = run(&c);
	commit->object = without_text(
		brought->kind == STORE_PUT_APPEND ? &c.effects.reported : &c.effects.object);
	return e;
}

/* ---- Deletes and metadata updates ----------------------------------------------------------- */

void memory_delete(struct store *store, struct store_delete *del)
{
	struct mutation c = {
		.m = memory_of(store),
		.bucket_id = del->bucket_id,
		.key = del->key,
		.mutation = {.kind = RULES_DELETE,
			.version = del->version,
			.only_if = del->only_if,
			.caller = del->caller,
			.kept = del->kept},
	};
	/* There can be no object with another key. */
	enum err e = memory_key_fits(del->key) ? run(&c) : ERR_OK;
	bool done = e == ERR_OK;
	del->existed = done && c.effects.existed;
	del->deleted_marker = done && c.effects.deleted_marker;
	del->made_marker = done && c.effects.made == RULES_MADE_MARKER;
	if (del->made_marker) {
		del->marker = c.effects.object.version;
		del->marker_is_null = c.effects.object.is_null;
	}
	store_answer(&del->wait, e);
}

void memory_object_change(struct store *store, struct store_metadata_update *change)
{
	bool named = store_version_is_named(&change->version);
	struct mutation c = {
		.m = memory_of(store),
		.bucket_id = change->bucket_id,
		.key = change->key,
		.mutation = {.kind = RULES_CHANGE,
			.version = change->version,
			.only_if = change->only_if,
			.change = change},
	};
	enum err e;
	if (!memory_key_fits(change->key))
		e = named ? ERR_NO_SUCH_VERSION : ERR_NO_SUCH_KEY;
	else if ((change->set_headers && change->headers.len > HEADERS_MAX) ||
		 (change->set_tags && change->tags.len > TAGS_MAX))
		e = ERR_INVALID_ARGUMENT;
	else
		e = run(&c);
	change->object = without_text(&c.effects.reported);
	store_answer(&change->wait, e);
}

/* ---- Uploads --------------------------------------------------------------------------------- */

void memory_upload_begin(struct store *store, struct store_multipart_begin *begin)
{
	const struct store_object object = {
		.acl = begin->acl, .headers = begin->headers, .tags = begin->tags};
	struct mutation c = {
		.m = memory_of(store),
		.bucket_id = begin->bucket_id,
		.key = begin->key,
		.mutation = {.kind = RULES_UPLOAD_BEGIN, .object = &object},
	};
	enum err e = ERR_INVALID_ARGUMENT;
	if (memory_key_fits(begin->key) && begin->headers.len <= HEADERS_MAX &&
		begin->tags.len <= TAGS_MAX)
		e = run(&c);
	begin->upload = e == ERR_OK ? c.effects.object.version : 0;
	store_answer(&begin->wait, e);
}

void memory_upload_abort(struct store *store, struct store_multipart_abort *abort)
{
	struct mutation c = {
		.m = memory_of(store),
		.bucket_id = abort->bucket_id,
		.key = abort->key,
		.upload = abort->upload,
		.mutation = {.kind = RULES_UPLOAD_ABORT},
	};
	store_answer(&abort->wait, memory_key_fits(abort->key) ? run(&c) : ERR_NO_SUCH_UPLOAD);
}

void memory_upload_complete(struct store *store, struct store_multipart_complete *complete)
{
	struct mutation c = {
		.m = memory_of(store),
		.bucket_id = complete->bucket_id,
		.key = complete->key,
		.upload = complete->upload,
		.mutation = {.kind = RULES_UPLOAD_COMPLETE,
			.forbid_overwrite = complete->forbid_overwrite,
			.caller = complete->caller,
			.complete = complete},
	};
	enum err e = memory_key_fits(complete->key) ? run(&c) : ERR_NO_SUCH_UPLOAD;
	complete->bad_part = c.effects.bad_part;
	complete->object = without_text(&c.effects.object);
	store_answer(&complete->wait, e);
}
