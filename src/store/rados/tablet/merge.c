/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One tablet of two: the left one takes over what the one behind it has, all of it in one
 * operation. Both take no changes meanwhile; reads go on, but for the moment before that operation
 * (docs/decisions/0107).
 *
 * Each step compares the epoch. If whoever merges does not go on, anybody undoes it: first the left
 * one becomes active again, so that the operation that is the merge fails should it still come; and
 * then, unless that has been, the right one.
 */
#include <errno.h>
#include <inttypes.h>

#include "base/log.h"
#include "store/rados/tablet/moving.h"

enum {
	PAGE_ROWS = 1000,
	LOOKS_MAX = 100, /* for the tablet that has a key, as others are merged meanwhile */
};

struct merge {
	struct rados *r;
	uint64_t bucket;
	uint64_t left_number;
	struct seen left; /* as it was after its last step */
	uint64_t right_number;
	struct seen right;
	struct store_bucket_stats moved;
	struct edit edit; /* of the left one: what it becomes */
	uint64_t rows;
	uint64_t bytes;
};

/* Others were faster; perhaps one of the two has become part of another one. */
static bool is_passing(int result)
{
	return result == -ECANCELED || result == -ENOENT;
}

/* ---- Which ----------------------------------------------------------------------------------- */

static bool is_free(const struct seen *seen)
{
	return seen->head.state == HEAD_ACTIVE && !seen->owns->more;
}

/* Looks at both: false if they cannot be merged now, or have too much. */
static bool see_both(struct merge *m)
{
	if (tablet_see(m->r, m->bucket, m->left_number, &m->left) != ERR_OK || !is_free(&m->left) ||
		m->left.head.right == 0)
		return false;
	m->right_number = m->left.head.right;
	if (tablet_see(m->r, m->bucket, m->right_number, &m->right) != ERR_OK ||
		!is_free(&m->right))
		return false;
	return m->left.head.versioning == m->right.head.versioning &&
	       slice_eq(m->left.head.high, m->right.head.low) &&
	       tablet_rows(&m->left.counts) + tablet_rows(&m->right.counts) < m->r->sizes.merge;
}

/* ---- Steps ----------------------------------------------------------------------------------- */

/* Gives a tablet another state, if it is still as it was seen; `other` is what it is about. */
static int set_state(
	struct rados *r, const struct seen *seen, enum head_state state, uint64_t other)
{
	struct head head = seen->head;
	head.state = state;
	head.copying = other;
	return head_set(r, seen->name, seen->epoch, &head);
}

/* The same, and looks at it again. */
static int step(
	struct merge *m, uint64_t tablet, uint64_t other, enum head_state state, struct seen *seen)
{
	int result = set_state(m->r, seen, state, other);
	if (result < 0)
		return result;
	seen_release(seen);
	enum err e = tablet_see(m->r, m->bucket, tablet, seen);
	if (e != ERR_OK)
		return e == ERR_NO_SUCH_BUCKET ? -ECANCELED : -EIO;
	return seen->head.state == state && seen->head.copying == other ? 0 : -ECANCELED;
}

static int take_rows(struct merge *m, const struct rows *rows)
{
	for (size_t i = 0; i < rows->count; i++) {
		const struct row *row = &rows->rows[i];
		int result = moving_count(row, &m->moved);
		if (result < 0)
			return result;
		m->bytes += row->key.len + row->value.len;
		if (++m->rows > LIMIT_RADOS_MERGE_ROWS || m->bytes > LIMIT_RADOS_MERGE_BYTES)
			return -E2BIG;
		edit_set(&m->edit, row->key, row->value);
	}
	return 0;
}

static int take_kind(struct merge *m, char kind)
{
	const char prefix[] = {kind, '\0'};
	struct row_key after = {.len = 0};
	bool more = true;
	int result = 0;
	while (result == 0 && more) {
		struct fetch *fetch = fetch_new();
		if (!fetch)
			return -ENOMEM;
		size_t number = fetch_range(fetch, after.bytes, prefix, PAGE_ROWS);
		result = fetch_run(fetch, m->r->index, m->right.name);
		const struct rows *rows = result == 0 ? fetch_rows(fetch, number) : NULL;
		if (rows)
			result = take_rows(m, rows);
		more = rows && rows->more;
		/* More, and none of it: then what is there is not known. */
		if (more && (rows->count == 0 ||
				    !row_key_take(rows->rows[rows->count - 1].key, &after)))
			result = -EBADMSG;
		fetch_free(fetch);
	}
	return result;
}

/* Whatever the right one has: garbage, too, and those that it has taken over itself. */
static int take_all(struct merge *m)
{
	int result = 0;
	for (size_t i = 0; moving_kinds[i] && result == 0; i++)
		result = take_kind(m, moving_kinds[i]);
	if (result == 0)
		result = take_kind(m, ROW_GARBAGE);
	return result == 0 ? take_kind(m, ROW_MERGED) : result;
}

/* Whether it is not too much for one operation; nobody has to wait for that to be found out. */
static int measure(struct merge *m)
{
	m->edit = edit_begin(m->r->index);
	int result = take_all(m);
	edit_drop(&m->edit);
	m->moved = (struct store_bucket_stats){.objects = 0};
	m->rows = m->bytes = 0;
	return result;
}

/* Whoever was shut out of the right one is shut out of what it becomes part of. */
static int close_owns(struct merge *m)
{
	for (size_t i = 0; i < m->right.owns->count; i++) {
		const struct row *row = &m->right.owns->rows[i];
		struct slice before = fetched_value(m->left.owns, row->key);
		struct own own;
		struct own left = {.sequence = 0};
		uint64_t instance;
		SCOPED_STRBUF(after, OWN_BYTES_MAX);
		if (!row_key_parse_number(row->key, ROW_OWN, &instance) ||
			!own_parse(row->value, &own) || (before.len && !own_parse(before, &left)))
			return -EBADMSG;
		if (instance == OWN_SUM || !own.is_closed || left.is_closed)
			continue;
		left.is_closed = true;
		own_format(&left, &after);
		edit_compare(&m->edit, row->key, before);
		edit_set(&m->edit, row->key, strbuf_slice(&after));
	}
	return 0;
}

/* The sum: what has moved; and of those that have ended whatever either knows. */
static int take_sum(struct merge *m)
{
	struct own sum;
	struct own other;
	if (!seen_sum(&m->left, &sum) || !seen_sum(&m->right, &other))
		return -EBADMSG;
	if (own_is_later(&other, &sum)) {
		sum.sequence = other.sequence;
		sum.living = other.living;
	}
	rules_add_counts(&sum.counts, &m->moved);
	moving_set_sum(&m->edit, &sum);
	return 0;
}

/* All that the left one becomes, in one edit. */
static int prepare(struct merge *m)
{
	struct row_key merged = row_key_number(ROW_MERGED, m->right_number);
	struct head head = m->left.head;
	head.state = HEAD_ACTIVE;
	head.copying = 0;
	head.high = m->right.head.high;
	head.right = m->right.head.right;
	int result = take_all(m);
	/* What is not all of it is not taken for it. */
	if (result == 0 && !rules_same_counts(&m->moved, &m->right.counts))
		result = -EBADMSG;
	if (result == 0)
		result = close_owns(m);
	if (result == 0)
		result = take_sum(m);
	if (result == 0 && head_stage(&m->edit, m->left.epoch, &head) != ERR_OK)
		result = -ENOMEM;
	edit_set(&m->edit, row_key_slice(&merged), S("1"));
	return result;
}

static int run(struct merge *m)
{
	int result = measure(m);
	if (result == 0)
		result = step(m, m->left_number, m->right_number, HEAD_MERGING, &m->left);
	if (result == 0)
		result = step(m, m->right_number, m->left_number, HEAD_MOVING, &m->right);
	if (result < 0)
		return result;
	m->edit = edit_begin(m->r->index);
	result = prepare(m);
	/* Nothing of what was read has changed, if its epoch has not. */
	if (result == 0)
		result = set_state(m->r, &m->right, HEAD_MOVED, m->left_number);
	if (result == 0)
		return edit_run(&m->edit, m->left.name);
	edit_drop(&m->edit);
	return result;
}

/* ---- Afterwards ------------------------------------------------------------------------------ */

int tablet_remove_merged(struct rados *r, const char *name, uint64_t bucket, struct slice row)
{
	char merged[RADOS_NAME_BYTES];
	uint64_t tablet;
	if (!row_key_parse_number(row, ROW_MERGED, &tablet) || tablet == 0)
		return -EBADMSG;
	struct edit edit = edit_begin(r->index);
	edit_remove_object(&edit);
	int result = edit_run(&edit, rados_tablet_name(merged, bucket, tablet));
	if (result < 0 && result != -ENOENT)
		return result;
	edit = edit_begin(r->index);
	edit_remove(&edit, row);
	return edit_run(&edit, name);
}

static void finish(struct merge *m)
{
	struct row_key merged = row_key_number(ROW_MERGED, m->right_number);
	struct store_bucket_stats counts = m->left.counts;
	struct store_bucket_stats all;
	pthread_mutex_t *counting = rados_counting_of(m->r, m->bucket);
	rules_add_counts(&counts, &m->moved);
	(void)pthread_mutex_lock(counting);
	directory_forget_tablet(m->r->directory, m->bucket, m->right_number);
	directory_add(m->r->directory, m->bucket, m->left_number, m->left.head.low);
	directory_count(m->r->directory, m->bucket, m->left_number, &counts, &all);
	buckets_set_counts(m->r->buckets, m->bucket, &all);
	(void)pthread_mutex_unlock(counting);
	(void)atomic_fetch_add(&m->r->merges, 1);
	/* What stays is removed by the next collection. */
	int result = tablet_remove_merged(m->r, m->left.name, m->bucket, row_key_slice(&merged));
	if (result < 0 && !is_passing(result))
		log_error("ceph: %s is merged, and stays for a while: %s", m->right.name,
			strerror(-result));
}

/* ---- Undoing --------------------------------------------------------------------------------- */

/* The left one does not take it over any more, should it still want to. */
static int stop_left(struct rados *r, uint64_t bucket, uint64_t left, uint64_t right)
{
	struct seen seen;
	int result = 0;
	enum err e = tablet_see(r, bucket, left, &seen);
	if (e == ERR_OK && seen.head.state == HEAD_MERGING && seen.head.copying == right)
		result = set_state(r, &seen, HEAD_ACTIVE, 0);
	else if (e != ERR_OK && e != ERR_NO_SUCH_BUCKET)
		result = -EIO;
	seen_release(&seen);
	return result;
}

/*
 * Which tablet has the key that `tablet` began with: it itself, if it was not taken over. What is
 * said by a tablet that is being taken over is not relied on. -EAGAIN: look again.
 */
static int find_owner(
	struct rados *r, uint64_t bucket, uint64_t tablet, struct slice low, uint64_t *ret)
{
	uint64_t at = directory_before(r->directory, bucket, low);
	for (;;) {
		struct seen seen;
		enum err e = tablet_see(r, bucket, at, &seen);
		struct head head = seen.head;
		bool gone = e == ERR_NO_SUCH_BUCKET || (e == ERR_OK && head.state == HEAD_MOVED);
		bool ends = e == ERR_OK && !head_is_behind(&head, low);
		seen_release(&seen);
		if (gone)
			directory_forget_tablet(r->directory, bucket, at);
		if (e != ERR_OK || gone)
			return gone && at ? -EAGAIN : -EIO;
		*ret = ends ? at : head.right;
		if (ends || head.right == tablet)
			return 0;
		if (head.right == 0)
			return -EBADMSG;
		at = head.right;
	}
}

static int undo_right(struct rados *r, uint64_t bucket, uint64_t tablet, const struct seen *seen)
{
	uint64_t owner = 0;
	int result = stop_left(r, bucket, seen->head.copying, tablet);
	if (result < 0)
		return result;
	result = -EAGAIN;
	for (unsigned i = 0; i < LOOKS_MAX && result == -EAGAIN; i++)
		result = find_owner(r, bucket, tablet, seen->head.low, &owner);
	if (result < 0)
		return result == -EAGAIN ? -ECANCELED : result;
	if (owner == tablet)
		return set_state(r, seen, HEAD_ACTIVE, 0);
	/* It has been taken over. */
	struct edit edit = edit_begin(r->index);
	edit_compare(&edit, S(ROW_EPOCH), seen->epoch);
	edit_remove_object(&edit);
	result = edit_run(&edit, seen->name);
	return result == -ENOENT ? 0 : result;
}

int merge_undo(struct rados *r, uint64_t bucket, uint64_t tablet, const struct seen *seen)
{
	return seen->head.state == HEAD_MERGING ? set_state(r, seen, HEAD_ACTIVE, 0)
						: undo_right(r, bucket, tablet, seen);
}

/* ---- All of it ------------------------------------------------------------------------------- */

/* If its outcome is not known, or Ceph does not answer, whoever waits for it undoes it. */
static void give_up(struct merge *m, int result)
{
	const uint64_t numbers[] = {m->left_number, m->right_number};
	const uint64_t others[] = {m->right_number, m->left_number};
	if (!is_passing(result) && result != -E2BIG)
		log_error("ceph: %s cannot be merged with the one behind it: %s", m->left.name,
			strerror(-result));
	if (result == -ETIMEDOUT)
		return;
	for (size_t i = 0; i < ARRAY_LEN(numbers); i++) {
		struct seen seen;
		int undone = 0;
		if (tablet_see(m->r, m->bucket, numbers[i], &seen) == ERR_OK &&
			head_is_in_work(&seen.head) && seen.head.state != HEAD_SPLITTING &&
			seen.head.copying == others[i])
			undone = merge_undo(m->r, m->bucket, numbers[i], &seen);
		seen_release(&seen);
		if (undone < 0 && !is_passing(undone))
			log_error("ceph: %s waits until its merge is undone: %s", m->left.name,
				strerror(-undone));
	}
}

bool tablet_merge(struct rados *r, uint64_t bucket, uint64_t tablet)
{
	struct merge m = {.r = r, .bucket = bucket, .left_number = tablet};
	bool merged = false;
	if (see_both(&m)) {
		int result = run(&m);
		merged = result == 0;
		if (merged)
			finish(&m);
		else
			give_up(&m, result);
	}
	seen_release(&m.left);
	seen_release(&m.right);
	return merged;
}
