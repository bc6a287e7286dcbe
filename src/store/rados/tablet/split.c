/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Two tablets of one, for what is behind a key. The tablet takes no changes meanwhile: reads and
 * lists go on. What is behind the key is copied into a new tablet that nobody knows; then one
 * operation gives the old one its new end and right neighbour, and removes from it what has been
 * copied. So before it nothing has changed, and after it all has (docs/decisions/0095).
 *
 * Each step compares the epoch. If whoever splits does not go on, anybody undoes it: only the last
 * step could be seen.
 */
#include <errno.h>
#include <stdlib.h>

#include "base/log.h"
#include "store/rados/tablet/heads.h"
#include "store/rados/tablet/moving.h"
#include "store/rados/tablet/order.h"

enum {
	PAGE_ROWS = 256,
	EDIT_BYTES_MAX = 4 << 20,
};

struct split {
	struct rados *r;
	const struct key_order *order; /* of new keys */
	uint64_t bucket;
	struct seen seen; /* the tablet that is split, in the epoch of the last step */
	int64_t renewed_ms;
	char renewed[EPOCH_BYTES_MAX]; /* the epoch's value then */
	struct row_name middle;        /* what is split at */
	uint64_t number;               /* of the new tablet */
	char name[RADOS_NAME_BYTES];
	bool is_made;       /* perhaps */
	struct epoch epoch; /* of the new one, which nobody changes */
	struct own sum;     /* of the old one */
	struct store_bucket_stats moved;

	struct edit edit; /* of the new tablet */
	size_t edit_bytes;
};

/* ---- Where ----------------------------------------------------------------------------------- */

/* Looks for the key that is to be the first of the new tablet, of so many rows of a kind. */
static bool find_middle(struct split *s, char kind, uint64_t count)
{
	uint64_t before = order_split_at(s->order, count);
	const char prefix[] = {kind, '\0'};
	struct row_key after = {.len = 0};
	struct row_name first = {.key_len = 0};
	uint64_t at = 0;
	bool more = true;
	while (more) {
		struct fetch *fetch = fetch_new();
		if (!fetch)
			return false;
		size_t number = fetch_range(fetch, after.bytes, prefix, FETCH_ROWS_MAX);
		bool ok = fetch_run(fetch, s->r->index, s->seen.name) == 0;
		const struct rows *rows = ok ? fetch_rows(fetch, number) : NULL;
		for (size_t i = 0; rows && i < rows->count; i++, at++) {
			if (!row_key_parse(rows->rows[i].key, &s->middle)) {
				rows = NULL;
				break;
			}
			if (at == 0)
				first = s->middle;
			if (at < before || slice_eq(row_name_key(&s->middle), row_name_key(&first)))
				continue;
			fetch_free(fetch);
			return true;
		}
		more = rows && rows->more && rows->count &&
		       row_key_take(rows->rows[rows->count - 1].key, &after);
		fetch_free(fetch);
	}
	return false;
}

static bool find_key(struct split *s)
{
	const struct store_bucket_stats *counts = &s->seen.counts;
	if (counts->objects >= counts->old_versions && counts->objects >= counts->uploads)
		return find_middle(s, ROW_OBJECT, counts->objects);
	if (counts->old_versions >= counts->uploads)
		return find_middle(s, ROW_VERSION, counts->old_versions);
	return find_middle(s, ROW_UPLOAD, counts->uploads);
}

/* ---- Steps of the old tablet ----------------------------------------------------------------- */

/* Reads it again, and looks whether it is still ours. */
static int see_again(struct split *s, uint64_t tablet)
{
	seen_release(&s->seen);
	if (tablet_see(s->r, s->bucket, tablet, &s->seen) != ERR_OK)
		return -EIO;
	s->renewed_ms = clock_monotonic_ms();
	if (!seen_sum(&s->seen, &s->sum))
		return -EBADMSG;
	return s->seen.head.state == HEAD_SPLITTING && s->seen.head.copying == s->number
		       ? 0
		       : -ECANCELED;
}

static int freeze(struct split *s, uint64_t tablet)
{
	struct head head = s->seen.head;
	head.state = HEAD_SPLITTING;
	head.copying = s->number;
	int result = head_set(s->r, s->seen.name, s->seen.epoch, &head);
	return result == 0 ? see_again(s, tablet) : result;
}

/*
 * Lets the others know that this goes on. The epoch is not read again: if somebody else has changed
 * it meanwhile the next step is to fail.
 */
static int renew(struct split *s)
{
	struct epoch epoch;
	SCOPED_STRBUF(value, EPOCH_BYTES_MAX);
	if (clock_monotonic_ms() - s->renewed_ms < s->r->timers.frozen_ms / 4)
		return 0;
	if (!epoch_parse(s->seen.epoch, &epoch))
		return -EBADMSG;
	int result = head_set(s->r, s->seen.name, s->seen.epoch, &s->seen.head);
	if (result < 0)
		return result;
	epoch.epoch++;
	epoch_format(&epoch, &value);
	if (strbuf_broken(&value))
		return -ENOMEM;
	memcpy(s->renewed, value.ptr, sizeof(s->renewed));
	s->seen.epoch = slice_of(s->renewed, sizeof(s->renewed));
	s->renewed_ms = clock_monotonic_ms();
	return 0;
}

/*
 * The new tablet, which nobody knows, and nobody ever will, has to go: a row says so, in case this
 * does not come so far.
 */
int split_undo(struct rados *r, uint64_t bucket, const struct seen *seen)
{
	struct row_key merged = row_key_number(ROW_MERGED, seen->head.copying);
	struct head head = seen->head;
	head.state = HEAD_ACTIVE;
	head.copying = 0;
	struct edit edit = edit_begin(r->index);
	if (head_stage(&edit, seen->epoch, &head) != ERR_OK) {
		edit_drop(&edit);
		return -ENOMEM;
	}
	edit_set(&edit, row_key_slice(&merged), S("1"));
	int result = edit_run(&edit, seen->name);
	return result == 0 ? tablet_remove_merged(r, seen->name, bucket, row_key_slice(&merged))
			   : result;
}

/* ---- The new tablet -------------------------------------------------------------------------- */

/* An edit of the new tablet; -ENOENT if somebody has removed it again. */
static void begin_edit(struct split *s)
{
	SCOPED_STRBUF(value, EPOCH_BYTES_MAX);
	epoch_format(&s->epoch, &value);
	s->edit = edit_begin(s->r->index);
	s->edit_bytes = 0;
	edit_compare(&s->edit, S(ROW_EPOCH), strbuf_slice(&value));
}

static int make(struct split *s)
{
	struct head head = s->seen.head;
	SCOPED_STRBUF(epoch_value, EPOCH_BYTES_MAX);
	SCOPED_STRBUF(head_value, HEAD_BYTES_MAX);
	head.state = HEAD_ACTIVE;
	head.copying = 0;
	head.low = row_name_key(&s->middle);
	s->epoch = (struct epoch){.epoch = 1, .tablet = s->number};
	epoch_format(&s->epoch, &epoch_value);
	head_format(&head, &head_value);
	if (strbuf_broken(&epoch_value) || strbuf_broken(&head_value))
		return -ENOMEM;
	s->edit = edit_begin(s->r->index);
	edit_create(&s->edit);
	edit_set(&s->edit, S(ROW_EPOCH), strbuf_slice(&epoch_value));
	edit_set(&s->edit, S(ROW_HEAD), strbuf_slice(&head_value));
	/* Who cannot change the old one any more cannot change this one; nor can those of the sum.
	 */
	for (size_t i = 0; i < s->seen.owns->count; i++) {
		struct own own;
		SCOPED_STRBUF(value, OWN_BYTES_MAX);
		if (!own_parse(s->seen.owns->rows[i].value, &own) || !own.is_closed)
			continue;
		own.counts = (struct store_bucket_stats){.objects = 0};
		own_format(&own, &value);
		edit_set(&s->edit, s->seen.owns->rows[i].key, strbuf_slice(&value));
	}
	s->is_made = true;
	return edit_run(&s->edit, s->name);
}

static int copy_rows(struct split *s, const struct rows *rows)
{
	int result = 0;
	begin_edit(s);
	for (size_t i = 0; i < rows->count && result == 0; i++) {
		const struct row *row = &rows->rows[i];
		result = moving_count(row, &s->moved);
		edit_set(&s->edit, row->key, row->value);
		s->edit_bytes += row->key.len + row->value.len;
		if (result == 0 && s->edit_bytes > EDIT_BYTES_MAX) {
			result = edit_run(&s->edit, s->name);
			begin_edit(s);
		}
	}
	if (result < 0) {
		edit_drop(&s->edit);
		return result;
	}
	return edit_run(&s->edit, s->name);
}

/* The rows of a kind whose keys are at or behind the middle. */
static int copy_kind(struct split *s, char kind)
{
	const char prefix[] = {kind, '\0'};
	struct row_key exact = row_key_of(kind, row_name_key(&s->middle));
	struct row_key after = exact;
	struct slice first = row_key_slice(&exact);
	bool more = true;
	int result = 0;
	for (bool begins = true; result == 0 && more; begins = false) {
		struct fetch *fetch = fetch_new();
		if (!fetch)
			return -ENOMEM;
		size_t one = fetch_keys(fetch, &first, 1);
		size_t number = fetch_range(fetch, after.bytes, prefix, PAGE_ROWS);
		result = fetch_run(fetch, s->r->index, s->seen.name);
		const struct rows *rows = result == 0 ? fetch_rows(fetch, number) : NULL;
		if (rows && begins)
			result = copy_rows(s, fetch_rows(fetch, one));
		if (rows && result == 0)
			result = copy_rows(s, rows);
		more = rows && rows->more && rows->count;
		if (more && !row_key_take(rows->rows[rows->count - 1].key, &after))
			result = -EBADMSG;
		fetch_free(fetch);
		if (result == 0)
			result = renew(s);
	}
	return result;
}

/* ---- All of it ------------------------------------------------------------------------------- */

static struct store_bucket_stats minus(
	const struct store_bucket_stats *a, const struct store_bucket_stats *b)
{
	return (struct store_bucket_stats){a->objects - b->objects, a->bytes - b->bytes,
		a->old_versions - b->old_versions, a->old_bytes - b->old_bytes,
		a->uploads - b->uploads, a->part_bytes - b->part_bytes};
}

/* From here on both are known. */
static int commit(struct split *s)
{
	struct own sum = s->sum;
	struct head head = s->seen.head;
	sum.counts = minus(&sum.counts, &s->moved);
	head.state = HEAD_ACTIVE;
	head.copying = 0;
	head.high = row_name_key(&s->middle);
	head.right = s->number;
	struct edit edit = edit_begin(s->r->index);
	if (head_stage(&edit, s->seen.epoch, &head) != ERR_OK) {
		edit_drop(&edit);
		return -ENOMEM;
	}
	moving_set_sum(&edit, &sum);
	for (size_t i = 0; moving_kinds[i]; i++) {
		struct row_key from = row_key_of(moving_kinds[i], row_name_key(&s->middle));
		struct row_key kind = row_key_of(moving_kinds[i], S(""));
		struct row_key past = row_key_past(&kind);
		edit_remove_range(&edit, row_key_slice(&from), row_key_slice(&past));
	}
	return edit_run(&edit, s->seen.name);
}

static int copy_all(struct split *s)
{
	struct own sum = s->sum;
	int result = make(s);
	for (size_t i = 0; moving_kinds[i] && result == 0; i++)
		result = copy_kind(s, moving_kinds[i]);
	if (result == 0) {
		begin_edit(s);
		sum.counts = s->moved;
		moving_set_sum(&s->edit, &sum);
		result = edit_run(&s->edit, s->name);
	}
	return result == 0 ? commit(s) : result;
}

static void remember(struct split *s, uint64_t tablet)
{
	struct store_bucket_stats left = minus(&s->seen.counts, &s->moved);
	struct store_bucket_stats all;
	pthread_mutex_t *counting = rados_counting_of(s->r, s->bucket);
	(void)pthread_mutex_lock(counting);
	directory_add(s->r->directory, s->bucket, s->number, row_name_key(&s->middle));
	directory_count(s->r->directory, s->bucket, s->number, &s->moved, &all);
	directory_count(s->r->directory, s->bucket, tablet, &left, &all);
	buckets_set_counts(s->r->buckets, s->bucket, &all);
	(void)pthread_mutex_unlock(counting);
	(void)atomic_fetch_add(&s->r->splits, 1);
}

/* It is not split any more: perhaps that was undone before the new tablet was made. */
static void discard(struct split *s)
{
	struct edit edit = edit_begin(s->r->index);
	edit_remove_object(&edit);
	int result = edit_run(&edit, s->name);
	if (result < 0 && result != -ENOENT)
		log_error("ceph: %s stays, and belongs to nothing: %s", s->name, strerror(-result));
}

/* What was done has to be undone, unless it is not known: then whoever finds it so does that. */
static void give_up(struct split *s, uint64_t tablet, int result)
{
	if (result != -ECANCELED)
		log_error("ceph: %s cannot be split: %s", s->seen.name, strerror(-result));
	if (result == -ETIMEDOUT)
		return;
	int seen = see_again(s, tablet);
	if (seen == 0)
		result = split_undo(s->r, s->bucket, &s->seen);
	else if (result == -ECANCELED && s->is_made)
		discard(s);
	if (seen == 0 && result < 0 && result != -ECANCELED)
		log_error("ceph: %s waits until its split is undone: %s", s->seen.name,
			strerror(-result));
}

void tablet_split(struct rados *r, struct tablet *tablet)
{
	struct split s = {.r = r,
		.order = &tablet->order,
		.bucket = tablet->bucket,
		.number = rados_number(r)};
	rados_tablet_name(s.name, s.bucket, s.number);
	bool ok = tablet_see(r, s.bucket, tablet->number, &s.seen) == ERR_OK &&
		  s.seen.head.state == HEAD_ACTIVE && !s.seen.owns->more &&
		  tablet_rows(&s.seen.counts) >= tablet->split;
	if (ok && !find_key(&s)) {
		/* All of it is of one key. */
		tablet->split = 2 * tablet_rows(&s.seen.counts);
		ok = false;
	}
	if (ok) {
		int result = freeze(&s, tablet->number);
		if (result == 0)
			result = copy_all(&s);
		if (result == 0)
			remember(&s, tablet->number);
		else
			give_up(&s, tablet->number, result);
		order_reset(&tablet->order);
	}
	seen_release(&s.seen);
}
