/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The tablets of a bucket, from its first one to the right. Where a tablet begins never changes,
 * and what was read of its end, and of the tablet behind it, was read together.
 */
#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

#include "store/rados/fsck/survey.h"

enum {
	FIND_MAX = 1000000, /* tablets; more are a circle */
	WALKS_MAX = 100,    /* from the first tablet on, as others are merged meanwhile */
	LOOKS_MIN = 20,
	PAUSE_US = 10000,
	PATIENCE = 2, /* times as long as whoever splits may take for a step */
};

struct place place_of(const struct known_bucket *bucket, uint64_t tablet)
{
	struct place place = {.bucket = bucket, .tablet = tablet};
	rados_tablet_name(place.name, bucket->id, tablet);
	return place;
}

void head_keep(const struct head *head, struct kept_head *ret)
{
	ret->state = head->state;
	ret->versioning = head->versioning;
	ret->right = head->right;
	ret->copying = head->copying;
	ret->low_len = head->low.len;
	ret->high_len = head->high.len;
	if (head->low.len)
		memcpy(ret->low, head->low.ptr, head->low.len);
	if (head->high.len)
		memcpy(ret->high, head->high.ptr, head->high.len);
}

/* Head, and what the counts come to. */
static int read_both(struct survey *f, const struct place *place, struct kept_head *ret,
	struct store_bucket_stats *ret_counts)
{
	static const struct slice key = SLICE_LIT(ROW_HEAD);
	static const char own_prefix[] = {ROW_OWN, '\0'};
	struct head head;
	struct fetch *fetch = fetch_new();
	if (!fetch)
		return -ENOMEM;
	size_t number = fetch_keys(fetch, &key, 1);
	size_t owns = ret_counts ? fetch_range(fetch, "", own_prefix, FETCH_ROWS_MAX) : 0;
	int result = fetch_run(fetch, f->r->index, place->name);
	if (result == 0 && (!head_parse(fetched_value(fetch_rows(fetch, number), key), &head) ||
				   head.bucket != place->bucket->id))
		result = -EBADMSG;
	if (result == 0)
		head_keep(&head, ret);
	if (result == 0 && ret_counts)
		(void)counts_of(fetch_rows(fetch, owns), ret_counts);
	fetch_free(fetch);
	return result;
}

int head_read(struct survey *f, const struct place *place, struct kept_head *ret)
{
	return read_both(f, place, ret, NULL);
}

int place_find(struct survey *f, struct slice key, struct place *place)
{
	struct kept_head head;
	unsigned walks = 0;
	for (unsigned i = 0; i < FIND_MAX; i++) {
		int result = head_read(f, place, &head);
		/* It was merged: what is in front of it has the key. */
		if (result == -ENOENT && place->tablet && ++walks < WALKS_MAX) {
			*place = place_of(place->bucket, 0);
			continue;
		}
		if (result < 0 || !head.right || slice_cmp(key, kept_high(&head)) < 0)
			return result;
		*place = place_of(place->bucket, head.right);
	}
	return -EBADMSG;
}

uint64_t chain_bytes(struct survey *f)
{
	uint64_t bytes = 0;
	for (size_t i = 0; i < f->buckets.count; i++) {
		struct place place = place_of(&f->buckets.list[i], 0);
		struct store_bucket_stats counts = {.bytes = 0};
		struct kept_head head = {.right = 0};
		unsigned steps = 0;
		while (read_both(f, &place, &head, &counts) == 0) {
			bytes += counts.bytes + counts.old_bytes + counts.part_bytes;
			if (!head.right || ++steps == FIND_MAX)
				break;
			place = place_of(place.bucket, head.right);
		}
	}
	return bytes;
}

/* -ENOENT: a tablet was merged meanwhile, perhaps with one in front of it. */
static int note_garbage(struct survey *f, const struct known_bucket *bucket)
{
	struct place place = place_of(bucket, 0);
	struct kept_head head = {.right = 0};
	/* First the garbage: what comes to be behind it has none of its own yet. */
	for (unsigned steps = 0; steps < FIND_MAX && f->err == ERR_OK; steps++) {
		rest_garbage(f, &place, false);
		int result = head_read(f, &place, &head);
		if (result < 0 || !head.right)
			return result == -ENOENT && place.tablet ? result : 0;
		place = place_of(bucket, head.right);
	}
	return 0;
}

void chain_garbage(struct survey *f)
{
	for (size_t i = 0; i < f->buckets.count && f->err == ERR_OK; i++) {
		int result = -ENOENT;
		/* What is noted twice is garbage once. */
		for (unsigned walks = 0; result == -ENOENT && walks < WALKS_MAX; walks++)
			result = note_garbage(f, &f->buckets.list[i]);
	}
}

/* ---- A bucket -------------------------------------------------------------------------------- */

/* Whether the table still has the bucket. */
static bool is_alive(struct survey *f, uint64_t id)
{
	struct known_buckets now;
	buckets_read(f, false, &now);
	const struct known_bucket *bucket = known_bucket_find(&now, id);
	bool alive = bucket && !bucket->is_deleted;
	known_buckets_free(&now);
	return alive && f->err == ERR_OK;
}

static void tell(struct survey *f, const struct place *place, const char *what)
{
	char object[SURVEY_OBJECT_BYTES];
	survey_tell(f, FATE_STAYS, &(struct subject){.bucket = place->bucket},
		survey_object(f, f->r->index, place->name, object), what);
}

/* Whether the tablet in front of it does not lead to it any more: it was split, or took it over. */
static bool is_passed(struct survey *f, const struct place *before, const struct place *place)
{
	struct kept_head head;
	return before && (head_read(f, before, &head) < 0 || head.right != place->tablet);
}

/* A tablet is not there; those of a bucket that was deleted go from the last to the first. */
static void tell_gone(struct survey *f, const struct place *place)
{
	struct kept_head head;
	if (head_read(f, place, &head) == -ENOENT && is_alive(f, place->bucket->id))
		tell(f, place, "a tablet of the bucket is missing");
}

/* Where a tablet begins, after one that ends at `end`, or as the first. */
static bool begins_right(
	struct survey *f, const struct place *place, const struct kept_head *head, struct slice end)
{
	int order = slice_cmp(kept_low(head), end);
	if (order < 0)
		tell(f, place, "it begins before the tablet in front of it ends");
	else if (order > 0)
		tell(f, place, "it begins behind the end of the tablet in front of it");
	return order >= 0;
}

/* From the first tablet to the last. False: one was merged with what was looked at before. */
static bool check_all(struct survey *f, const struct known_bucket *bucket, struct kept_head *last,
	struct kept_head *head)
{
	struct place place = place_of(bucket, 0);
	struct place before = place;
	bool is_first = true;
	last->high_len = 0; /* it begins where all begins */
	for (bool more = true; more && f->err == ERR_OK; is_first = false) {
		enum walked walked = walk_tablet(f, &place, head);
		bool moves =
			walked == WALK_GONE || (walked == WALK_DONE && head->state == HEAD_MOVED);
		if (f->err == ERR_OK && moves && is_passed(f, is_first ? NULL : &before, &place))
			return false;
		if (f->err == ERR_OK && walked == WALK_GONE && !bucket->is_deleted)
			tell_gone(f, &place);
		references_add_tablet(f->refs, bucket->id, place.tablet, true);
		if (walked != WALK_DONE || f->err != ERR_OK)
			break;
		if (head->copying)
			references_add_tablet(f->refs, bucket->id, head->copying, true);
		/* Otherwise it could lead in a circle. */
		more = begins_right(f, &place, head, kept_high(last)) && head->right != 0;
		before = place;
		place = place_of(bucket, head->right);
		struct kept_head *other = last;
		last = head;
		head = other;
	}
	return true;
}

void chain_check(struct survey *f, const struct known_bucket *bucket)
{
	struct kept_head *heads = calloc(2, sizeof(*heads));
	bool done = false;
	if (!heads) {
		survey_fail(f, ERR_UNAVAILABLE);
		return;
	}
	for (unsigned i = 0; !done && f->err == ERR_OK; i++) {
		struct rados_fsck_tally tally = f->result->tally;
		uint64_t tablets = f->result->tablets;
		uint64_t standing = f->result->standing;
		uint64_t differing = f->result->differing;
		uint64_t moving = f->result->moving;
		references_begin_all(f->refs);
		done = check_all(f, bucket, &heads[0], &heads[1]);
		if (done || i + 1 == WALKS_MAX) {
			references_keep_all(f->refs);
			break;
		}
		references_drop_all(f->refs);
		f->result->tally = tally;
		f->result->tablets = tablets;
		f->result->standing = standing;
		f->result->differing = differing;
		f->result->moving = moving;
	}
	f->result->moving += !done;
	free(heads);
}

/* ---- Tablets that no bucket has led to ------------------------------------------------------- */

struct orphans {
	struct survey *f;
	struct known_buckets buckets; /* as they are now */
	struct gateway_list gateways;
	unsigned looks; /* that are left, at any of them */
};

/* Notes what the rows of an orphan refer to; *ret_any: it has some. */
static void note_rows(struct survey *f, const struct place *place, bool *ret_any)
{
	static const char letters[] = {
		ROW_EXTENTS, ROW_OBJECT, ROW_UPLOAD, ROW_VERSION, ROW_PART, ROW_GARBAGE};
	*ret_any = false;
	for (size_t i = 0; i < sizeof(letters); i++) {
		const char prefix[] = {letters[i], '\0'};
		struct row_key after = {.len = 0};
		bool more = true;
		while (more && f->err == ERR_OK) {
			struct fetch *fetch = fetch_new();
			if (!fetch) {
				survey_fail(f, ERR_UNAVAILABLE);
				return;
			}
			size_t number = fetch_range(fetch, after.bytes, prefix, FETCH_ROWS_MAX);
			int result = fetch_run(fetch, f->r->index, place->name);
			const struct rows *rows = result == 0 ? fetch_rows(fetch, number) : NULL;
			if (!rows && result != -ENOENT)
				survey_fail_ceph(f, result, place->name);
			for (size_t j = 0; rows && j < rows->count; j++) {
				*ret_any = true;
				(void)row_refers(f, REFERENCE_OTHER, place, rows->rows[j].key,
					letters[i], rows->rows[j].value);
			}
			more = rows && rows_go_on(rows, &after);
			fetch_free(fetch);
		}
	}
}

/* Whether the tablet says that this one has become part of it, and has to go. */
static bool has_taken(struct survey *f, const struct place *place, uint64_t tablet)
{
	struct row_key key = row_key_number(ROW_MERGED, tablet);
	struct slice name = row_key_slice(&key);
	struct fetch *fetch = fetch_new();
	bool taken = false;
	if (!fetch)
		return false;
	size_t number = fetch_keys(fetch, &name, 1);
	if (fetch_run(fetch, f->r->index, place->name) == 0)
		taken = fetched_value(fetch_rows(fetch, number), name).len > 0;
	fetch_free(fetch);
	return taken;
}

/* Whether the tablets of its bucket lead to it now, or it is still being made, or soon goes. */
static bool is_reached(struct survey *f, const struct place *place, const struct kept_head *orphan)
{
	struct place at = place_of(place->bucket, 0);
	struct kept_head head;
	for (unsigned i = 0; i < FIND_MAX && head_read(f, &at, &head) == 0; i++) {
		if (at.tablet == place->tablet || head.copying == place->tablet ||
			has_taken(f, &at, place->tablet))
			return true;
		if (!head.right || slice_cmp(kept_high(&head), kept_low(orphan)) > 0)
			return false;
		at = place_of(at.bucket, head.right);
	}
	return false;
}

/* Whether somebody who lives may be making it: numbers begin with that of a gateway. */
static bool is_being_made(const struct orphans *o, uint64_t number)
{
	return gateway_find(&o->gateways, number >> RADOS_NUMBER_BITS) != NULL;
}

static bool look_at(uint64_t bucket, uint64_t tablet, void *ctx)
{
	struct orphans *o = ctx;
	struct survey *f = o->f;
	const struct known_bucket unknown = {.name = NULL, .id = bucket};
	const struct known_bucket *known = known_bucket_find(&o->buckets, bucket);
	struct place place = place_of(known ? known : &unknown, tablet);
	struct kept_head head;
	char object[SURVEY_OBJECT_BYTES];
	bool any = false;
	int result = 0;
	/* What a split that is undone has made goes a moment after it was undone, or seconds. */
	for (unsigned i = 0; (i < LOOKS_MIN || o->looks) && result == 0; i++) {
		result = head_read(f, &place, &head);
		if (result == -ENOENT || (known && known->is_deleted))
			return true;
		if (result == 0 && known && is_reached(f, &place, &head))
			return true;
		(void)usleep(PAUSE_US);
		o->looks -= o->looks > 0;
	}
	if (result < 0 && result != -EBADMSG) {
		survey_fail_ceph(f, result, place.name);
		return false;
	}
	if (!known && is_being_made(o, bucket)) {
		f->result->under_way++;
		return true;
	}
	note_rows(f, &place, &any);
	survey_object(f, f->r->index, place.name, object);
	const struct subject about = {.bucket = known};
	if (any || result < 0)
		survey_tell(f, FATE_STAYS, &about, object,
			known ? "no tablet leads to it, and it has rows: they are lost, or are "
				"left "
				"over from a split that was given up"
			      : "it has rows, and there is no such bucket");
	else
		survey_tell(
			f, FATE_HARMLESS, &about, object, "an empty tablet that nothing leads to");
	return f->err == ERR_OK;
}

void chain_orphans(struct survey *f)
{
	struct orphans o = {.f = f};
	o.looks = PATIENCE * f->r->timers.frozen_ms / (PAUSE_US / 1000);
	int result = gateways_read(f->r, &o.gateways);
	/* What of it does not parse is told elsewhere. */
	if (result < 0 && result != -EBADMSG)
		survey_fail_ceph(f, result, "gateways");
	buckets_read(f, false, &o.buckets);
	if (f->err == ERR_OK)
		references_each_lone_tablet(f->refs, look_at, &o);
	known_buckets_free(&o.buckets);
	gateway_list_free(&o.gateways);
}
