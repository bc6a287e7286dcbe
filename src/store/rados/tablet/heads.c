/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Making, freezing and ending the tablets of a bucket, and their versioning: from left to right, as
 * what is split off comes behind. Waits.
 */
#include "store/rados/tablet/heads.h"

#include <errno.h>
#include <stdlib.h>

#include "base/log.h"

enum {
	ATTEMPTS_MAX = 1000,
	PAUSE_US = 3000,
	WALKS_MAX = 100, /* from the first tablet to the last */
};

enum err tablet_create(struct rados *r, uint64_t bucket)
{
	const struct epoch epoch = {.epoch = 1};
	const struct head head = {.bucket = bucket};
	char name[RADOS_NAME_BYTES];
	rados_tablet_name(name, bucket, 0);
	SCOPED_STRBUF(epoch_value, EPOCH_BYTES_MAX);
	SCOPED_STRBUF(head_value, HEAD_BYTES_MAX);
	epoch_format(&epoch, &epoch_value);
	head_format(&head, &head_value);
	if (strbuf_broken(&epoch_value) || strbuf_broken(&head_value))
		return ERR_UNAVAILABLE;
	struct edit edit = edit_begin(r->index);
	edit_create(&edit);
	edit_set(&edit, S(ROW_EPOCH), strbuf_slice(&epoch_value));
	edit_set(&edit, S(ROW_HEAD), strbuf_slice(&head_value));
	return cluster_err(edit_run(&edit, name), "making", name);
}

void tablet_discard(struct rados *r, uint64_t bucket)
{
	char name[RADOS_NAME_BYTES];
	rados_tablet_name(name, bucket, 0);
	struct edit edit = edit_begin(r->index);
	edit_remove_object(&edit);
	int result = edit_run(&edit, name);
	if (result < 0 && result != -ENOENT)
		log_error("ceph: %s stays, and belongs to nothing: %s", name, strerror(-result));
}

typedef enum err change_head_fn(const struct seen *seen, struct head *head, const void *ctx);

/*
 * Lets `change` say what becomes of a tablet's head, until nobody else was faster. *ret_right is
 * the next tablet.
 */
static enum err change_head(struct rados *r, uint64_t bucket, uint64_t tablet,
	change_head_fn *change, const void *ctx, uint64_t *ret_right)
{
	struct standstill still = {.since_ms = 0};
	for (unsigned i = 0; i < ATTEMPTS_MAX; i++) {
		struct seen seen;
		struct head head;
		struct epoch epoch;
		int result = 0;
		enum err e = tablet_see(r, bucket, tablet, &seen);
		if (e == ERR_OK && head_is_in_work(&seen.head) && epoch_parse(seen.epoch, &epoch)) {
			/* That ends soon, or does not go on. */
			(void)tablet_wait(r, bucket, tablet, &epoch, &still);
			result = -ECANCELED;
		} else if (e == ERR_OK) {
			head = seen.head;
			*ret_right = head.right;
			e = change(&seen, &head, ctx);
			if (e == ERR_OK)
				result = head_set(r, seen.name, seen.epoch, &head);
		}
		bool again = result == -ECANCELED || result == -ETIMEDOUT;
		if (e == ERR_OK && !again)
			e = cluster_err(result, "changing", seen.name);
		seen_release(&seen);
		if (!again)
			return e;
		(void)usleep(PAUSE_US);
	}
	return ERR_UNAVAILABLE;
}

/* Of all tablets of the bucket; from the first one again if one is merged meanwhile. */
static enum err change_heads(
	struct rados *r, uint64_t bucket, change_head_fn *change, const void *ctx)
{
	enum err e = ERR_OK;
	for (unsigned i = 0; i < WALKS_MAX; i++) {
		uint64_t tablet = 0;
		uint64_t right = 0;
		do {
			tablet = right;
			e = change_head(r, bucket, tablet, change, ctx, &right);
		} while (e == ERR_OK && right);
		if (e != ERR_NO_SUCH_BUCKET || tablet == 0)
			break;
	}
	return e;
}

/* The row of a bucket. */
struct bucket_at {
	struct rados *r;
	uint64_t id;
	struct slice row; /* its key */
};

/* ERR_NO_SUCH_BUCKET if there is none, or one of another bucket by now. */
static enum err read_versioning(const struct bucket_at *at, enum store_versioning *ret)
{
	struct bucket_row row;
	struct fetch *fetch = fetch_new();
	if (!fetch)
		return ERR_UNAVAILABLE;
	size_t number = fetch_keys(fetch, &at->row, 1);
	enum err e = cluster_err(
		fetch_run(fetch, at->r->index, RADOS_BUCKETS), "reading", RADOS_BUCKETS);
	if (e == ERR_OK) {
		struct slice value = fetched_value(fetch_rows(fetch, number), at->row);
		if (!bucket_row_parse(value, &row) || row.bucket.id != at->id)
			e = ERR_NO_SUCH_BUCKET;
		else
			*ret = row.bucket.versioning;
	}
	fetch_free(fetch);
	return e;
}

/*
 * The row is read after the head, which is changed only if nobody else has changed it: whoever has
 * changed the row since comes to this head after that.
 */
static enum err follow_versioning(const struct seen *seen, struct head *head, const void *ctx)
{
	return seen->head.state == HEAD_DEAD ? ERR_NO_SUCH_BUCKET
					     : read_versioning(ctx, &head->versioning);
}

enum err tablet_follow_versioning(struct rados *r, uint64_t bucket, struct slice row)
{
	const struct bucket_at at = {r, bucket, row};
	return change_heads(r, bucket, follow_versioning, &at);
}

/* ---- The end --------------------------------------------------------------------------------- */

void frozen_tablets_free(struct frozen_tablets *frozen)
{
	free(TAKE(frozen->list));
	frozen->count = 0;
}

/* Changes on their way fail as the epoch changes; so what is empty then stays so. */
static enum err freeze(const struct seen *seen, struct head *head, const void *ctx UNUSED)
{
	if (seen->head.state == HEAD_DEAD)
		return ERR_NO_SUCH_BUCKET;
	if (!seen->is_empty)
		return ERR_BUCKET_NOT_EMPTY;
	head->state = HEAD_FROZEN;
	return ERR_OK;
}

static enum err kill_it(const struct seen *seen UNUSED, struct head *head, const void *ctx UNUSED)
{
	head->state = HEAD_DEAD;
	return ERR_OK;
}

/* One of them; what is behind it then stays behind it. */
static enum err freeze_one(
	struct rados *r, uint64_t bucket, uint64_t *tablet, struct frozen_tablets *ret)
{
	struct epoch epoch = {.epoch = 0};
	struct seen seen;
	uint64_t number = *tablet;
	struct frozen_tablet *list = reallocarray(ret->list, ret->count + 1, sizeof(*list));
	if (!list)
		return ERR_UNAVAILABLE;
	ret->list = list;
	enum err e = change_head(r, bucket, number, freeze, NULL, tablet);
	if (e != ERR_OK)
		return e;
	/* A change may have come between looking and freezing. */
	e = tablet_see(r, bucket, number, &seen);
	if (e == ERR_OK && !epoch_parse(seen.epoch, &epoch))
		e = ERR_INTERNAL;
	if (e == ERR_OK && seen.head.state != HEAD_FROZEN)
		e = ERR_UNAVAILABLE;
	if (e == ERR_OK)
		ret->list[ret->count++] = (struct frozen_tablet){number, epoch.epoch};
	if (e == ERR_OK && !seen.is_empty)
		e = ERR_BUCKET_NOT_EMPTY;
	if (e == ERR_OK)
		*tablet = seen.head.right;
	seen_release(&seen);
	return e;
}

enum err tablet_freeze_empty(struct rados *r, uint64_t bucket, struct frozen_tablets *ret)
{
	uint64_t tablet = 0;
	enum err e;
	*ret = (struct frozen_tablets){.count = 0};
	do
		e = freeze_one(r, bucket, &tablet, ret);
	while (e == ERR_OK && tablet);
	return e;
}

void tablet_kill(struct rados *r, uint64_t bucket)
{
	(void)change_heads(r, bucket, kill_it, NULL);
}

static void thaw_one(struct rados *r, uint64_t bucket, const struct frozen_tablet *frozen)
{
	struct seen seen;
	struct epoch epoch;
	if (tablet_see(r, bucket, frozen->tablet, &seen) == ERR_OK &&
		seen.head.state == HEAD_FROZEN && epoch_parse(seen.epoch, &epoch) &&
		epoch.epoch == frozen->epoch) {
		struct head head = seen.head;
		head.state = HEAD_ACTIVE;
		/* If that fails, whoever waits for it does it. */
		int result = head_set(r, seen.name, seen.epoch, &head);
		if (result < 0 && result != -ECANCELED)
			log_error("ceph: %s stays frozen for a while: %s", seen.name,
				strerror(-result));
	}
	seen_release(&seen);
}

void tablet_thaw(struct rados *r, uint64_t bucket, const struct frozen_tablets *frozen)
{
	for (size_t i = 0; i < frozen->count; i++)
		thaw_one(r, bucket, &frozen->list[i]);
}

/* ---- Counts ---------------------------------------------------------------------------------- */

/* Takes what is in one tablet. */
static enum err count_one(
	struct rados *r, uint64_t bucket, uint64_t *tablet, struct store_bucket_stats *all)
{
	struct seen seen;
	enum err e = tablet_see(r, bucket, *tablet, &seen);
	if (e == ERR_OK) {
		directory_add(r->directory, bucket, *tablet, seen.head.low);
		directory_forget_within(r->directory, bucket, seen.head.low, seen.head.high);
		directory_count(r->directory, bucket, *tablet, &seen.counts, all);
		*tablet = seen.head.right;
	}
	seen_release(&seen);
	return e;
}

enum err tablet_counts(struct rados *r, uint64_t bucket, struct store_bucket_stats *ret)
{
	enum err e = ERR_OK;
	for (unsigned i = 0; i < WALKS_MAX; i++) {
		struct store_bucket_stats all = {.objects = 0};
		uint64_t tablet = 0;
		do
			e = count_one(r, bucket, &tablet, &all);
		while (e == ERR_OK && tablet);
		if (e == ERR_OK)
			*ret = all;
		/* Otherwise one was merged meanwhile. */
		if (e != ERR_NO_SUCH_BUCKET || tablet == 0)
			break;
	}
	return e;
}

void tablet_recount(struct rados *r, uint64_t bucket, uint64_t from, uint64_t to)
{
	struct store_bucket_stats all;
	uint64_t tablet = from;
	while (tablet != to && count_one(r, bucket, &tablet, &all) == ERR_OK && tablet)
		continue;
}

void tablet_discover(
	struct rados *r, uint64_t bucket, uint64_t tablet, struct store_bucket_stats *all)
{
	while (tablet && !directory_has_counted(r->directory, bucket, tablet) &&
		count_one(r, bucket, &tablet, all) == ERR_OK)
		continue;
}
