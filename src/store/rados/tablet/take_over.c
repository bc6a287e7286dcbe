/* SPDX-License-Identifier: Apache-2.0 */
/* Tablets that somebody has frozen, or was splitting or merging, who does not go on. */
#include <errno.h>
#include <inttypes.h>

#include "base/log.h"
#include "store/rados/tablet/heads.h"

enum {
	BUCKET_BYTES_MAX = 128
};

/*
 * The row of the bucket first: without it, whoever was deleting the bucket cannot go on.
 * FROZEN_WAIT if it says that nobody is deleting it now.
 */
static enum frozen undo_row(struct rados *r, uint64_t bucket)
{
	static const char prefix[] = {RADOS_BUCKET_ROW, '\0'};
	enum frozen frozen = FROZEN_GONE;
	struct fetch *fetch = fetch_new();
	if (!fetch)
		return FROZEN_FAULT;
	size_t number = fetch_range(fetch, "", prefix, FETCH_ROWS_MAX);
	int result = fetch_run(fetch, r->index, RADOS_BUCKETS);
	const struct rows *rows = result == 0 ? fetch_rows(fetch, number) : NULL;
	if (!rows)
		frozen = FROZEN_FAULT;
	for (size_t i = 0; rows && i < rows->count; i++) {
		struct bucket_row row;
		const struct row *found = &rows->rows[i];
		if (!bucket_row_parse(found->value, &row) || row.bucket.id != bucket)
			continue;
		frozen = FROZEN_WAIT;
		if (!row.deleting)
			break;
		row.deleting = 0;
		SCOPED_STRBUF(value, BUCKET_BYTES_MAX);
		bucket_row_format(&row, &value);
		struct edit edit = edit_begin(r->index);
		edit_compare(&edit, found->key, found->value);
		edit_set(&edit, found->key, strbuf_slice(&value));
		result = edit_run(&edit, RADOS_BUCKETS);
		if (result < 0 && result != -ECANCELED)
			frozen = FROZEN_FAULT;
		break;
	}
	fetch_free(fetch);
	return frozen;
}

static enum frozen undo_deletion(
	struct rados *r, uint64_t bucket, uint64_t tablet, const struct epoch *epoch)
{
	enum frozen frozen = undo_row(r, bucket);
	if (frozen != FROZEN_WAIT)
		return frozen;
	log_info("ceph: bucket %" PRIx64 ": whoever began to delete it has gone; undone", bucket);
	struct frozen_tablet one = {tablet, epoch->epoch};
	tablet_thaw(r, bucket, &(struct frozen_tablets){&one, 1});
	return FROZEN_WAIT;
}

int tablet_undo(struct rados *r, uint64_t bucket, uint64_t tablet, const struct seen *seen)
{
	return seen->head.state == HEAD_SPLITTING ? split_undo(r, bucket, seen)
						  : merge_undo(r, bucket, tablet, seen);
}

static void undo_work(struct rados *r, uint64_t bucket, uint64_t tablet, const struct seen *seen)
{
	int result = tablet_undo(r, bucket, tablet, seen);
	if (result == 0)
		log_info("ceph: bucket %" PRIx64 ": whoever began to split or merge a tablet has "
			 "gone; undone",
			bucket);
	else if (result != -ECANCELED && result != -ENOENT)
		log_error("ceph: %s: what was begun there cannot be undone: %s", seen->name,
			strerror(-result));
}

enum frozen tablet_take_over(
	struct rados *r, uint64_t bucket, uint64_t tablet, const struct epoch *since)
{
	struct epoch epoch;
	struct seen seen;
	enum frozen frozen = FROZEN_WAIT;
	enum err e = tablet_see(r, bucket, tablet, &seen);
	/* Only if it is still there, and as it was. */
	if (e == ERR_NO_SUCH_BUCKET)
		frozen = FROZEN_WAIT;
	else if (e != ERR_OK || !epoch_parse(seen.epoch, &epoch))
		frozen = FROZEN_FAULT;
	else if (epoch.epoch != since->epoch)
		frozen = FROZEN_WAIT;
	else if (seen.head.state == HEAD_FROZEN)
		frozen = undo_deletion(r, bucket, tablet, since);
	else if (head_is_in_work(&seen.head))
		undo_work(r, bucket, tablet, &seen);
	seen_release(&seen);
	return frozen;
}

/* ---- Waiting --------------------------------------------------------------------------------- */

enum {
	PAUSE_US = 10000
};

/* Whether it has been in that epoch for as long as nobody who lives needs. */
static bool has_stopped(struct rados *r, struct standstill *still, uint64_t tablet, uint64_t epoch)
{
	int64_t now_ms = clock_monotonic_ms();
	if (!still->since_ms || still->tablet != tablet || still->epoch != epoch) {
		still->tablet = tablet;
		still->epoch = epoch;
		still->since_ms = now_ms;
	}
	if (now_ms - still->since_ms <= r->timers.frozen_ms)
		return false;
	still->since_ms = 0;
	return true;
}

enum frozen tablet_wait(struct rados *r, uint64_t bucket, uint64_t tablet,
	const struct epoch *epoch, struct standstill *still)
{
	if (has_stopped(r, still, tablet, epoch->epoch))
		return tablet_take_over(r, bucket, tablet, epoch);
	(void)usleep(PAUSE_US);
	return FROZEN_WAIT;
}

enum err tablet_wait_moved(
	struct rados *r, uint64_t bucket, uint64_t tablet, struct standstill *still)
{
	struct seen seen;
	struct epoch epoch;
	enum frozen frozen = FROZEN_WAIT;
	if (!still->begun_ms)
		still->begun_ms = clock_monotonic_ms();
	enum err e = tablet_see(r, bucket, tablet, &seen);
	if (e == ERR_NO_SUCH_BUCKET) {
		directory_forget_tablet(r->directory, bucket, tablet);
		if (++still->gone > GONE_PATIENT)
			(void)usleep(GONE_PAUSE_US);
	} else if (e == ERR_OK && seen.head.state == HEAD_MOVED &&
		   epoch_parse(seen.epoch, &epoch)) {
		frozen = tablet_wait(r, bucket, tablet, &epoch, still);
	}
	bool waits = clock_monotonic_ms() - still->begun_ms < LIMIT_RADOS_CONFLICT_MS &&
		     still->gone <= GONE_MAX;
	if (!waits)
		log_error("ceph: %s is missing, or moves for too long", seen.name);
	seen_release(&seen);
	return waits && frozen == FROZEN_WAIT && (e == ERR_OK || e == ERR_NO_SUCH_BUCKET)
		       ? ERR_OK
		       : ERR_UNAVAILABLE;
}
