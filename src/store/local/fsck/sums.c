/* SPDX-License-Identifier: Apache-2.0 */
/* Adds up what the entries come to, and compares: live bytes of segments, counts, large files. */
#include <inttypes.h>
#include <stdio.h>

#include "store/local/disk/bytes.h"
#include "store/local/fsck/fsck_internal.h"
#include "store/local/index/counts.h"
#include "store/shared/buckets.h"

enum {
	TEXT_BYTES = 160
};

static struct segment_sum *find(struct fsck *f, uint64_t segment)
{
	size_t low = 0;
	size_t high = f->sum_count;
	while (low < high) {
		size_t middle = (low + high) / 2;
		if (f->sums[middle].id < segment)
			low = middle + 1;
		else
			high = middle;
	}
	return low < f->sum_count && f->sums[low].id == segment ? &f->sums[low] : NULL;
}

void sums_hold(struct fsck *f, const struct location *where)
{
	struct segment_sum *sum = find(f, where->segment);
	if (sum)
		sum->live += where->length;
}

/* ---- Live bytes ------------------------------------------------------------------------------ */

static void hold_row(struct fsck *f, enum pair pair, struct slice rest UNUSED, struct slice value,
	void *ctx UNUSED)
{
	struct location where;
	if (pair == PAIR_ONLY_LOG || value.len != LOCATION_BYTES)
		return;
	location_read(value.ptr, &where);
	sums_hold(f, &where);
}

static void check_live(struct fsck *f, const struct segment_sum *sum)
{
	struct index_value value;
	struct key key;
	char text[TEXT_BYTES];
	uint64_t said = 0;
	key_number(&key, KEY_SEGMENT, sum->id);
	if (index_get(f->from, &key, false, &value) == INDEX_FOUND) {
		said = value.bytes.len == 8 ? le64_get(value.bytes.ptr) : 0;
		index_value_release(&value);
	}
	if (sum->records > sum->live)
		f->result->garbage_bytes += sum->records - sum->live;
	if (said == sum->live)
		return;
	(void)snprintf(text, sizeof(text),
		"the index says that %" PRIu64 " bytes of it are needed, its entries need %" PRIu64,
		said, sum->live);
	fsck_tell_segment(f, NULL, sum->id, FSCK_NOWHERE, text);
}

/* ---- Counts ---------------------------------------------------------------------------------- */

struct counting {
	struct fsck *f;
	struct store_bucket_stats all;
};

static void check_counts(const struct store_bucket *bucket, void *ctx)
{
	struct counting *counting = ctx;
	struct fsck *f = counting->f;
	struct store_bucket_stats is;
	struct store_bucket_stats said;
	struct index_value value;
	struct key key;
	struct subject about = {.bucket_id = bucket->id};
	if (f->err != ERR_OK)
		return;
	enum err e = counts_count(f->from, bucket->id, &is);
	if (e != ERR_OK) {
		fsck_fail(f, e);
		return;
	}
	counting->all.objects += is.objects;
	counting->all.bytes += is.bytes;
	key_number(&key, KEY_COUNTS, bucket->id);
	/* If it is missing the next start counts. */
	if (index_get(f->from, &key, false, &value) != INDEX_FOUND)
		return;
	bool same = counts_parse(value.bytes, &said) && said.objects == is.objects &&
		    said.bytes == is.bytes && said.old_versions == is.old_versions &&
		    said.old_bytes == is.old_bytes && said.uploads == is.uploads &&
		    said.part_bytes == is.part_bytes;
	index_value_release(&value);
	if (!same)
		fsck_tell(f, &about, "index", FSCK_NOWHERE,
			"the counts of the bucket are not those of its entries");
}

/* ---- Files ----------------------------------------------------------------------------------- */

struct files {
	struct fsck *f;
	uint64_t bytes;
	bool in_use;
};

static bool check_file(uint64_t number, uint64_t size, void *ctx)
{
	struct files *files = ctx;
	char text[TEXT_BYTES];
	files->bytes += size;
	if (!files->in_use || numbers_have(&files->f->files, number))
		return true;
	(void)snprintf(
		text, sizeof(text), "the index has file %016" PRIx64 ", and no entry", number);
	fsck_tell(files->f, NULL, "index", FSCK_NOWHERE, text);
	return true;
}

static void check_state(struct fsck *f, const struct store_bucket_stats *all, uint64_t file_bytes)
{
	struct index_state state;
	bool found;
	enum err e = index_read_state(f->from, &state, &found);
	if (e != ERR_OK)
		fsck_fail(f, e);
	else if (!found || state.objects != all->objects || state.bytes != all->bytes)
		fsck_tell(f, NULL, "index", FSCK_NOWHERE,
			"the number of all objects, or their bytes, is not that of the entries");
	else if (state.file_bytes != file_bytes)
		fsck_tell(f, NULL, "index", FSCK_NOWHERE,
			"the bytes of all large files are not those of the rows about them");
}

void sums_check(struct fsck *f)
{
	struct counting counting = {.f = f};
	struct files files = {.f = f, .in_use = true};
	struct key prefix;
	key_kind(&prefix, KEY_BUCKET_RECORD);
	pair_walk(f, &prefix, hold_row, NULL);
	key_kind(&prefix, KEY_ENDED);
	pair_walk(f, &prefix, hold_row, NULL);
	for (size_t i = 0; i < f->sum_count && f->err == ERR_OK; i++)
		check_live(f, &f->sums[i]);
	numbers_sort(&f->files);
	enum err e = index_each_number(f->from, KEY_FILE, check_file, &files);
	files.in_use = false;
	if (e == ERR_OK)
		e = index_each_number(f->from, KEY_TRASH, check_file, &files);
	if (e != ERR_OK)
		fsck_fail(f, e);
	/* What was made anew has not been counted. */
	if (f->from == f->rebuilt || f->err != ERR_OK)
		return;
	buckets_each(f->buckets, check_counts, &counting);
	if (f->err == ERR_OK)
		check_state(f, &counting.all, files.bytes);
}
