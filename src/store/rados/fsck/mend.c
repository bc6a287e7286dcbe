/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Moving aside what is damaged. First its rows go into an object of their own, then one operation
 * takes them out of the tablet, if they are still the same, and changes the epoch. So nothing is
 * lost that was not lost before, wherever it is broken off, and data that they name stays.
 *
 * Nothing older takes the place of what was lost: where versions are kept a marker does.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "store/rados/fsck/survey.h"

enum {
	ATTEMPTS_MAX = 100,
	PAUSE_US = 10000,
	EPOCH_VALUE_BYTES = 16,
	ASIDE_KEY_BYTES_MAX = RADOS_NAME_BYTES + ROW_KEY_BYTES_MAX + 1,
};

/* ---- An operation on a tablet ---------------------------------------------------------------- */

/* The tablet takes changes, and its epoch is the one that was read. */
struct surgery {
	struct survey *f;
	const struct place *place;
	struct fetch *fetch; /* which these are in */
	struct slice epoch;
	struct slice sum_value;
	struct own sum;
	struct edit edit;
};

static enum mended result_of(struct surgery *s, int result)
{
	if (result == 0)
		return MENDED;
	if (result == -ECANCELED || result == -ENOENT)
		return MEND_AGAIN;
	survey_fail(s->f, cluster_err(result, "changing", s->place->name));
	return MEND_CANNOT;
}

/* On MENDED the edit is begun. `epoch` is that which it must have; empty: any. */
static enum mended surgery_begin(
	struct surgery *s, struct survey *f, const struct place *place, struct slice wanted)
{
	struct row_key sum = row_key_number(ROW_OWN, OWN_SUM);
	const struct slice keys[] = {S(ROW_EPOCH), S(ROW_HEAD), row_key_slice(&sum)};
	struct epoch epoch;
	struct head head;
	SCOPED_STRBUF(next, EPOCH_VALUE_BYTES);
	*s = (struct surgery){.f = f, .place = place};
	/* Otherwise what looks lost may be garbage that has gone. */
	if (!survey_lives(f))
		return MEND_CANNOT;
	s->fetch = fetch_new();
	if (!s->fetch) {
		survey_fail(f, ERR_UNAVAILABLE);
		return MEND_CANNOT;
	}
	size_t number = fetch_keys(s->fetch, keys, ARRAY_LEN(keys));
	int result = fetch_run(s->fetch, f->r->index, place->name);
	if (result < 0)
		return result_of(s, result);
	const struct rows *rows = fetch_rows(s->fetch, number);
	s->epoch = fetched_value(rows, keys[0]);
	s->sum_value = fetched_value(rows, keys[2]);
	if (!epoch_parse(s->epoch, &epoch) || !head_parse(fetched_value(rows, keys[1]), &head) ||
		(s->sum_value.len && !own_parse(s->sum_value, &s->sum)))
		return MEND_CANNOT;
	/* Somebody splits or merges it, or is about to delete its bucket. */
	if (head.state != HEAD_ACTIVE) {
		(void)usleep(PAUSE_US);
		return MEND_AGAIN;
	}
	if (wanted.len && !slice_eq(wanted, s->epoch))
		return MEND_AGAIN;
	epoch.epoch++;
	epoch_format(&epoch, &next);
	s->edit = edit_begin(f->r->index);
	edit_compare(&s->edit, keys[0], s->epoch);
	edit_set(&s->edit, keys[0], strbuf_slice(&next));
	return MENDED;
}

/* Does it, with the counts of nobody changed by so much. */
static enum mended surgery_end(struct surgery *s, const struct store_bucket_stats *more)
{
	struct row_key key = row_key_number(ROW_OWN, OWN_SUM);
	struct store_bucket_stats *counts = &s->sum.counts;
	SCOPED_STRBUF(value, OWN_BYTES_MAX);
	counts->objects += more->objects;
	counts->bytes += more->bytes;
	counts->old_versions += more->old_versions;
	counts->old_bytes += more->old_bytes;
	counts->uploads += more->uploads;
	counts->part_bytes += more->part_bytes;
	own_format(&s->sum, &value);
	if (strbuf_broken(&value)) {
		edit_drop(&s->edit);
		survey_fail(s->f, ERR_UNAVAILABLE);
		return MEND_CANNOT;
	}
	edit_compare(&s->edit, row_key_slice(&key), s->sum_value);
	edit_set(&s->edit, row_key_slice(&key), strbuf_slice(&value));
	return result_of(s, edit_run(&s->edit, s->place->name));
}

/* Keeps a row where nothing looks for it. */
static bool set_aside(struct survey *f, const struct place *place, const struct row *row)
{
	SCOPED_STRBUF(key, ASIDE_KEY_BYTES_MAX);
	strbuf_addf(&key, "%s ", place->name);
	strbuf_add_slice(&key, row->key);
	if (strbuf_broken(&key)) {
		survey_fail(f, ERR_UNAVAILABLE);
		return false;
	}
	(void)snprintf(f->result->aside, sizeof(f->result->aside), SURVEY_ASIDE "%06" PRIx64,
		f->r->instance);
	struct edit edit = edit_begin(f->r->index);
	edit_ensure(&edit);
	edit_set(&edit, strbuf_slice(&key), row->value);
	enum err e = cluster_err(edit_run(&edit, f->result->aside), "changing", f->result->aside);
	if (e != ERR_OK)
		survey_fail(f, e);
	return e == ERR_OK;
}

/* ---- Rows and counts ------------------------------------------------------------------------- */

enum mended mend_row(
	struct survey *f, const struct place *place, struct slice row, struct slice value)
{
	static const struct store_bucket_stats none = {.objects = 0};
	enum mended mended = MEND_AGAIN;
	if (!set_aside(f, place, &(struct row){row, value}))
		return MEND_CANNOT;
	for (unsigned i = 0; mended == MEND_AGAIN && i < ATTEMPTS_MAX; i++) {
		struct surgery s;
		mended = surgery_begin(&s, f, place, S(""));
		if (mended == MENDED) {
			edit_compare(&s.edit, row, value);
			edit_remove(&s.edit, row);
			mended = surgery_end(&s, &none);
		}
		fetch_free(s.fetch);
	}
	return mended;
}

/*
 * What is missing was counted at one moment. Every change since has changed rows and counts alike,
 * so it is missing still.
 */
enum mended mend_counts(
	struct survey *f, const struct place *place, const struct store_bucket_stats *missing)
{
	enum mended mended = MEND_AGAIN;
	for (unsigned i = 0; mended == MEND_AGAIN && i < ATTEMPTS_MAX; i++) {
		struct surgery s;
		mended = surgery_begin(&s, f, place, S(""));
		if (mended == MENDED)
			mended = surgery_end(&s, missing);
		fetch_free(s.fetch);
	}
	return mended;
}

/* ---- A key ----------------------------------------------------------------------------------- */

/* What becomes of the rows of a key. */
struct plan {
	const struct gathered *g;
	bool *goes[KINDS]; /* for each row */
	bool versions_change;
	bool has_current; /* one that stays */
	struct entry current;
	bool has_older;      /* some that stay */
	struct entry newest; /* of them */
	uint64_t null;
	uint64_t greatest; /* version that is known */
	bool wants_marker;
	struct store_bucket_stats more; /* what it does to the counts */
};

static void plan_free(struct plan *p)
{
	for (enum kind kind = 0; kind < KINDS; kind++)
		free(p->goes[kind]);
}

static const struct rows *rows_of(const struct plan *p, enum kind kind)
{
	return &p->g->group.kinds[kind];
}

static bool stays(const struct plan *p, enum kind kind, struct slice key)
{
	const struct rows *rows = rows_of(p, kind);
	for (size_t i = 0; i < rows->count; i++)
		if (slice_eq(rows->rows[i].key, key))
			return !p->goes[kind][i];
	return false;
}

/* The upload that a row names goes. */
static void drop_upload(struct plan *p, struct slice row)
{
	const struct rows *uploads = rows_of(p, KIND_UPLOAD);
	struct row_name name;
	if (!row_key_parse(row, &name))
		return;
	struct row_key key = row_key_upload(p->g->group.key, name.number);
	for (size_t i = 0; i < uploads->count; i++)
		if (slice_eq(uploads->rows[i].key, row_key_slice(&key)))
			p->goes[KIND_UPLOAD][i] = true;
}

static void take_fault(struct plan *p, const struct fault *fault)
{
	const struct rows *rows = rows_of(p, fault->kind);
	switch (fault->cure) {
	case CURE_ROW:
		p->goes[fault->kind][fault->index] = true;
		break;
	case CURE_VERSION:
		p->goes[fault->kind][fault->index] = true;
		p->versions_change = true;
		break;
	case CURE_UPLOAD:
		drop_upload(p, rows->rows[fault->index].key);
		break;
	case CURE_HIDDEN:
	case CURE_MARKER:
		p->versions_change = true;
		break;
	case CURE_NONE:
		break;
	}
}

static void note_version(struct plan *p, uint64_t version)
{
	if (version > p->greatest)
		p->greatest = version;
}

/* Which versions stay, and what is to be said of them. */
static void take_versions(struct plan *p)
{
	const struct rows *current = rows_of(p, KIND_OBJECT);
	const struct rows *older = rows_of(p, KIND_VERSION);
	bool was_current = current->count > 0;
	if (was_current && entry_read(current->rows[0].value, &p->current)) {
		note_version(p, p->current.object.version);
		p->has_current = !p->goes[KIND_OBJECT][0];
	}
	for (size_t i = 0; i < older->count; i++) {
		struct entry entry;
		struct row_name name;
		if (row_key_parse(older->rows[i].key, &name))
			note_version(p, name.number);
		if (p->goes[KIND_VERSION][i] || !entry_read(older->rows[i].value, &entry))
			continue;
		if (!p->has_older)
			p->newest = entry;
		p->has_older = true;
		if (entry.object.is_null)
			p->null = entry.object.version;
	}
	if (p->has_current)
		return;
	bool keeps = p->g->head.versioning != STORE_UNVERSIONED || older->count > 0;
	p->wants_marker = was_current ? keeps : p->has_older && !p->newest.object.is_marker;
}

/* Bytes and lists of data that no version has which stays; parts of no upload. */
static void drop_dependents(struct plan *p)
{
	static const struct {
		enum kind kind;
		enum entry_place place;
	} owned[] = {{KIND_BYTES, ENTRY_INLINE}, {KIND_EXTENTS, ENTRY_EXTENTS}};
	const struct rows *parts = rows_of(p, KIND_PART);
	struct slice key = p->g->group.key;
	struct row_name name;
	for (size_t i = 0; i < ARRAY_LEN(owned) && p->versions_change; i++) {
		const struct rows *rows = rows_of(p, owned[i].kind);
		for (size_t j = 0; j < rows->count; j++) {
			struct entry entry;
			if (!row_key_parse(rows->rows[j].key, &name))
				continue;
			struct row_key version = row_key_version(ROW_VERSION, key, name.number);
			struct slice value =
				fetched_value(rows_of(p, KIND_VERSION), row_key_slice(&version));
			bool is_of_current = p->has_current &&
					     p->current.object.version == name.number &&
					     p->current.place == owned[i].place;
			bool is_of_older = value.len && entry_read(value, &entry) &&
					   entry.place == owned[i].place &&
					   stays(p, KIND_VERSION, row_key_slice(&version));
			p->goes[owned[i].kind][j] = !is_of_current && !is_of_older;
		}
	}
	for (size_t i = 0; i < parts->count; i++) {
		if (!row_key_parse(parts->rows[i].key, &name))
			continue;
		struct row_key upload = row_key_upload(key, name.number);
		if (!stays(p, KIND_UPLOAD, row_key_slice(&upload)))
			p->goes[KIND_PART][i] = true;
	}
}

static void count_out(struct plan *p, enum kind kind, struct slice value)
{
	struct entry entry;
	struct part_entry part;
	bool parses = (kind == KIND_OBJECT || kind == KIND_VERSION) && entry_read(value, &entry);
	if (kind == KIND_OBJECT) {
		p->more.objects--;
		p->more.bytes -= parses ? entry.object.size : 0;
	} else if (kind == KIND_VERSION) {
		p->more.old_versions--;
		p->more.old_bytes -= parses ? entry.object.size : 0;
	} else if (kind == KIND_UPLOAD) {
		p->more.uploads--;
	} else if (kind == KIND_PART && part_parse(value, &part)) {
		p->more.part_bytes -= part.part.size;
	}
}

static bool plan_make(struct plan *p, const struct gathered *g, const struct key_check *c)
{
	bool curable = false;
	*p = (struct plan){.g = g};
	for (enum kind kind = 0; kind < KINDS; kind++) {
		p->goes[kind] = calloc(g->group.kinds[kind].count + 1, sizeof(bool));
		if (!p->goes[kind]) {
			survey_fail(c->f, ERR_UNAVAILABLE);
			return false;
		}
	}
	for (size_t i = 0; i < c->fault_count; i++) {
		curable = curable || c->faults[i].cure != CURE_NONE;
		take_fault(p, &c->faults[i]);
	}
	take_versions(p);
	drop_dependents(p);
	return curable;
}

/* ---- Doing it -------------------------------------------------------------------------------- */

static bool set_all_aside(struct survey *f, struct plan *p)
{
	for (enum kind kind = 0; kind < KINDS; kind++)
		for (size_t i = 0; i < rows_of(p, kind)->count; i++)
			if (p->goes[kind][i] &&
				!set_aside(f, &p->g->place, &rows_of(p, kind)->rows[i]))
				return false;
	return true;
}

static void stage_entry(struct edit *edit, struct row_key key, const struct entry *entry)
{
	SCOPED_STRBUF(value, ENTRY_BYTES_MAX);
	entry_write(entry, &value);
	edit_set(edit, row_key_slice(&key), strbuf_slice(&value));
}

/* The marker, if there is to be one, and what says which older versions there are. */
static void stage_hidden(struct survey *f, struct plan *p, struct edit *edit)
{
	struct slice name = p->g->group.key;
	struct row_key key = row_key_of(ROW_HIDDEN, name);
	if (!p->versions_change)
		return;
	if (p->wants_marker) {
		p->newest = (struct entry){.revision = rados_number(f->r),
			.object = {.version = rados_version(f->r, p->greatest),
				.modified_ms = clock_wall_ms(f->r->clock),
				.is_marker = true}};
		p->has_older = true;
		p->more.old_versions++;
		stage_entry(edit, row_key_version(ROW_VERSION, name, p->newest.object.version),
			&p->newest);
	}
	if (!p->has_older) {
		edit_remove(edit, row_key_slice(&key));
		return;
	}
	const struct store_object *newest = &p->newest.object;
	const struct hidden hidden = {.revision = rados_number(f->r),
		.newest = newest->version,
		.newest_ms = newest->modified_ms,
		.newest_is_marker = newest->is_marker,
		.newest_is_null = newest->is_null,
		.null = p->null};
	SCOPED_STRBUF(value, ENTRY_BYTES_MAX);
	hidden_format(&hidden, &value);
	edit_set(edit, row_key_slice(&key), strbuf_slice(&value));
}

/* While these are the same, so are all rows of the key. */
static void compare_guards(struct plan *p, struct edit *edit)
{
	static const enum kind single[] = {KIND_OBJECT, KIND_HIDDEN};
	const struct rows *uploads = rows_of(p, KIND_UPLOAD);
	for (size_t i = 0; i < ARRAY_LEN(single); i++) {
		const struct rows *rows = rows_of(p, single[i]);
		struct row_key key = row_key_of(kind_letters[single[i]], p->g->group.key);
		edit_compare(edit, row_key_slice(&key), rows->count ? rows->rows[0].value : S(""));
	}
	for (size_t i = 0; i < uploads->count; i++)
		edit_compare(edit, uploads->rows[i].key, uploads->rows[i].value);
}

enum mended mend_key(struct survey *f, const struct gathered *g, const struct key_check *c)
{
	struct plan p;
	struct surgery s = {.fetch = NULL};
	enum mended mended =
		plan_make(&p, g, c) ? surgery_begin(&s, f, &g->place, g->epoch) : MEND_CANNOT;
	if (mended == MENDED && !set_all_aside(f, &p)) {
		edit_drop(&s.edit);
		mended = MEND_CANNOT;
	}
	if (mended == MENDED) {
		compare_guards(&p, &s.edit);
		for (enum kind kind = 0; kind < KINDS; kind++)
			for (size_t i = 0; i < rows_of(&p, kind)->count; i++) {
				const struct row *row = &rows_of(&p, kind)->rows[i];
				if (!p.goes[kind][i])
					continue;
				edit_compare(&s.edit, row->key, row->value);
				edit_remove(&s.edit, row->key);
				count_out(&p, kind, row->value);
			}
		stage_hidden(f, &p, &s.edit);
		mended = surgery_end(&s, &p.more);
	}
	fetch_free(s.fetch);
	plan_free(&p);
	return mended;
}
