/* SPDX-License-Identifier: Apache-2.0 */
#include "store/rados/tablet/look.h"

#include <errno.h>
#include <inttypes.h>

#include "base/log.h"

enum {
	GUARD_CURRENT,
	GUARD_HIDDEN,
	GUARD_UPLOAD,
};

enum err look_damaged(uint64_t bucket, struct slice row)
{
	char quoted[128];
	log_error("ceph: tablet of bucket %" PRIx64
		  ": the row %s is damaged, or of a later version",
		bucket, log_quoted(row, quoted, sizeof(quoted)));
	return ERR_INTERNAL;
}

static bool has_upload(const struct change *c)
{
	return c->upload != 0;
}

/* ---- The first fetch ------------------------------------------------------------------------- */

static struct slice name_guard(struct look *look, unsigned which, struct row_key key)
{
	look->guard_keys[which] = key;
	look->guard_names[which] = row_key_slice(&look->guard_keys[which]);
	return look->guard_names[which];
}

enum err look_begin(struct change *c, struct fetch *fetch, bool versions)
{
	struct look *look = calloc(1, sizeof(*look));
	struct slice keys[GUARDS + 1];
	size_t count = 0;
	c->look = look;
	if (!look)
		return ERR_UNAVAILABLE;
	strbuf_init(&look->extents, LIMIT_RADOS_EXTENTS_BYTES);
	keys[count++] = name_guard(look, GUARD_CURRENT, row_key_of(ROW_OBJECT, c->key));
	keys[count++] = name_guard(look, GUARD_HIDDEN, row_key_of(ROW_HIDDEN, c->key));
	if (has_upload(c)) {
		struct row_key upload = row_key_upload(c->key, c->upload);
		look->part_key = row_key_part(c->key, c->upload, c->part);
		keys[count++] = name_guard(look, GUARD_UPLOAD, upload);
		keys[count++] = row_key_slice(&look->part_key);
	}
	look->keys_number = fetch_keys(fetch, keys, count);
	if (versions) {
		struct row_key prefix = row_key_all_of(ROW_VERSION, c->key);
		look->older_number = fetch_range(fetch, "", prefix.bytes, OLDER_MAX);
	}
	return ERR_OK;
}

static enum err take_older(struct change *c, const struct rows *rows)
{
	struct look *look = c->look;
	for (size_t i = 0; i < rows->count; i++)
		if (!entry_read(rows->rows[i].value, &look->older[look->older_count++]))
			return look_damaged(c->bucket_id, rows->rows[i].key);
	return ERR_OK;
}

static enum err take_upload(struct change *c, const struct rows *rows)
{
	struct look *look = c->look;
	struct slice value = look->guards[GUARD_UPLOAD];
	struct slice part = fetched_value(rows, row_key_slice(&look->part_key));
	if (value.len && !entry_read(value, &look->upload))
		return look_damaged(c->bucket_id, look->guard_names[GUARD_UPLOAD]);
	if (part.len && !part_parse(part, &look->part))
		return look_damaged(c->bucket_id, row_key_slice(&look->part_key));
	look->view.upload = value.len ? &look->upload.object : NULL;
	look->part_object.size = look->part.part.size;
	look->view.part = part.len ? &look->part_object : NULL;
	look->view.known |= RULES_UPLOAD | RULES_PART;
	return ERR_OK;
}

enum err look_take(struct change *c, const struct fetch *fetch, bool versions,
	enum store_versioning versioning)
{
	struct look *look = c->look;
	const struct rows *rows = fetch_rows(fetch, look->keys_number);
	for (size_t i = 0; i < GUARDS; i++)
		if (look->guard_names[i].len)
			look->guards[i] = fetched_value(rows, look->guard_names[i]);
	struct slice current = look->guards[GUARD_CURRENT];
	struct slice hidden = look->guards[GUARD_HIDDEN];
	if (current.len && !entry_read(current, &look->current))
		return look_damaged(c->bucket_id, look->guard_names[GUARD_CURRENT]);
	if (hidden.len && !hidden_parse(hidden, &look->hidden))
		return look_damaged(c->bucket_id, look->guard_names[GUARD_HIDDEN]);
	look->has_hidden = hidden.len > 0;
	look->view.versioning = versioning;
	look->view.known = RULES_CURRENT;
	look->view.current = current.len ? &look->current.object : NULL;
	enum err e = versions ? take_older(c, fetch_rows(fetch, look->older_number)) : ERR_OK;
	if (e == ERR_OK && has_upload(c))
		e = take_upload(c, rows);
	return e;
}

/* ---- Later ones ------------------------------------------------------------------------------ */

/* Runs a fetch whose number 0 are the guards, and looks whether they are what they were. */
static enum looked run(struct change *c, struct fetch *fetch)
{
	struct look *look = c->look;
	char name[RADOS_NAME_BYTES];
	rados_tablet_name(name, c->bucket_id, c->tablet);
	int result = fetch_run(fetch, c->r->index, name);
	/* It was merged meanwhile. */
	if (result == -ENOENT)
		return LOOK_AGAIN;
	if (result < 0) {
		c->err = cluster_err(result, "reading", name);
		return LOOK_FAILED;
	}
	for (size_t i = 0; i < GUARDS; i++)
		if (look->guard_names[i].len &&
			!slice_eq(fetched_value(fetch_rows(fetch, 0), look->guard_names[i]),
				look->guards[i]))
			return LOOK_AGAIN;
	return LOOKED;
}

static struct fetch *fetch_guards(const struct change *c)
{
	struct fetch *fetch = fetch_new();
	if (fetch)
		(void)fetch_keys(fetch, c->look->guard_names, has_upload(c) ? GUARDS : GUARDS - 1);
	return fetch;
}

/* One more row, which may not be there: then *ret is empty. */
static enum looked fetch_row(struct change *c, const struct row_key *key, struct slice *ret)
{
	struct look *look = c->look;
	struct slice name = row_key_slice(key);
	struct fetch *fetch = look->fetch_count < FETCHES_MAX ? fetch_guards(c) : NULL;
	if (!fetch) {
		c->err = ERR_UNAVAILABLE;
		return LOOK_FAILED;
	}
	look->fetches[look->fetch_count++] = fetch;
	size_t number = fetch_keys(fetch, &name, 1);
	enum looked looked = run(c, fetch);
	if (looked == LOOKED)
		*ret = fetched_value(fetch_rows(fetch, number), name);
	return looked;
}

/* An older version; *ret_object stays NULL if it is not there. */
static enum looked fetch_version(struct change *c, uint64_t version, struct entry *entry,
	const struct store_object **ret_object)
{
	struct look *look = c->look;
	struct slice value;
	/* Without rows of older versions there is none. */
	if (!look->has_hidden || version == 0)
		return LOOKED;
	for (size_t i = 0; i < look->older_count; i++)
		if (look->older[i].object.version == version) {
			*entry = look->older[i];
			*ret_object = &entry->object;
			return LOOKED;
		}
	struct row_key key = row_key_version(ROW_VERSION, c->key, version);
	enum looked looked = fetch_row(c, &key, &value);
	if (looked != LOOKED || value.len == 0)
		return looked;
	if (!entry_read(value, entry)) {
		c->err = look_damaged(c->bucket_id, row_key_slice(&key));
		return LOOK_FAILED;
	}
	*ret_object = &entry->object;
	return LOOKED;
}

/* The newest of the older versions, but for the one that is named. */
static void find_newest(struct change *c)
{
	struct look *look = c->look;
	const struct store_version *which = &c->mutation.version;
	for (size_t i = 0; i < look->older_count; i++) {
		const struct store_object *object = &look->older[i].object;
		if (which->is_null ? object->is_null
				   : which->number && object->version == which->number)
			continue;
		look->newest = look->older[i];
		look->view.newest = &look->newest.object;
		return;
	}
}

static bool add_parts(struct change *c, const struct rows *rows)
{
	struct look *look = c->look;
	struct row_name name;
	size_t count = look->part_count + rows->count;
	struct held_part *parts = reallocarray(look->parts, count + 1, sizeof(*parts));
	if (!parts) {
		c->err = ERR_UNAVAILABLE;
		return false;
	}
	look->parts = parts;
	for (size_t i = 0; i < rows->count; i++) {
		struct part_entry entry;
		if (!row_key_parse(rows->rows[i].key, &name) ||
			!part_parse(rows->rows[i].value, &entry)) {
			c->err = look_damaged(c->bucket_id, rows->rows[i].key);
			return false;
		}
		entry.part.number = name.part;
		parts[look->part_count++] = (struct held_part){entry.part, entry.data};
	}
	return true;
}

/* All parts, in pages; they stand still as long as the upload's row does. */
static enum looked fetch_parts(struct change *c)
{
	struct look *look = c->look;
	struct row_key prefix = row_key_parts(c->key, c->upload);
	struct row_key after = prefix;
	bool more = true;
	while (more) {
		struct fetch *fetch = fetch_guards(c);
		if (!fetch) {
			c->err = ERR_UNAVAILABLE;
			return LOOK_FAILED;
		}
		size_t number = fetch_range(fetch, after.bytes, prefix.bytes, FETCH_ROWS_MAX);
		enum looked looked = run(c, fetch);
		const struct rows *rows = looked == LOOKED ? fetch_rows(fetch, number) : NULL;
		if (rows && !add_parts(c, rows))
			looked = LOOK_FAILED;
		more = looked == LOOKED && rows->more && rows->count > 0;
		if (more)
			after = row_key_part(
				c->key, c->upload, look->parts[look->part_count - 1].part.number);
		fetch_free(fetch);
		if (looked != LOOKED)
			return looked;
	}
	look->view_parts = reallocarray(NULL, look->part_count + 1, sizeof(*look->view_parts));
	if (!look->view_parts) {
		c->err = ERR_UNAVAILABLE;
		return LOOK_FAILED;
	}
	for (size_t i = 0; i < look->part_count; i++)
		look->view_parts[i] = look->parts[i].part;
	look->view.parts = look->view_parts;
	look->view.part_count = look->part_count;
	return LOOKED;
}

enum looked look_for(struct change *c, unsigned rows)
{
	struct look *look = c->look;
	enum looked looked = LOOKED;
	look->view.known |= rows;
	if (rows & RULES_NULL)
		looked = fetch_version(c, look->hidden.null, &look->null, &look->view.null);
	if (looked == LOOKED && rows & RULES_NAMED)
		looked = fetch_version(
			c, c->mutation.version.number, &look->named, &look->view.named);
	if (rows & RULES_NEWEST)
		find_newest(c);
	if (looked == LOOKED && rows & RULES_PARTS)
		looked = fetch_parts(c);
	return looked;
}

static enum looked fetch_extents(
	struct change *c, enum rules_fate fate, const struct entry *entry, struct extents *ret)
{
	struct slice value;
	if ((fate != RULES_GOES && fate != RULES_GROWS) || entry->place != ENTRY_EXTENTS)
		return LOOKED;
	struct row_key key = row_key_version(ROW_EXTENTS, c->key, entry->object.version);
	enum looked looked = fetch_row(c, &key, &value);
	if (looked == LOOKED && !extents_parse(value, ret)) {
		c->err = look_damaged(c->bucket_id, row_key_slice(&key));
		return LOOK_FAILED;
	}
	return looked;
}

enum looked look_for_extents(struct change *c)
{
	struct look *look = c->look;
	const struct rules_effects *effects = &c->effects;
	enum looked looked =
		fetch_extents(c, effects->current, &look->current, &look->current_extents);
	if (looked == LOOKED)
		looked = fetch_extents(c, effects->null, &look->null, &look->null_extents);
	if (looked == LOOKED)
		looked = fetch_extents(c, effects->named, &look->named, &look->named_extents);
	return looked;
}

bool look_takes_extent(const struct change *c)
{
	const struct look *look = c->look;
	return c->mutation.kind != RULES_APPEND || !c->effects.current ||
	       look->current.place != ENTRY_EXTENTS ||
	       look->current_extents.bytes.len + EXTENT_BYTES <= LIMIT_RADOS_EXTENTS_BYTES;
}

/* ---- The end --------------------------------------------------------------------------------- */

void look_compare(const struct change *c, struct edit *edit)
{
	const struct look *look = c->look;
	bool is_about_upload =
		c->mutation.kind == RULES_UPLOAD_PART || c->mutation.kind == RULES_UPLOAD_ABORT;
	if (c->mutation.kind == RULES_UPLOAD_BEGIN) {
		/* Of another gateway with the same number, in the same millisecond. */
		struct row_key none = row_key_upload(c->key, c->effects.object.version);
		edit_compare(edit, row_key_slice(&none), S(""));
		return;
	}
	if (has_upload(c))
		edit_compare(edit, look->guard_names[GUARD_UPLOAD], look->guards[GUARD_UPLOAD]);
	if (is_about_upload)
		return;
	edit_compare(edit, look->guard_names[GUARD_CURRENT], look->guards[GUARD_CURRENT]);
	if (look->view.versioning != STORE_UNVERSIONED)
		edit_compare(edit, look->guard_names[GUARD_HIDDEN], look->guards[GUARD_HIDDEN]);
}

void look_free(struct change *c)
{
	struct look *look = TAKE(c->look);
	if (!look)
		return;
	for (size_t i = 0; i < look->fetch_count; i++)
		fetch_free(look->fetches[i]);
	free(look->parts);
	free(look->view_parts);
	strbuf_release(&look->extents);
	free(look);
}
