/* SPDX-License-Identifier: Apache-2.0 */
/* Making, freezing and ending the tablet of a bucket, and its versioning. Waits. */
#include <errno.h>
#include <inttypes.h>

#include "base/log.h"
#include "store/rados/tablet/batch.h"

enum {
	HEAD_BYTES_MAX = 64,
	ATTEMPTS_MAX = 1000,
	PAUSE_US = 3000,
};

/* A tablet as it was read. */
struct seen {
	char name[RADOS_NAME_BYTES];
	struct fetch *fetch;
	struct slice epoch;
	struct head head;
	bool is_empty; /* nobody would miss anything */
	struct store_bucket_stats counts;
};

static void seen_release(struct seen *seen)
{
	fetch_free(TAKE(seen->fetch));
}

static enum err take_counts(uint64_t bucket, const struct rows *rows, struct seen *ret)
{
	for (size_t i = 0; i < rows->count; i++) {
		struct own own;
		if (!own_parse(rows->rows[i].value, &own))
			return look_damaged(bucket, rows->rows[i].key);
		rules_add_counts(&ret->counts, &own.counts);
	}
	return ERR_OK;
}

/* seen_release() is due in any case. */
static enum err see(struct rados *r, uint64_t bucket, struct seen *ret)
{
	static const struct slice heads[] = {SLICE_LIT(ROW_EPOCH), SLICE_LIT(ROW_HEAD)};
	static const char kinds[] = {ROW_OBJECT, ROW_VERSION, ROW_UPLOAD};
	static const char owns[] = {ROW_OWN, '\0'};
	size_t numbers[ARRAY_LEN(kinds)];
	*ret = (struct seen){.is_empty = true};
	rados_tablet_name(ret->name, bucket, 0);
	ret->fetch = fetch_new();
	if (!ret->fetch)
		return ERR_UNAVAILABLE;
	size_t head_number = fetch_keys(ret->fetch, heads, ARRAY_LEN(heads));
	size_t own_number = fetch_range(ret->fetch, "", owns, FETCH_ROWS_MAX);
	for (size_t i = 0; i < ARRAY_LEN(kinds); i++) {
		const char prefix[] = {kinds[i], '\0'};
		numbers[i] = fetch_range(ret->fetch, "", prefix, 1);
	}
	int result = fetch_run(ret->fetch, r->index, ret->name);
	if (result == -ENOENT)
		return ERR_NO_SUCH_BUCKET;
	if (result < 0)
		return cluster_err(result, "reading", ret->name);
	for (size_t i = 0; i < ARRAY_LEN(kinds); i++)
		if (fetch_rows(ret->fetch, numbers[i])->count)
			ret->is_empty = false;
	enum err e = batch_take_head(
		bucket, fetch_rows(ret->fetch, head_number), &ret->epoch, &ret->head);
	return e == ERR_OK ? take_counts(bucket, fetch_rows(ret->fetch, own_number), ret) : e;
}

/* Sets the head if the epoch is still that which was seen. 0 or -errno. */
static int set_head(struct rados *r, const char *name, struct slice epoch, const struct head *head)
{
	struct epoch next;
	SCOPED_STRBUF(epoch_value, HEAD_BYTES_MAX);
	SCOPED_STRBUF(head_value, HEAD_BYTES_MAX);
	if (!epoch_parse(epoch, &next))
		return -EBADMSG;
	next.epoch++;
	epoch_format(&next, &epoch_value);
	head_format(head, &head_value);
	if (strbuf_broken(&epoch_value) || strbuf_broken(&head_value))
		return -ENOMEM;
	struct edit edit = edit_begin(r->index);
	edit_compare(&edit, S(ROW_EPOCH), epoch);
	edit_set(&edit, S(ROW_EPOCH), strbuf_slice(&epoch_value));
	edit_set(&edit, S(ROW_HEAD), strbuf_slice(&head_value));
	return edit_run(&edit, name);
}

enum err tablet_create(struct rados *r, uint64_t bucket)
{
	const struct epoch epoch = {.epoch = 1};
	const struct head head = {.bucket = bucket};
	char name[RADOS_NAME_BYTES];
	rados_tablet_name(name, bucket, 0);
	SCOPED_STRBUF(epoch_value, HEAD_BYTES_MAX);
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

/* Lets `change` say what becomes of the head, until nobody else was faster. */
static enum err change_head(struct rados *r, uint64_t bucket,
	enum err (*change)(const struct seen *seen, struct head *head, const void *ctx),
	const void *ctx)
{
	for (unsigned i = 0; i < ATTEMPTS_MAX; i++) {
		struct seen seen;
		struct head head;
		int result = 0;
		enum err e = see(r, bucket, &seen);
		if (e == ERR_OK) {
			head = seen.head;
			e = change(&seen, &head, ctx);
		}
		if (e == ERR_OK)
			result = set_head(r, seen.name, seen.epoch, &head);
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

static enum err take_versioning(const struct seen *seen, struct head *head, const void *ctx)
{
	const enum store_versioning *versioning = ctx;
	if (seen->head.state == HEAD_DEAD)
		return ERR_NO_SUCH_BUCKET;
	head->versioning = *versioning;
	return ERR_OK;
}

enum err tablet_set_versioning(struct rados *r, uint64_t bucket, enum store_versioning versioning)
{
	return change_head(r, bucket, take_versioning, &versioning);
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

enum err tablet_freeze_empty(struct rados *r, uint64_t bucket, uint64_t *ret_epoch)
{
	struct epoch epoch = {.epoch = 0};
	struct seen seen;
	*ret_epoch = 0;
	enum err e = change_head(r, bucket, freeze, NULL);
	if (e != ERR_OK)
		return e;
	/* A change may have come between looking and freezing. */
	e = see(r, bucket, &seen);
	if (e == ERR_OK && !epoch_parse(seen.epoch, &epoch))
		e = ERR_INTERNAL;
	if (e == ERR_OK && seen.head.state != HEAD_FROZEN)
		e = ERR_UNAVAILABLE;
	if (e == ERR_OK)
		*ret_epoch = epoch.epoch;
	if (e == ERR_OK && !seen.is_empty)
		e = ERR_BUCKET_NOT_EMPTY;
	seen_release(&seen);
	return e;
}

void tablet_kill(struct rados *r, uint64_t bucket)
{
	(void)change_head(r, bucket, kill_it, NULL);
}

void tablet_thaw(struct rados *r, uint64_t bucket, uint64_t frozen)
{
	struct seen seen;
	struct epoch epoch;
	if (see(r, bucket, &seen) == ERR_OK && seen.head.state == HEAD_FROZEN &&
		epoch_parse(seen.epoch, &epoch) && epoch.epoch == frozen) {
		struct head head = seen.head;
		head.state = HEAD_ACTIVE;
		(void)set_head(r, seen.name, seen.epoch, &head);
	}
	seen_release(&seen);
}

enum err tablet_counts(struct rados *r, uint64_t bucket, struct store_bucket_stats *ret)
{
	struct seen seen;
	enum err e = see(r, bucket, &seen);
	if (e == ERR_OK)
		*ret = seen.counts;
	seen_release(&seen);
	return e;
}

/* ---- Taking over ----------------------------------------------------------------------------- */

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
		SCOPED_STRBUF(value, 2 * HEAD_BYTES_MAX);
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

enum frozen tablet_take_over(struct rados *r, uint64_t bucket, struct slice epoch)
{
	struct epoch frozen_at;
	enum frozen frozen = undo_row(r, bucket);
	if (frozen != FROZEN_WAIT || !epoch_parse(epoch, &frozen_at))
		return frozen;
	log_info("ceph: bucket %" PRIx64 ": whoever began to delete it has gone; undone", bucket);
	tablet_thaw(r, bucket, frozen_at.epoch);
	return FROZEN_WAIT;
}
