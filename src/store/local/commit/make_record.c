/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Makes the record of a mutation that was decided. A record that the caller brought only gets what
 * is known now; those of deletes, changes and completions are made here.
 */
#include "store/local/commit/decide.h"
#include "store/local/disk/bytes.h"

enum err make_record_head(struct mutation *mutation, enum record_kind kind, uint64_t bucket_id,
	struct slice key, size_t meta, size_t data)
{
	mutation->bucket_id = bucket_id;
	mutation->key_len = key.len;
	mutation->head_len = RECORD_HEADER_BYTES + key.len + meta;
	mutation->made = malloc(mutation->head_len + data);
	mutation->head = mutation->made;
	if (!mutation->made)
		return ERR_UNAVAILABLE;
	record_head(mutation->head, kind, bucket_id, key.len, meta, data);
	memcpy(mutation->head + RECORD_HEADER_BYTES, key.ptr, key.len);
	mutation->data = slice_of((const char *)mutation->head + mutation->head_len, data);
	return ERR_OK;
}

/* A record of an object's, with `meta` and the headers and tags that it has. */
static enum err make(struct mutation *mutation, enum record_kind kind, const struct rows *rows,
	const struct object_meta *meta, size_t data)
{
	const struct store_object *object = &meta->object;
	enum err e = make_record_head(mutation, kind, rows->bucket_id, rows->object_key,
		OBJECT_META_BYTES + object->headers.len + object->tags.len, data);
	if (e != ERR_OK)
		return e;
	object_meta_write(mutation_meta(mutation), meta);
	object_meta_write_text(mutation_meta(mutation), object);
	return ERR_OK;
}

/* How a new object comes into a bucket. */
static enum object_mode mode_of(enum store_versioning versioning)
{
	switch (versioning) {
	case STORE_UNVERSIONED:
		return OBJECT_REPLACES;
	case STORE_VERSIONED:
		return OBJECT_KEEPS;
	case STORE_VERSIONING_SUSPENDED:
		return OBJECT_REPLACES_NULL;
	}
	return OBJECT_REPLACES;
}

/* ---- Records that are brought ---------------------------------------------------------------- */

/* What is only known now. */
static void complete(struct mutation *mutation, struct object_meta *meta, uint64_t version,
	bool is_null, enum object_mode mode)
{
	meta->object.version = version;
	meta->object.is_null = is_null;
	meta->mode = mode;
	object_meta_set_version(mutation_meta(mutation), version, is_null, mode);
}

static void complete_brought(struct mutation *mutation, struct decision *d)
{
	const struct store_object *made = &d->effects.object;
	if (d->effects.made == RULES_MADE_CURRENT)
		complete(mutation, &d->meta, made->version, made->is_null,
			mode_of(d->rows.view.versioning));
	else if (d->effects.made == RULES_MADE_UPLOAD)
		complete(mutation, &d->meta, made->version, false, OBJECT_REPLACES);
	else if (d->effects.current == RULES_GROWS)
		/* A piece belongs to the part list of the object that is there. */
		complete(mutation, &d->meta, d->rows.current.entry.meta.file, false,
			OBJECT_REPLACES);
}

/* ---- Deletes and changes --------------------------------------------------------------------- */

/* A record that says no more of a version than which it is. */
static enum err make_version_delete(
	struct mutation *mutation, struct decision *d, const struct row *row)
{
	const struct store_object *object = &row->entry.meta.object;
	const struct store_version *which = &mutation->del->version;
	d->meta = (struct object_meta){.place = OBJECT_NONE};
	d->meta.object.is_null = object->is_null;
	d->meta.object.version = which->is_null ? object->version : which->number;
	return make(mutation, RECORD_VERSION_DELETE, &d->rows, &d->meta, 0);
}

static enum err make_marker(struct mutation *mutation, struct decision *d)
{
	d->meta = (struct object_meta){.place = OBJECT_NONE,
		.mode = mode_of(d->rows.view.versioning),
		.object = d->effects.object};
	return make(mutation, RECORD_MARKER, &d->rows, &d->meta, 0);
}

/* What becomes of whichever version a mutation of one is about. */
static const struct row *row_with(const struct decision *d, enum rules_fate fate)
{
	if (d->effects.current == fate)
		return &d->rows.current;
	if (d->effects.null == fate)
		return &d->rows.null;
	return d->effects.named == fate ? &d->rows.named : NULL;
}

static enum err make_delete(struct mutation *mutation, struct decision *d)
{
	const struct row *gone = row_with(d, RULES_GOES);
	if (d->effects.made == RULES_MADE_MARKER)
		return make_marker(mutation, d);
	/* Deleting what is not there needs no record. */
	if (!gone)
		mutation->nothing = true;
	else if (mutation->del->version.is_null || mutation->del->version.number)
		return make_version_delete(mutation, d, gone);
	if (mutation->nothing)
		return ERR_OK;
	d->meta = (struct object_meta){.place = OBJECT_NONE};
	return make(mutation, RECORD_OBJECT_DELETE, &d->rows, &d->meta, 0);
}

/* All that is known of the version, with what is asked for in its place. */
static enum err make_change(struct mutation *mutation, struct decision *d)
{
	const struct row *row = row_with(d, RULES_IS_CHANGED);
	if (!row || row_is_damaged(row))
		return ERR_INTERNAL;
	d->meta = row->entry.meta;
	d->meta.object = d->effects.object;
	enum err e = make(mutation, RECORD_METADATA, &d->rows, &d->meta, LOCATION_BYTES);
	if (e == ERR_OK)
		location_write((char *)mutation->head + mutation->head_len, &row->entry.where);
	return e;
}

/* ---- Completing ------------------------------------------------------------------------------ */

/* Writes the numbers of the parts that are dropped, unless `to` is NULL; how many bytes they are.
 */
static size_t write_dropped(
	const struct mutation *mutation, const struct rules_view *view, unsigned char *to)
{
	size_t bytes = 0;
	for (size_t i = 0; i < view->part_count; i++) {
		if (rules_takes_part(mutation->complete, view->parts[i].number))
			continue;
		if (to)
			le32_put(to + bytes, view->parts[i].number);
		bytes += sizeof(uint32_t);
	}
	return bytes;
}

static enum err make_complete(struct mutation *mutation, struct decision *d)
{
	const struct rules_view *view = &d->rows.view;
	size_t data = write_dropped(mutation, view, NULL);
	if (d->rows.has_damaged_part || data > RECORD_DATA_MADE_MAX)
		return ERR_INTERNAL;
	d->meta = (struct object_meta){.place = OBJECT_PART_LIST,
		.mode = mode_of(view->versioning),
		.file = d->rows.upload,
		.object = d->effects.object};
	enum err e = make(mutation, RECORD_COMPLETE, &d->rows, &d->meta, data);
	if (e == ERR_OK)
		(void)write_dropped(mutation, view, mutation->head + mutation->head_len);
	return e;
}

enum err make_record(struct mutation *mutation, struct decision *d)
{
	if (mutation->kind == MUTATION_OBJECT_DELETE)
		return make_delete(mutation, d);
	if (mutation->kind == MUTATION_METADATA)
		return make_change(mutation, d);
	if (mutation->kind == MUTATION_COMPLETE)
		return make_complete(mutation, d);
	complete_brought(mutation, d);
	return ERR_OK;
}
