/* SPDX-License-Identifier: Apache-2.0 */
/* Whether the rows of a key agree with each other, and the bytes with them. */
#include <stdio.h>
#include <stdlib.h>

#include "crypto/crc64.h"
#include "store/rados/fsck/survey.h"

enum {
	EXTENT_VALUE_BYTES = 16
};

void key_check_free(struct key_check *c)
{
	free(TAKE(c->faults));
	c->fault_count = 0;
}

static void add_fault(struct key_check *c, enum cure cure, enum kind kind, size_t index,
	const char *what, const char *object)
{
	struct fault *faults = reallocarray(c->faults, c->fault_count + 1, sizeof(*faults));
	if (!faults) {
		survey_fail(c->f, ERR_UNAVAILABLE);
		return;
	}
	c->faults = faults;
	struct fault *fault = &faults[c->fault_count++];
	*fault = (struct fault){.what = what, .cure = cure, .kind = kind, .index = index};
	(void)snprintf(fault->object, sizeof(fault->object), "%s", object);
}

/* ---- References ------------------------------------------------------------------------------ */

static void add_reference(struct survey *f, enum reference_kind kind, const struct place *place,
	struct slice row, struct extent extent)
{
	const struct reference reference = {.kind = kind,
		.data = extent.data,
		.is_small = !f->is_one_pool && rados_pool_of(f->r, extent.size) == f->r->small,
		.chunks = (extent.size - 1) / f->r->sizes.chunk_bytes + 1,
		.bucket = place->bucket ? place->bucket->id : 0,
		.tablet = place->tablet,
		.row = row};
	references_add(f->refs, &reference);
}

bool row_refers(struct survey *f, enum reference_kind kind, const struct place *place,
	struct slice row, char letter, struct slice value)
{
	struct entry entry;
	struct part_entry part;
	struct extents extents = {.count = 0};
	switch (letter) {
	case ROW_OBJECT:
	case ROW_VERSION:
		if (!entry_read(value, &entry))
			return false;
		if (entry.data)
			add_reference(f, kind, place, row,
				(struct extent){entry.data, entry.object.size});
		return true;
	case ROW_PART:
		if (!part_parse(value, &part))
			return false;
		if (part.data)
			add_reference(
				f, kind, place, row, (struct extent){part.data, part.part.size});
		return true;
	case ROW_EXTENTS:
	case ROW_GARBAGE:
		if (!extents_parse(value, &extents))
			return false;
		for (size_t i = 0; i < extents.count; i++)
			add_reference(f, kind, place, row, extents_at(&extents, i));
		return true;
	default:
		return true;
	}
}

/* ---- Bytes ----------------------------------------------------------------------------------- */

static void note_bytes(struct key_check *c, uint64_t size)
{
	if (c->is_first)
		c->f->result->tally.bytes += size;
}

static void check_data(struct key_check *c, enum cure cure, enum kind kind, size_t index,
	const struct extents *extents, uint64_t crc64)
{
	const char *what;
	char object[SURVEY_OBJECT_BYTES];
	if (!bytes_are_whole(c->f, extents, crc64, &what, object))
		add_fault(c, cure, kind, index, what, object);
}

static void check_one(struct key_check *c, enum cure cure, enum kind kind, size_t index,
	uint64_t data, uint64_t size, uint64_t crc64)
{
	struct extents extents;
	SCOPED_STRBUF(one, EXTENT_VALUE_BYTES);
	extents_add(&one, (struct extent){data, size});
	if (extents_parse(strbuf_slice(&one), &extents))
		check_data(c, cure, kind, index, &extents, crc64);
}

static void check_inline(struct key_check *c, const struct group *g, enum kind kind, size_t index,
	const struct entry *entry)
{
	struct row_key key = row_key_version(ROW_BYTES, g->key, entry->object.version);
	struct slice bytes = fetched_value(&g->kinds[KIND_BYTES], row_key_slice(&key));
	if (bytes.len == 0)
		add_fault(c, CURE_VERSION, kind, index, "its bytes are missing", "");
	else if (bytes.len != entry->object.size)
		add_fault(c, CURE_VERSION, kind, index, "its bytes are not as many as it says", "");
	else if (crc64_update(0, bytes) != entry->object.crc64)
		add_fault(c, CURE_VERSION, kind, index, "its bytes do not have their CRC-64", "");
	(void)survey_progress(c->f, bytes.len);
}

static void check_extents(struct key_check *c, const struct group *g, enum kind kind, size_t index,
	const struct entry *entry)
{
	struct row_key key = row_key_version(ROW_EXTENTS, g->key, entry->object.version);
	struct slice value = fetched_value(&g->kinds[KIND_EXTENTS], row_key_slice(&key));
	struct extents extents;
	uint64_t size = 0;
	if (value.len == 0 || !extents_parse(value, &extents)) {
		add_fault(c, CURE_VERSION, kind, index,
			value.len ? "the list of its data does not parse"
				  : "the list of its data is missing",
			"");
		return;
	}
	for (size_t i = 0; i < extents.count; i++)
		size += extents_at(&extents, i).size;
	if (size != entry->object.size)
		add_fault(c, CURE_VERSION, kind, index, "its data is not as much as it says it has",
			"");
	else
		check_data(c, CURE_VERSION, kind, index, &extents, entry->object.crc64);
}

static void check_bytes(struct key_check *c, const struct group *g, enum kind kind, size_t index,
	const struct entry *entry)
{
	switch (entry->place) {
	case ENTRY_NOWHERE:
	case ENTRY_PLACES:
		break;
	case ENTRY_INLINE:
		check_inline(c, g, kind, index, entry);
		break;
	case ENTRY_DATA:
		check_one(c, CURE_VERSION, kind, index, entry->data, entry->object.size,
			entry->object.crc64);
		break;
	case ENTRY_EXTENTS:
		check_extents(c, g, kind, index, entry);
		break;
	}
	note_bytes(c, entry->object.size);
}

/* ---- Versions -------------------------------------------------------------------------------- */

/* What is known of a key's versions. */
struct versions {
	bool has_current; /* its row is there, and parses */
	bool all_parse;
	struct entry current;
	struct entry newest; /* of the older ones, if there are some */
	uint64_t null;       /* among them */
};

static void check_current(struct key_check *c, const struct group *g, struct versions *v)
{
	const struct rows *rows = &g->kinds[KIND_OBJECT];
	if (rows->count == 0)
		return;
	v->has_current = entry_read(rows->rows[0].value, &v->current);
	if (c->counts)
		c->counts->objects++;
	if (c->is_first)
		c->f->result->tally.objects++;
	if (!v->has_current) {
		v->all_parse = false;
		add_fault(c, CURE_VERSION, KIND_OBJECT, 0, "its row does not parse", "");
		return;
	}
	if (c->counts)
		c->counts->bytes += v->current.object.size;
	if (v->current.object.is_marker)
		add_fault(c, CURE_VERSION, KIND_OBJECT, 0, "a marker is the current object", "");
	check_bytes(c, g, KIND_OBJECT, 0, &v->current);
}

static void check_older(struct key_check *c, const struct group *g, struct versions *v)
{
	const struct rows *rows = &g->kinds[KIND_VERSION];
	for (size_t i = 0; i < rows->count; i++) {
		struct entry entry;
		struct row_name name;
		if (c->counts)
			c->counts->old_versions++;
		if (c->is_first)
			c->f->result->tally.versions++;
		if (!row_key_parse(rows->rows[i].key, &name) ||
			!entry_read(rows->rows[i].value, &entry) ||
			entry.object.version != name.number) {
			v->all_parse = false;
			add_fault(c, CURE_VERSION, KIND_VERSION, i, "its row does not parse", "");
			continue;
		}
		if (c->counts)
			c->counts->old_bytes += entry.object.size;
		if (i == 0)
			v->newest = entry;
		if (entry.object.is_null && v->null)
			add_fault(c, CURE_NONE, KIND_VERSION, i, "two versions are \"null\"", "");
		if (entry.object.is_null)
			v->null = entry.object.version;
		check_bytes(c, g, KIND_VERSION, i, &entry);
	}
}

static bool hidden_fits(const struct hidden *hidden, const struct versions *v)
{
	const struct store_object *newest = &v->newest.object;
	return hidden->newest == newest->version && hidden->newest_ms == newest->modified_ms &&
	       hidden->newest_is_marker == newest->is_marker &&
	       hidden->newest_is_null == newest->is_null && hidden->null == v->null;
}

static void check_hidden(struct key_check *c, const struct group *g, const struct versions *v)
{
	const struct rows *rows = &g->kinds[KIND_HIDDEN];
	bool has_older = g->kinds[KIND_VERSION].count > 0;
	struct hidden hidden;
	const char *what = NULL;
	if (has_older && rows->count == 0)
		what = "what says which are its older versions is missing";
	else if (rows->count && !hidden_parse(rows->rows[0].value, &hidden))
		what = "what says which are its older versions does not parse";
	else if (rows->count && (!has_older || (v->all_parse && !hidden_fits(&hidden, v))))
		what = "its older versions are not those that it is said to have";
	if (what)
		add_fault(c, CURE_HIDDEN, KIND_HIDDEN, 0, what, "");
	if (!has_older || !v->all_parse)
		return;
	if (!v->has_current && !v->newest.object.is_marker)
		add_fault(c, CURE_MARKER, KIND_HIDDEN, 0, "the current version is missing", "");
	if (v->has_current && v->current.object.version <= v->newest.object.version)
		add_fault(c, CURE_NONE, KIND_OBJECT, 0, "an older version is newer than it", "");
	if (v->has_current && v->current.object.is_null && v->null)
		add_fault(c, CURE_NONE, KIND_OBJECT, 0, "two versions are \"null\"", "");
}

/* Whether that version has bytes at that place. */
static bool has_owner(
	const struct group *g, const struct versions *v, uint64_t version, enum entry_place place)
{
	struct entry entry;
	if (v->has_current && v->current.object.version == version)
		return v->current.place == place;
	struct row_key key = row_key_version(ROW_VERSION, g->key, version);
	struct slice value = fetched_value(&g->kinds[KIND_VERSION], row_key_slice(&key));
	return value.len && entry_read(value, &entry) && entry.place == place;
}

static void check_owners(struct key_check *c, const struct group *g, const struct versions *v)
{
	static const struct {
		enum kind kind;
		enum entry_place place;
		const char *what;
	} owned[] = {
		{KIND_BYTES, ENTRY_INLINE, "bytes of a version that is not there"},
		{KIND_EXTENTS, ENTRY_EXTENTS, "a list of data of a version that is not there"},
	};
	for (size_t i = 0; i < ARRAY_LEN(owned) && v->all_parse; i++) {
		const struct rows *rows = &g->kinds[owned[i].kind];
		struct row_name name;
		for (size_t j = 0; j < rows->count; j++)
			if (!row_key_parse(rows->rows[j].key, &name) ||
				!has_owner(g, v, name.number, owned[i].place))
				add_fault(c, CURE_ROW, owned[i].kind, j, owned[i].what, "");
	}
}

/* ---- Uploads --------------------------------------------------------------------------------- */

static void check_uploads(struct key_check *c, const struct group *g)
{
	const struct rows *rows = &g->kinds[KIND_UPLOAD];
	for (size_t i = 0; i < rows->count; i++) {
		struct entry entry;
		struct row_name name;
		if (c->counts)
			c->counts->uploads++;
		if (c->is_first)
			c->f->result->tally.uploads++;
		if (!row_key_parse(rows->rows[i].key, &name) ||
			!entry_read(rows->rows[i].value, &entry) ||
			entry.object.version != name.number || entry.place != ENTRY_NOWHERE)
			add_fault(c, CURE_UPLOAD, KIND_UPLOAD, i,
				"the row of an upload does not parse", "");
	}
}

static void check_parts(struct key_check *c, const struct group *g)
{
	const struct rows *rows = &g->kinds[KIND_PART];
	for (size_t i = 0; i < rows->count; i++) {
		struct part_entry part;
		struct row_name name;
		if (c->is_first)
			c->f->result->tally.parts++;
		if (!row_key_parse(rows->rows[i].key, &name) ||
			!part_parse(rows->rows[i].value, &part)) {
			add_fault(c, CURE_UPLOAD, KIND_PART, i, "the row of a part does not parse",
				"");
			continue;
		}
		if (c->counts)
			c->counts->part_bytes += part.part.size;
		struct row_key upload = row_key_upload(g->key, name.number);
		if (fetched_value(&g->kinds[KIND_UPLOAD], row_key_slice(&upload)).len == 0)
			add_fault(c, CURE_ROW, KIND_PART, i, "a part of no upload", "");
		if (part.data)
			check_one(c, CURE_UPLOAD, KIND_PART, i, part.data, part.part.size,
				part.part.crc64);
		note_bytes(c, part.part.size);
	}
}

/* ---------------------------------------------------------------------------------------------- */

static void note_references(struct key_check *c, const struct group *g)
{
	static const enum kind kinds[] = {KIND_OBJECT, KIND_VERSION, KIND_EXTENTS, KIND_PART};
	for (size_t i = 0; i < ARRAY_LEN(kinds); i++) {
		const struct rows *rows = &g->kinds[kinds[i]];
		/* What does not parse is told of its row. */
		for (size_t j = 0; j < rows->count; j++)
			(void)row_refers(c->f, REFERENCE_ROW, c->place, rows->rows[j].key,
				kind_letters[kinds[i]], rows->rows[j].value);
	}
}

void key_check(struct key_check *c, const struct group *g)
{
	struct versions v = {.all_parse = true};
	if (c->is_first)
		note_references(c, g);
	check_current(c, g, &v);
	check_older(c, g, &v);
	check_hidden(c, g, &v);
	check_owners(c, g, &v);
	check_uploads(c, g);
	check_parts(c, g);
}
