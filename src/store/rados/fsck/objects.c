/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The objects of RADOS against what rows refer to. They are listed before the rows are read: so
 * whatever has no reference then was gone by then, was being written, or is looked at again. First
 * what gateways may be writing is read, then the rows of the key that the data was for, then all
 * garbage, and last whether it is still there. Data that has lost its reference never gets another:
 * so what is found in none of these belongs to nothing.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "store/rados/documents/pool_documents.h"
#include "store/rados/documents/pool_marks.h"
#include "store/rados/fsck/survey.h"

enum {
	HEX_DIGITS = 16,
	CHUNK_DIGITS = 8,
};

/* ---- Names ----------------------------------------------------------------------------------- */

/* Takes so many lower-case hexadecimal digits. */
static bool take_hex(const char **text, size_t digits, uint64_t *ret)
{
	*ret = 0;
	for (size_t i = 0; i < digits; i++) {
		char c = (*text)[i];
		bool is_letter = c >= 'a' && c <= 'f';
		if (!is_letter && !ascii_digit(c))
			return false;
		*ret = *ret << 4 | (uint64_t)(is_letter ? c - 'a' + 10 : c - '0');
	}
	*text += digits;
	return true;
}

static bool take_char(const char **text, char c)
{
	return *(*text)++ == c;
}

static bool parse_chunk(const char *name, uint64_t *ret_data, uint64_t *ret_chunk)
{
	return take_hex(&name, HEX_DIGITS, ret_data) && take_char(&name, '.') &&
	       take_hex(&name, CHUNK_DIGITS, ret_chunk) && *name == '\0';
}

static bool parse_tablet(const char *name, uint64_t *ret_bucket, uint64_t *ret_tablet)
{
	return take_char(&name, 't') && take_char(&name, '.') &&
	       take_hex(&name, HEX_DIGITS, ret_bucket) && take_char(&name, '.') &&
	       take_hex(&name, HEX_DIGITS, ret_tablet) && *name == '\0';
}

/* ---- Listing --------------------------------------------------------------------------------- */

struct listing {
	struct survey *f;
	struct pool *pool;
};

static void note_aside(struct survey *f, const char *name);

static bool is_known_object(const char *name)
{
	static const char *const names[] = {RADOS_BUCKETS, "gateways", RADOS_DOCUMENTS, POOL_ROOM};
	static const char *const prefixes[] = {RADOS_MARKS, "callbacks."};
	for (size_t i = 0; i < ARRAY_LEN(names); i++)
		if (strcmp(name, names[i]) == 0)
			return true;
	for (size_t i = 0; i < ARRAY_LEN(prefixes); i++)
		if (slice_starts(slice_str(name), slice_str(prefixes[i])))
			return true;
	return false;
}

static void tell_stranger(struct listing *listing, const char *name)
{
	char object[SURVEY_OBJECT_BYTES];
	survey_tell(listing->f, FATE_HARMLESS, NULL,
		survey_object(listing->f, listing->pool, name, object),
		"an object that is none of the store's");
}

static bool take_object(const char *name, void *ctx)
{
	struct listing *listing = ctx;
	struct survey *f = listing->f;
	uint64_t one;
	uint64_t other;
	bool is_index = listing->pool == f->r->index;
	if (is_index && parse_tablet(name, &one, &other)) {
		references_add_tablet(f->refs, one, other, false);
	} else if (!is_index && parse_chunk(name, &one, &other)) {
		const struct data_object object = {
			.is_small = !f->is_one_pool && listing->pool == f->r->small,
			.data = one,
			.chunk = other};
		references_add_object(f->refs, &object);
		f->result->data++;
	} else if (is_index && slice_starts(slice_str(name), S(SURVEY_ASIDE))) {
		note_aside(f, name);
	} else if (!is_index || !is_known_object(name)) {
		tell_stranger(listing, name);
	}
	return survey_progress(f, 0);
}

void objects_list(struct survey *f)
{
	/* First the data: what is listed before the tablets are is named by them, or was. */
	struct pool *const pools[] = {f->r->data, f->r->small, f->r->index};
	references_begin(f->refs);
	for (size_t i = 0; i < ARRAY_LEN(pools) && f->err == ERR_OK; i++) {
		struct listing listing = {f, pools[i]};
		if (f->is_one_pool && pools[i] == f->r->small)
			continue;
		int result = pool_list(pools[i], take_object, &listing);
		survey_fail_ceph(f, result, "the pools");
	}
	references_keep(f->refs);
}

/* ---- What was moved aside -------------------------------------------------------------------- */

/* Rows of such an object: the tablet's name, a space, and the row's key (mend.c). */
static void note_aside_rows(struct survey *f, const struct rows *rows)
{
	static const struct place nowhere = {.bucket = NULL};
	for (size_t i = 0; i < rows->count; i++) {
		const char *at = memchr(rows->rows[i].key.ptr, ' ', rows->rows[i].key.len);
		struct slice row =
			at ? slice_from(rows->rows[i].key, (size_t)(at + 1 - rows->rows[i].key.ptr))
			   : S("");
		if (row.len)
			(void)row_refers(
				f, REFERENCE_OTHER, &nowhere, row, row.ptr[0], rows->rows[i].value);
	}
}

static void note_aside(struct survey *f, const char *name)
{
	SCOPED_STRBUF(after, 2 * ROW_KEY_BYTES_MAX);
	bool more = true;
	while (more && f->err == ERR_OK) {
		struct fetch *fetch = fetch_new();
		if (!fetch) {
			survey_fail(f, ERR_UNAVAILABLE);
			return;
		}
		size_t number = fetch_range(fetch, after.ptr, "", FETCH_ROWS_MAX);
		int result = fetch_run(fetch, f->r->index, name);
		const struct rows *rows = result == 0 ? fetch_rows(fetch, number) : NULL;
		if (!rows && result != -ENOENT)
			survey_fail_ceph(f, result, name);
		if (rows)
			note_aside_rows(f, rows);
		more = rows && rows->more && rows->count;
		if (more) {
			strbuf_clear(&after);
			strbuf_add_slice(&after, rows->rows[rows->count - 1].key);
			more = !strbuf_broken(&after);
		}
		fetch_free(fetch);
	}
}

/* ---- What nothing refers to ------------------------------------------------------------------ */

struct looking {
	struct survey *f;
	struct gateway_list gateways;
	bool all_may_be_written; /* the rows of gateways do not parse */
};

static bool may_be_written(const struct looking *l, uint64_t data)
{
	if (l->all_may_be_written)
		return true;
	for (size_t i = 0; i < l->gateways.count; i++) {
		const struct gateway_row *row = &l->gateways.list[i].row;
		if (data >= row->low && data < row->end)
			return true;
		for (size_t j = 0; j < row->open_count; j++)
			if (row->open[j] == data)
				return true;
	}
	return false;
}

static void note_other(struct survey *f, const struct data_object *object)
{
	references_add(f->refs, &(struct reference){.kind = REFERENCE_OTHER,
					.data = object->data,
					.is_small = object->is_small});
}

static bool names_data(char letter, struct slice value, uint64_t data)
{
	struct entry entry;
	struct part_entry part;
	struct extents extents;
	if (letter == ROW_OBJECT || letter == ROW_VERSION)
		return entry_read(value, &entry) && entry.data == data;
	if (letter == ROW_PART)
		return part_parse(value, &part) && part.data == data;
	if (letter != ROW_EXTENTS || !extents_parse(value, &extents))
		return false;
	for (size_t i = 0; i < extents.count; i++)
		if (extents_at(&extents, i).data == data)
			return true;
	return false;
}

/* Whether a row of the key that the data was for refers to it now; then that is noted. */
static void look_for_owner(struct survey *f, const struct data_object *object)
{
	char name[RADOS_NAME_BYTES];
	char of[DATA_OWNER_BYTES_MAX];
	struct data_owner owner;
	struct gathered g;
	int result = pool_owner(object->is_small ? f->r->small : f->r->data,
		rados_chunk_name(name, object->data, 0), of, sizeof(of));
	if (result < 0 || !data_owner_parse(slice_of(of, (size_t)result), &owner))
		return;
	const struct known_bucket bucket = {.name = NULL, .id = owner.bucket};
	struct place place = place_of(&bucket, 0);
	if (place_find(f, owner.key, &place) < 0)
		return;
	enum gathering gathering = gather(f, &place, owner.key, &g);
	if (gathering == GATHERED)
		for (enum kind kind = 0; kind < KINDS; kind++)
			for (size_t i = 0; i < g.group.kinds[kind].count; i++) {
				const struct row *row = &g.group.kinds[kind].rows[i];
				if (names_data(kind_letters[kind], row->value, object->data))
					(void)row_refers(f, REFERENCE_OTHER, &g.place, row->key,
						kind_letters[kind], row->value);
			}
	if (gathering == GATHER_MOVING)
		note_other(f, object);
	gathered_free(&g);
}

static bool look_again(const struct data_object *object, void *ctx)
{
	struct looking *l = ctx;
	if (may_be_written(l, object->data)) {
		note_other(l->f, object);
		l->f->result->under_way++;
	} else {
		look_for_owner(l->f, object);
	}
	return l->f->err == ERR_OK;
}

static bool tell_orphan(const struct data_object *object, void *ctx)
{
	struct survey *f = ctx;
	struct pool *pool = object->is_small ? f->r->small : f->r->data;
	char name[RADOS_NAME_BYTES];
	char where[SURVEY_OBJECT_BYTES];
	char byte;
	struct pool_run run = {.bytes = &byte, .len = 1};
	rados_chunk_name(name, object->data, object->chunk);
	int result = pool_read(pool, name, &run, 1);
	if (result >= 0)
		survey_tell(f, FATE_HARMLESS, NULL, survey_object(f, pool, name, where),
			"nothing refers to it");
	else if (result != -ENOENT)
		survey_fail_ceph(f, result, name);
	return f->err == ERR_OK;
}

static void check_orphans(struct survey *f)
{
	struct looking l = {.f = f};
	int result = gateways_read(f->r, &l.gateways);
	l.all_may_be_written = result == -EBADMSG;
	if (l.all_may_be_written)
		survey_tell(
			f, FATE_STAYS, NULL, "index/gateways", "one of its rows does not parse");
	else if (result != -ENOENT)
		survey_fail_ceph(f, result, "gateways");
	if (f->err == ERR_OK)
		references_each_orphan(f->refs, look_again, &l);
	gateway_list_free(&l.gateways);
	if (f->err == ERR_OK)
		chain_garbage(f);
	if (f->err == ERR_OK)
		references_each_orphan(f->refs, tell_orphan, f);
}

/* ---- What has two references ----------------------------------------------------------------- */

/* Whether the row, wherever it is now, still names the data. */
static bool still_names(struct survey *f, const struct reference *reference, struct place *place)
{
	struct row_name name;
	char letter = reference->row.len ? reference->row.ptr[0] : '\0';
	bool names = false;
	if (!row_key_parse(reference->row, &name) || place_find(f, row_name_key(&name), place) < 0)
		return false;
	struct fetch *fetch = fetch_new();
	if (!fetch) {
		survey_fail(f, ERR_UNAVAILABLE);
		return false;
	}
	size_t number = fetch_keys(fetch, &reference->row, 1);
	if (fetch_run(fetch, f->r->index, place->name) == 0)
		names = names_data(letter, fetched_value(fetch_rows(fetch, number), reference->row),
			reference->data);
	fetch_free(fetch);
	return names;
}

/*
 * What garbage names was read before the row is read here: so if the row still has it, both have.
 * Two rows have it in any case, for it goes from none to another.
 */
static bool tell_double(const struct reference *reference, bool is_garbage, void *ctx)
{
	struct survey *f = ctx;
	const struct known_bucket *bucket = known_bucket_find(&f->buckets, reference->bucket);
	const struct known_bucket unknown = {.name = NULL, .id = reference->bucket};
	struct place place = place_of(bucket ? bucket : &unknown, reference->tablet);
	struct row_name name;
	char object[SURVEY_OBJECT_BYTES];
	char what[96];
	if (!row_key_parse(reference->row, &name) || !still_names(f, reference, &place))
		return f->err == ERR_OK;
	bool is_version =
		reference->row.ptr[0] == ROW_VERSION || reference->row.ptr[0] == ROW_EXTENTS;
	const struct store_object version = {.version = name.number};
	const struct subject about = {.bucket = bucket,
		.key = row_name_key(&name),
		.version = is_version ? &version : NULL,
		.part = name.part,
		.row = reference->row};
	(void)snprintf(what, sizeof(what), "its data %016llx is also %s",
		(unsigned long long)reference->data,
		is_garbage ? "garbage, and will be removed" : "another one's");
	survey_tell(f, FATE_STAYS, &about, survey_object(f, f->r->index, place.name, object), what);
	return f->err == ERR_OK;
}

void objects_check(struct survey *f)
{
	references_sort(f->refs);
	references_each_double(f->refs, tell_double, f);
	if (f->err == ERR_OK)
		chain_orphans(f);
	if (f->err == ERR_OK)
		check_orphans(f);
	f->result->garbage = references_count(f->refs, REFERENCE_GARBAGE);
}
