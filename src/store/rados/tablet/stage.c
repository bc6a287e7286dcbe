/* SPDX-License-Identifier: Apache-2.0 */
#include "store/rados/tablet/stage.h"

#include <assert.h>

struct stage {
	struct change *c;
	struct look *look;
	struct edit *edit;
	struct strbuf garbage; /* extents that nothing will refer to */
	enum err err;

	/* What becomes of the rows of older versions. */
	bool hidden_changes;
	uint64_t removed[2];
	size_t removed_count;
	const struct entry *added[2];
	size_t added_count;
	struct entry marker;
};

static void set_row(struct stage *s, struct row_key key, const struct strbuf *value)
{
	if (strbuf_broken(value))
		s->err = ERR_UNAVAILABLE;
	else
		edit_set(s->edit, row_key_slice(&key), strbuf_slice(value));
}

static void remove_row(struct stage *s, struct row_key key)
{
	edit_remove(s->edit, row_key_slice(&key));
}

static void set_entry(struct stage *s, struct row_key key, const struct entry *entry)
{
	SCOPED_STRBUF(value, ENTRY_BYTES_MAX);
	entry_write(entry, &value);
	set_row(s, key, &value);
}

/* ---- Bytes ----------------------------------------------------------------------------------- */

static void drop_data(struct stage *s, uint64_t data, uint64_t size)
{
	if (data)
		extents_add(&s->garbage, (struct extent){data, size});
}

/* The bytes of a version that goes. */
static void drop_bytes(struct stage *s, const struct entry *entry, const struct extents *extents)
{
	uint64_t version = entry->object.version;
	switch (entry->place) {
	case ENTRY_NOWHERE:
	case ENTRY_PLACES:
		break;
	case ENTRY_INLINE:
		remove_row(s, row_key_version(ROW_BYTES, s->c->key, version));
		break;
	case ENTRY_DATA:
		drop_data(s, entry->data, entry->object.size);
		break;
	case ENTRY_EXTENTS:
		remove_row(s, row_key_version(ROW_EXTENTS, s->c->key, version));
		strbuf_add_slice(&s->garbage, extents->bytes);
		break;
	}
}

/* Lets the entry have the extents that look->extents has become. */
static void place_extents(struct stage *s, struct entry *entry)
{
	struct strbuf *bytes = &s->look->extents;
	struct extents extents;
	entry->place = ENTRY_NOWHERE;
	entry->data = 0;
	if (strbuf_broken(bytes)) {
		s->err = ERR_UNAVAILABLE;
		return;
	}
	if (!extents_parse(strbuf_slice(bytes), &extents))
		return;
	entry->place = extents.count == 1 ? ENTRY_DATA : ENTRY_EXTENTS;
	if (entry->place == ENTRY_DATA)
		entry->data = extents_at(&extents, 0).data;
	else
		set_row(s, row_key_version(ROW_EXTENTS, s->c->key, entry->object.version), bytes);
}

/* The appended bytes come behind those that the object has. */
static void grow(struct stage *s, struct entry *entry)
{
	struct look *look = s->look;
	struct change *c = s->c;
	uint64_t had = look->current.object.size;
	if (entry->object.size == had)
		return;
	if (look->current.place == ENTRY_DATA)
		extents_add(&look->extents, (struct extent){look->current.data, had});
	else if (look->current.place == ENTRY_EXTENTS)
		strbuf_add_slice(&look->extents, look->current_extents.bytes);
	extents_add(&look->extents, (struct extent){c->data, entry->object.size - had});
	place_extents(s, entry);
}

/* ---- What was there -------------------------------------------------------------------------- */

static void remove_older(struct stage *s, const struct entry *entry)
{
	assert(s->removed_count < ARRAY_LEN(s->removed));
	s->removed[s->removed_count++] = entry->object.version;
	s->hidden_changes = true;
	remove_row(s, row_key_version(ROW_VERSION, s->c->key, entry->object.version));
}

static void add_older(struct stage *s, const struct entry *entry)
{
	assert(s->added_count < ARRAY_LEN(s->added));
	s->added[s->added_count++] = entry;
	s->hidden_changes = true;
	set_entry(s, row_key_version(ROW_VERSION, s->c->key, entry->object.version), entry);
}

static struct entry changed(struct stage *s, const struct entry *entry)
{
	struct entry next = *entry;
	next.object = s->c->effects.object;
	next.revision = rados_number(s->c->r);
	return next;
}

static void stage_current(struct stage *s)
{
	struct look *look = s->look;
	struct row_key key = row_key_of(ROW_OBJECT, s->c->key);
	struct entry next;
	switch (s->c->effects.current) {
	case RULES_STAYS:
	case RULES_BECOMES_CURRENT:
	case RULES_IS_COMPLETE:
		break;
	case RULES_GOES:
		remove_row(s, key);
		drop_bytes(s, &look->current, &look->current_extents);
		break;
	case RULES_BECOMES_OLDER:
		remove_row(s, key);
		add_older(s, &look->current);
		break;
	case RULES_IS_CHANGED:
		next = changed(s, &look->current);
		set_entry(s, key, &next);
		break;
	case RULES_GROWS:
		next = changed(s, &look->current);
		grow(s, &next);
		set_entry(s, key, &next);
		break;
	}
}

static void stage_older(struct stage *s, enum rules_fate fate, const struct entry *entry,
	const struct extents *extents)
{
	struct entry next;
	switch (fate) {
	case RULES_STAYS:
	case RULES_BECOMES_OLDER:
	case RULES_GROWS:
	case RULES_IS_COMPLETE:
		break;
	case RULES_GOES:
		remove_older(s, entry);
		drop_bytes(s, entry, extents);
		break;
	case RULES_BECOMES_CURRENT:
		remove_older(s, entry);
		set_entry(s, row_key_of(ROW_OBJECT, s->c->key), entry);
		break;
	case RULES_IS_CHANGED:
		next = changed(s, entry);
		s->hidden_changes = true;
		set_entry(s, row_key_version(ROW_VERSION, s->c->key, entry->object.version), &next);
		break;
	}
}

/* An upload goes; of its parts some may have become the object's bytes. */
static void stage_upload(struct stage *s)
{
	struct look *look = s->look;
	const struct store_multipart_complete *complete = s->c->mutation.complete;
	bool is_complete = s->c->effects.upload == RULES_IS_COMPLETE;
	if (s->c->effects.upload == RULES_STAYS)
		return;
	for (size_t i = 0; i < look->part_count; i++) {
		const struct held_part *part = &look->parts[i];
		if (!is_complete || !rules_takes_part(complete, part->part.number))
			drop_data(s, part->data, part->part.size);
		else if (part->data)
			extents_add(&look->extents, (struct extent){part->data, part->part.size});
	}
	struct row_key parts = row_key_parts(s->c->key, s->c->upload);
	struct row_key past = row_key_past(&parts);
	remove_row(s, row_key_upload(s->c->key, s->c->upload));
	edit_remove_range(s->edit, row_key_slice(&parts), row_key_slice(&past));
}

/* ---- What comes ------------------------------------------------------------------------------ */

static void make_current(struct stage *s, struct entry *made)
{
	struct change *c = s->c;
	if (c->mutation.kind == RULES_UPLOAD_COMPLETE) {
		place_extents(s, made);
	} else {
		made->place = c->place;
		made->data = c->data;
	}
	if (made->place == ENTRY_INLINE) {
		struct row_key key = row_key_version(ROW_BYTES, c->key, made->object.version);
		edit_set(s->edit, row_key_slice(&key), c->inline_bytes);
	}
	set_entry(s, row_key_of(ROW_OBJECT, c->key), made);
}

static void make_part(struct stage *s)
{
	struct change *c = s->c;
	const struct store_object *object = &c->effects.object;
	struct part_entry part = {.part = {.size = object->size,
					  .modified_ms = object->modified_ms,
					  .crc64 = object->crc64},
		.data = c->data};
	memcpy(part.part.md5, object->md5, sizeof(part.part.md5));
	if (c->effects.part == RULES_GOES)
		drop_data(s, s->look->part.data, s->look->part.part.size);
	SCOPED_STRBUF(value, ENTRY_BYTES_MAX);
	part_format(&part, &value);
	set_row(s, row_key_part(c->key, c->upload, c->part), &value);
	/* Whoever completes the upload compares its row, and so all of its parts. */
	struct entry upload = s->look->upload;
	upload.revision = rados_number(c->r);
	set_entry(s, row_key_upload(c->key, c->upload), &upload);
}

static void stage_made(struct stage *s)
{
	struct entry made = {.revision = rados_number(s->c->r), .object = s->c->effects.object};
	switch (s->c->effects.made) {
	case RULES_MADE_NOTHING:
		break;
	case RULES_MADE_CURRENT:
		make_current(s, &made);
		break;
	case RULES_MADE_MARKER:
		s->marker = made;
		add_older(s, &s->marker);
		break;
	case RULES_MADE_UPLOAD:
		set_entry(s, row_key_upload(s->c->key, made.object.version), &made);
		break;
	case RULES_MADE_PART:
		make_part(s);
		break;
	}
}

/* ---- What is hidden -------------------------------------------------------------------------- */

static bool is_removed(const struct stage *s, uint64_t version)
{
	for (size_t i = 0; i < s->removed_count; i++)
		if (s->removed[i] == version)
			return true;
	return false;
}

/* The newest of the older versions as they will be, or NULL. */
static const struct entry *newest_of(const struct stage *s)
{
	const struct entry *newest = NULL;
	for (size_t i = 0; i < s->look->older_count && !newest; i++)
		if (!is_removed(s, s->look->older[i].object.version))
			newest = &s->look->older[i];
	for (size_t i = 0; i < s->added_count; i++)
		if (!newest || s->added[i]->object.version > newest->object.version)
			newest = s->added[i];
	return newest;
}

static void stage_hidden(struct stage *s)
{
	struct row_key key = row_key_of(ROW_HIDDEN, s->c->key);
	const struct entry *newest = newest_of(s);
	if (!s->hidden_changes)
		return;
	if (!newest) {
		remove_row(s, key);
		return;
	}
	struct hidden hidden = {.revision = rados_number(s->c->r),
		.newest = newest->object.version,
		.newest_ms = newest->object.modified_ms,
		.newest_is_marker = newest->object.is_marker,
		.newest_is_null = newest->object.is_null,
		.null = is_removed(s, s->look->hidden.null) ? 0 : s->look->hidden.null};
	for (size_t i = 0; i < s->added_count; i++)
		if (s->added[i]->object.is_null)
			hidden.null = s->added[i]->object.version;
	SCOPED_STRBUF(value, ENTRY_BYTES_MAX);
	hidden_format(&hidden, &value);
	set_row(s, key, &value);
}

static void stage_garbage(struct stage *s)
{
	if (s->garbage.len)
		set_row(s, row_key_garbage(GARBAGE_NEW, rados_number(s->c->r)), &s->garbage);
	else if (strbuf_broken(&s->garbage))
		s->err = ERR_UNAVAILABLE;
}

enum err stage_change(struct change *c, struct edit *edit)
{
	struct look *look = c->look;
	const struct rules_effects *effects = &c->effects;
	struct stage s = {.c = c, .look = look, .edit = edit};
	strbuf_init(&s.garbage, 2 * LIMIT_RADOS_EXTENTS_BYTES);
	strbuf_clear(&look->extents);
	stage_current(&s);
	stage_older(&s, effects->null, &look->null, &look->null_extents);
	stage_older(&s, effects->named, &look->named, &look->named_extents);
	stage_older(&s, effects->newest, &look->newest, NULL);
	stage_upload(&s);
	stage_made(&s);
	stage_hidden(&s);
	stage_garbage(&s);
	strbuf_release(&s.garbage);
	return s.err;
}
