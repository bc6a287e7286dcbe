/* SPDX-License-Identifier: Apache-2.0 */
#include "store/rados/tablet/batch.h"

#include <errno.h>

#include "base/limits.h"
#include "base/log.h"
#include "store/rados/tablet/heads.h"
#include "store/rados/tablet/order.h"
#include "store/rados/tablet/stage.h"

enum {
	PATIENT_CONFLICTS = 3,
	PAUSE_MAX_US = 5000,
};

enum step {
	STEP_NEXT,
	STEP_AGAIN,
	STEP_DONE, /* all are answered */
};

/* ---- Answers --------------------------------------------------------------------------------- */

static void answer(struct batch *b, size_t i, enum err e)
{
	struct change *c = b->changes[i];
	b->changes[i] = b->changes[--b->count];
	look_free(c);
	c->err = e;
	c->done(c);
	(void)atomic_fetch_sub(&b->r->transfers, 1);
}

static void answer_all(struct batch *b, enum err e, bool is_open)
{
	while (b->count) {
		b->changes[0]->is_open = is_open;
		answer(b, 0, e);
	}
}

/* ---- Reading --------------------------------------------------------------------------------- */

enum err batch_take_head(
	uint64_t bucket, const struct rows *rows, struct slice *ret_epoch, struct head *ret)
{
	struct epoch epoch;
	struct slice value = fetched_value(rows, S(ROW_EPOCH));
	if (!epoch_parse(value, &epoch))
		return look_damaged(bucket, S(ROW_EPOCH));
	if (!head_parse(fetched_value(rows, S(ROW_HEAD)), ret) || ret->bucket != bucket)
		return look_damaged(bucket, S(ROW_HEAD));
	*ret_epoch = value;
	return ERR_OK;
}

static void forget(struct batch *b)
{
	for (size_t i = 0; i < b->count; i++)
		look_free(b->changes[i]);
	fetch_free(TAKE(b->fetch));
}

static enum err fetch_all(struct batch *b)
{
	struct row_key mine = row_key_number(ROW_OWN, b->r->instance);
	struct row_key sum = row_key_number(ROW_OWN, OWN_SUM);
	const struct slice keys[] = {
		S(ROW_EPOCH), S(ROW_HEAD), row_key_slice(&mine), row_key_slice(&sum)};
	enum err e = ERR_OK;
	forget(b);
	b->fetch = fetch_new();
	if (!b->fetch)
		return ERR_UNAVAILABLE;
	size_t number = fetch_keys(b->fetch, keys, ARRAY_LEN(keys));
	size_t owns_number = owns_fetch(b->r, b->fetch);
	for (size_t i = 0; i < b->count && e == ERR_OK; i++)
		e = look_begin(b->changes[i], b->fetch, b->versions);
	if (e != ERR_OK)
		return e;
	int result = fetch_run(b->fetch, b->r->index, b->name);
	if (result == -ENOENT)
		return ERR_NO_SUCH_BUCKET;
	if (result < 0)
		return cluster_err(result, "reading", b->name);
	const struct rows *rows = fetch_rows(b->fetch, number);
	e = batch_take_head(b->tablet->bucket, rows, &b->epoch, &b->head);
	if (e == ERR_OK && !owns_take(rows, b->r->instance, &b->own, &b->has_own))
		e = look_damaged(b->tablet->bucket, row_key_slice(&mine));
	b->others = (struct store_bucket_stats){.objects = 0};
	if (e == ERR_OK)
		e = owns_add_up(b->r, b->tablet->bucket, b->name, fetch_rows(b->fetch, owns_number),
			b->r->instance, &b->others);
	return e;
}

/*
 * The tablet is not there: the one that was in front of it has its keys now, and the changes go
 * there; or the bucket is deleted.
 */
static void leave(struct batch *b)
{
	if (b->tablet->number == 0) {
		answer_all(b, ERR_NO_SUCH_BUCKET, false);
		return;
	}
	b->is_gone = true;
	directory_forget_tablet(b->r->directory, b->tablet->bucket, b->tablet->number);
	bool waits = false;
	while (b->count) {
		struct change *c = b->changes[b->count - 1];
		if (++c->gone > GONE_MAX) {
			log_error("ceph: %s is missing, and others lead to it", b->name);
			answer(b, b->count - 1, ERR_UNAVAILABLE);
			continue;
		}
		waits = waits || c->gone > GONE_PATIENT;
		b->count--;
		look_free(c);
		change_send_on(c);
	}
	if (waits)
		(void)usleep(GONE_PAUSE_US);
}

/* Changes of keys that the tablet does not have, or not any more, go on to the next one. */
static void pass_on(struct batch *b)
{
	/* Who was taken over does not know what is behind it now. */
	if (!b->head.right || b->head.state == HEAD_MOVED)
		return;
	for (size_t i = 0; i < b->count;) {
		struct change *c = b->changes[i];
		if (!head_is_behind(&b->head, c->key)) {
			i++;
			continue;
		}
		b->changes[i] = b->changes[--b->count];
		look_free(c);
		directory_add(b->r->directory, c->bucket_id, b->head.right, b->head.high);
		change_send_on(c);
	}
}

/* Waits while the tablet cannot be changed. */
static enum step heed_head(struct batch *b)
{
	struct epoch epoch;
	if (b->head.state == HEAD_ACTIVE)
		return STEP_NEXT;
	enum frozen frozen = FROZEN_FAULT;
	if (epoch_parse(b->epoch, &epoch))
		frozen = tablet_wait(b->r, b->tablet->bucket, b->tablet->number, &epoch, &b->still);
	if (frozen == FROZEN_WAIT)
		return STEP_AGAIN;
	answer_all(b, frozen == FROZEN_GONE ? ERR_NO_SUCH_BUCKET : ERR_UNAVAILABLE, false);
	return STEP_DONE;
}

/* Whether this gateway may go on. If it was taken for dead its data is perhaps no more. */
static enum err heed_life(struct batch *b)
{
	if (b->own.is_closed)
		life_expel(&b->r->life);
	return life_is_well(&b->r->life) ? ERR_OK : ERR_UNAVAILABLE;
}

static enum step read_all(struct batch *b)
{
	enum err e = fetch_all(b);
	if (e == ERR_OK)
		e = heed_life(b);
	if (e == ERR_OK) {
		/* What is behind it has perhaps gone before it. */
		if (b->head.state == HEAD_DEAD)
			answer_all(b, ERR_NO_SUCH_BUCKET, false);
		pass_on(b);
		if (b->count == 0)
			return STEP_DONE;
	}
	if (e == ERR_OK && b->head.state == HEAD_ACTIVE) {
		if (b->head.versioning != STORE_UNVERSIONED && !b->versions) {
			b->versions = true;
			return STEP_AGAIN;
		}
		for (size_t i = 0; i < b->count && e == ERR_OK; i++)
			e = look_take(b->changes[i], b->fetch, b->versions, b->head.versioning);
	}
	if (e == ERR_NO_SUCH_BUCKET) {
		leave(b);
		return STEP_DONE;
	}
	if (e != ERR_OK) {
		answer_all(b, e, false);
		return STEP_DONE;
	}
	return heed_head(b);
}

/* ---- Deciding -------------------------------------------------------------------------------- */

static uint64_t newest_version(const struct look *look)
{
	uint64_t current = look->view.current ? look->current.object.version : 0;
	uint64_t hidden = look->has_hidden ? look->hidden.newest : 0;
	return current > hidden ? current : hidden;
}

/* Decides one change; what it needs is read. */
static enum looked decide(struct change *c)
{
	struct look *look = c->look;
	int64_t now_ms = clock_wall_ms(c->r->clock);
	/* Uploads are numbered as versions are, so that those of a key are listed as they began. */
	uint64_t after = c->mutation.kind == RULES_UPLOAD_BEGIN ? 0 : newest_version(look);
	uint64_t version = rados_version(c->r, after);
	enum looked looked = LOOKED;
	do {
		c->err = rules_decide(&look->view, &c->mutation, now_ms, version, &c->effects);
		if (c->err == ERR_OK && c->effects.needs)
			looked = look_for(c, c->effects.needs);
	} while (looked == LOOKED && c->err == ERR_OK && c->effects.needs);
	if (looked == LOOKED && c->err == ERR_OK)
		looked = look_for_extents(c);
	if (looked == LOOKED && c->err == ERR_OK && !look_takes_extent(c))
		c->err = ERR_ENTITY_TOO_LARGE;
	return looked;
}

static bool changes_something(const struct change *c)
{
	const struct rules_effects *e = &c->effects;
	return e->current || e->null || e->named || e->newest || e->upload || e->part || e->made;
}

/* Adds what was decided to the edit. Those that are refused, or change nothing, are answered. */
static enum step decide_all(struct batch *b, struct edit *edit, struct own *own)
{
	size_t i = 0;
	while (i < b->count) {
		struct change *c = b->changes[i];
		enum looked looked = decide(c);
		if (looked == LOOK_AGAIN)
			return STEP_AGAIN;
		if (c->err != ERR_OK || !changes_something(c)) {
			answer(b, i, c->err);
			continue;
		}
		if (stage_change(c, edit) != ERR_OK) {
			answer_all(b, ERR_UNAVAILABLE, false);
			return STEP_DONE;
		}
		look_compare(c, edit);
		rules_add_counts(&own->counts, &c->effects.counts);
		i++;
	}
	return b->count ? STEP_NEXT : STEP_DONE;
}

/* ---- Writing --------------------------------------------------------------------------------- */

/* What is known of the bucket's tablets from now on. */
static void take_counts(struct batch *b, const struct store_bucket_stats *counts)
{
	struct store_bucket_stats all;
	uint64_t bucket = b->tablet->bucket;
	pthread_mutex_t *counting = rados_counting_of(b->r, bucket);
	(void)pthread_mutex_lock(counting);
	bool is_new = b->head.low.len > 0 &&
		      !directory_has_counted(b->r->directory, bucket, b->tablet->number);
	directory_add(b->r->directory, bucket, b->tablet->number, b->head.low);
	directory_forget_within(b->r->directory, bucket, b->head.low, b->head.high);
	/* What is in it was part of the one before. */
	if (is_new)
		tablet_recount(b->r, bucket, directory_before(b->r->directory, bucket, b->head.low),
			b->tablet->number);
	directory_count(b->r->directory, bucket, b->tablet->number, counts, &all);
	/* What has moved there was part of this one before. */
	if (b->head.right && !directory_has_counted(b->r->directory, bucket, b->head.right))
		tablet_discover(b->r, bucket, b->head.right, &all);
	buckets_set_counts(b->r->buckets, bucket, &all);
	(void)pthread_mutex_unlock(counting);
}

static void succeed(struct batch *b, const struct own *own)
{
	struct store_bucket_stats counts = b->others;
	rules_add_counts(&counts, &own->counts);
	b->is_large = tablet_rows(&counts) >= b->tablet->split;
	order_note(&b->tablet->order, b->changes, b->count);
	take_counts(b, &counts);
	(void)atomic_fetch_add(&b->r->commits, b->count);
	(void)atomic_fetch_add(&b->r->syncs, 1);
	answer_all(b, ERR_OK, false);
}

/* It is not known what has become of the operation. */
static enum step settle(struct batch *b, const struct own *own)
{
	struct tablet *tablet = b->tablet;
	log_error("ceph: %s: an operation was lost; asking what has become of it", b->name);
	(void)atomic_fetch_add(&b->r->lost, 1);
	tablet->is_open = true;
	tablet->lost = own->sequence;
	tablet->had_own = b->has_own;
	tablet->own = b->own;
	switch (tablet_settle(b->r, tablet, b->begin_ms + LIMIT_RADOS_SETTLE_MS)) {
	case SETTLED_DONE:
		succeed(b, own);
		return STEP_DONE;
	case SETTLED_NEVER:
		return STEP_AGAIN;
	case SETTLED_GONE:
		b->is_gone = true;
		answer_all(b, ERR_UNAVAILABLE, true);
		return STEP_DONE;
	case SETTLED_OPEN:
		answer_all(b, ERR_UNAVAILABLE, true);
		return STEP_DONE;
	}
	return STEP_DONE;
}

/* Whether an operation that failed so has certainly not happened. */
static bool is_certain(int result)
{
	return result == -ENOSPC || result == -EDQUOT || result == -EPERM || result == -EINVAL ||
	       result == -EMSGSIZE || result == -E2BIG;
}

static enum step write_all(struct batch *b, struct edit *edit, struct own *own)
{
	struct row_key key = row_key_number(ROW_OWN, b->r->instance);
	SCOPED_STRBUF(before, OWN_BYTES_MAX);
	SCOPED_STRBUF(after, OWN_BYTES_MAX);
	own->sequence = ++b->tablet->sequence;
	own_value(b->has_own, &b->own, &before);
	own_format(own, &after);
	if (strbuf_broken(&before) || strbuf_broken(&after)) {
		edit_drop(edit);
		answer_all(b, ERR_UNAVAILABLE, false);
		return STEP_DONE;
	}
	edit_compare(edit, S(ROW_EPOCH), b->epoch);
	edit_compare(edit, row_key_slice(&key), strbuf_slice(&before));
	edit_set(edit, row_key_slice(&key), strbuf_slice(&after));
	int result = edit_run(edit, b->name);
	if (result == 0) {
		succeed(b, own);
		return STEP_DONE;
	}
	if (result == -ECANCELED)
		return STEP_AGAIN;
	if (result == -ENOENT) {
		leave(b);
		return STEP_DONE;
	}
	if (!is_certain(result))
		return settle(b, own);
	answer_all(b, cluster_err(result, "changing", b->name), false);
	return STEP_DONE;
}

/* ---- All of it ------------------------------------------------------------------------------- */

static enum step attempt(struct batch *b, bool *ret_conflict)
{
	*ret_conflict = false;
	enum step step = read_all(b);
	if (step != STEP_NEXT)
		return step;
	*ret_conflict = true;
	if (b->tablet->sequence < b->own.sequence)
		b->tablet->sequence = b->own.sequence;
	struct own own = b->own;
	struct edit edit = edit_begin(b->r->index);
	step = decide_all(b, &edit, &own);
	if (step != STEP_NEXT) {
		edit_drop(&edit);
		return step;
	}
	return write_all(b, &edit, &own);
}

static bool can_begin(struct batch *b)
{
	if (!b->tablet) {
		answer_all(b, ERR_UNAVAILABLE, false);
		return false;
	}
	rados_tablet_name(b->name, b->tablet->bucket, b->tablet->number);
	if (b->tablet->is_open && tablet_settle(b->r, b->tablet,
					  b->begin_ms + LIMIT_RADOS_SETTLE_MS) == SETTLED_OPEN) {
		answer_all(b, ERR_UNAVAILABLE, false);
		return false;
	}
	return true;
}

void batch_run(struct batch *b)
{
	enum store_versioning versioning = STORE_UNVERSIONED;
	unsigned seed = (unsigned)b->begin_ms;
	unsigned conflicts = 0;
	if (!can_begin(b))
		return;
	/* A guess: the tablet's head knows. */
	b->versions = buckets_find(b->r->buckets, b->tablet->bucket, &versioning) &&
		      versioning != STORE_UNVERSIONED;
	for (;;) {
		bool conflict;
		if (attempt(b, &conflict) == STEP_DONE)
			break;
		if (clock_monotonic_ms() - b->begin_ms > LIMIT_RADOS_CONFLICT_MS) {
			answer_all(b, ERR_UNAVAILABLE, false);
			break;
		}
		if (conflict && ++conflicts > PATIENT_CONFLICTS)
			(void)usleep((useconds_t)rand_r(&seed) % PAUSE_MAX_US);
	}
	fetch_free(b->fetch);
	/* Nothing of it is on its way now. */
	if (b->is_large && !atomic_load(&b->r->closes))
		tablet_split(b->r, b->tablet);
}
