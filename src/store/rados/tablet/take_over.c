/* SPDX-License-Identifier: Apache-2.0 */
/* Tablets that somebody has frozen, or was splitting, who does not go on. */
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
	struct rados *r, const struct tablet *tablet, const struct epoch *epoch)
{
	enum frozen frozen = undo_row(r, tablet->bucket);
	if (frozen != FROZEN_WAIT)
		return frozen;
	log_info("ceph: bucket %" PRIx64 ": whoever began to delete it has gone; undone",
		tablet->bucket);
	struct frozen_tablet one = {tablet->number, epoch->epoch};
	tablet_thaw(r, tablet->bucket, &(struct frozen_tablets){&one, 1});
	return FROZEN_WAIT;
}

enum frozen tablet_take_over(struct rados *r, const struct tablet *tablet, struct slice epoch)
{
	struct epoch since;
	struct seen seen;
	enum frozen frozen = FROZEN_WAIT;
	if (!epoch_parse(epoch, &since))
		return FROZEN_FAULT;
	/* Only if it is still as it was. */
	if (tablet_see(r, tablet->bucket, tablet->number, &seen) != ERR_OK)
		frozen = FROZEN_FAULT;
	else if (!slice_eq(seen.epoch, epoch))
		frozen = FROZEN_WAIT;
	else if (seen.head.state == HEAD_FROZEN)
		frozen = undo_deletion(r, tablet, &since);
	else if (seen.head.state == HEAD_SPLITTING && split_undo(r, tablet->bucket, &seen) == 0)
		log_info("ceph: bucket %" PRIx64 ": whoever began to split a tablet has gone; "
			 "undone",
			tablet->bucket);
	seen_release(&seen);
	return frozen;
}
