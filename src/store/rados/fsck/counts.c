/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Whether what a tablet's counts come to is what its rows are. If nothing has changed while they
 * were read the walk has counted them. Otherwise one operation reads them all, in runs that begin
 * behind rows which the walk has met: so it is of one moment, however much is written.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "store/rados/fsck/survey.h"

static const enum kind counted_kinds[COUNTED_KINDS] = {
	KIND_OBJECT, KIND_VERSION, KIND_UPLOAD, KIND_PART};

enum {
	BOUND_ROWS = 512, /* between two; twice as many come at a time */
	WHAT_BYTES = 640,
};

/* ---- Bounds ---------------------------------------------------------------------------------- */

void bounds_clear(struct bounds *bounds)
{
	for (size_t i = 0; i < COUNTED_KINDS; i++)
		for (size_t j = 0; j < bounds->counts[i]; j++)
			free(bounds->list[i][j]);
	*bounds = (struct bounds){.is_full = false};
}

static void add_bound(struct bounds *bounds, size_t i, struct slice row)
{
	char *copy = NULL;
	if (bounds->counts[i] < COUNT_BOUNDS_MAX)
		copy = strndup(row.ptr, row.len);
	bounds->is_full = bounds->is_full || !copy;
	bounds->behind[i] = 0;
	if (copy)
		bounds->list[i][bounds->counts[i]++] = copy;
}

void bounds_note(struct bounds *bounds, const struct group *group)
{
	for (size_t i = 0; i < COUNTED_KINDS; i++) {
		const struct rows *rows = &group->kinds[counted_kinds[i]];
		for (size_t j = 0; j < rows->count; j++)
			if (++bounds->behind[i] == BOUND_ROWS)
				add_bound(bounds, i, rows->rows[j].key);
	}
}

/* ---- Sums ------------------------------------------------------------------------------------ */

bool counts_of(const struct rows *owns, struct store_bucket_stats *ret)
{
	struct store_bucket_stats sum = {.objects = 0};
	for (size_t i = 0; i < owns->count; i++) {
		struct own own;
		uint64_t instance;
		if (!row_key_parse_number(owns->rows[i].key, ROW_OWN, &instance) ||
			!own_parse(owns->rows[i].value, &own))
			return false;
		sum.objects += own.counts.objects;
		sum.bytes += own.counts.bytes;
		sum.old_versions += own.counts.old_versions;
		sum.old_bytes += own.counts.old_bytes;
		sum.uploads += own.counts.uploads;
		sum.part_bytes += own.counts.part_bytes;
	}
	*ret = sum;
	return true;
}

struct store_bucket_stats counts_minus(
	const struct store_bucket_stats *one, const struct store_bucket_stats *other)
{
	return (struct store_bucket_stats){one->objects - other->objects, one->bytes - other->bytes,
		one->old_versions - other->old_versions, one->old_bytes - other->old_bytes,
		one->uploads - other->uploads, one->part_bytes - other->part_bytes};
}

/* ---- All at once ----------------------------------------------------------------------------- */

static void count_row(const struct row *row, struct store_bucket_stats *ret)
{
	struct entry entry;
	struct part_entry part;
	bool parses;
	switch (row->key.ptr[0]) {
	case ROW_OBJECT:
		parses = entry_read(row->value, &entry);
		ret->objects++;
		ret->bytes += parses ? entry.object.size : 0;
		break;
	case ROW_VERSION:
		parses = entry_read(row->value, &entry);
		ret->old_versions++;
		ret->old_bytes += parses ? entry.object.size : 0;
		break;
	case ROW_UPLOAD:
		ret->uploads++;
		break;
	case ROW_PART:
		ret->part_bytes += part_parse(row->value, &part) ? part.part.size : 0;
		break;
	default:
		break;
	}
}

/* Rows up to the bound `to`, or all if that is NULL. False if some of them have not come. */
static bool count_run(const struct rows *rows, const char *to, const struct head *head,
	struct store_bucket_stats *ret)
{
	for (size_t i = 0; i < rows->count; i++) {
		struct row_name name;
		if (to && slice_cmp(rows->rows[i].key, slice_str(to)) > 0)
			return true;
		if (row_key_parse(rows->rows[i].key, &name) && head_has(head, row_name_key(&name)))
			count_row(&rows->rows[i], ret);
	}
	return !rows->more;
}

static enum counted count_fetched(const struct fetch *fetch, size_t heads, size_t owns,
	size_t first, const struct bounds *bounds, struct slice high,
	struct store_bucket_stats *ret_rows, struct store_bucket_stats *ret_owns)
{
	struct head head;
	if (!head_parse(fetched_value(fetch_rows(fetch, heads), S(ROW_HEAD)), &head) ||
		!slice_eq(head.high, high))
		return COUNT_AGAIN;
	*ret_rows = (struct store_bucket_stats){.objects = 0};
	size_t number = first;
	for (size_t i = 0; i < COUNTED_KINDS; i++)
		for (size_t j = 0; j <= bounds->counts[i]; j++) {
			const char *to = j < bounds->counts[i] ? bounds->list[i][j] : NULL;
			if (!count_run(fetch_rows(fetch, number++), to, &head, ret_rows))
				return COUNT_MOVING;
		}
	const struct rows *own_rows = fetch_rows(fetch, owns);
	return !own_rows->more && counts_of(own_rows, ret_owns) ? COUNTED : COUNT_MOVING;
}

enum counted counts_at_once(struct survey *f, const struct place *place,
	const struct bounds *bounds, struct slice high, struct store_bucket_stats *ret_rows,
	struct store_bucket_stats *ret_owns)
{
	static const struct slice head_key = SLICE_LIT(ROW_HEAD);
	static const char own_prefix[] = {ROW_OWN, '\0'};
	if (bounds->is_full)
		return COUNT_MOVING;
	struct fetch *fetch = fetch_new();
	if (!fetch) {
		survey_fail(f, ERR_UNAVAILABLE);
		return COUNT_FAILED;
	}
	size_t heads = fetch_keys(fetch, &head_key, 1);
	size_t owns = fetch_range(fetch, "", own_prefix, FETCH_ROWS_MAX);
	/* Their numbers follow each other. */
	for (size_t i = 0; i < COUNTED_KINDS; i++) {
		const char prefix[] = {kind_letters[counted_kinds[i]], '\0'};
		for (size_t j = 0; j <= bounds->counts[i]; j++)
			(void)fetch_range(
				fetch, j ? bounds->list[i][j - 1] : "", prefix, FETCH_ROWS_MAX);
	}
	int result = fetch_run(fetch, f->r->index, place->name);
	enum counted counted = COUNT_FAILED;
	if (result == 0)
		counted = count_fetched(
			fetch, heads, owns, owns + 1, bounds, high, ret_rows, ret_owns);
	else if (result == -ENOENT)
		counted = COUNT_AGAIN;
	else
		survey_fail_ceph(f, result, place->name);
	fetch_free(fetch);
	return counted;
}

/* ---- Telling --------------------------------------------------------------------------------- */

static void add_difference(char *what, const char *of, uint64_t rows, uint64_t owns)
{
	size_t len = strlen(what);
	if (rows != owns)
		(void)snprintf(what + len, WHAT_BYTES - len, "%s %" PRId64 " %s, not %" PRId64,
			len ? ";" : "", (int64_t)rows, of, (int64_t)owns);
}

void counts_differ(struct survey *f, const struct place *place,
	const struct store_bucket_stats *rows, const struct store_bucket_stats *owns)
{
	static const char fault[] = "its counts are wrong";
	char what[WHAT_BYTES] = "";
	char whole[WHAT_BYTES + 64];
	char object[SURVEY_OBJECT_BYTES];
	const struct store_bucket_stats missing = counts_minus(rows, owns);
	enum survey_fate fate = FATE_STAYS;
	add_difference(what, "objects", rows->objects, owns->objects);
	add_difference(what, "bytes", rows->bytes, owns->bytes);
	add_difference(what, "older versions", rows->old_versions, owns->old_versions);
	add_difference(what, "bytes of older versions", rows->old_bytes, owns->old_bytes);
	add_difference(what, "uploads", rows->uploads, owns->uploads);
	add_difference(what, "bytes of parts", rows->part_bytes, owns->part_bytes);
	if (f->options->repairs && mend_counts(f, place, &missing) == MENDED)
		fate = FATE_CORRECTED;
	(void)snprintf(whole, sizeof(whole), "%s:%s", fault, what);
	survey_tell(f, fate, &(struct subject){.bucket = place->bucket, .fault = fault},
		survey_object(f, f->r->index, place->name, object), whole);
}
