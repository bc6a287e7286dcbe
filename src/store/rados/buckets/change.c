/* SPDX-License-Identifier: Apache-2.0 */
/* Creating, changing and deleting buckets: on the thread `admin`, which waits. */
#include <errno.h>
#include <stdlib.h>

#include "store/rados/buckets/table.h"
#include "store/rados/cluster/edit.h"
#include "store/rados/cluster/fetch.h"
#include "store/rados/rows/field.h"
#include "store/rados/rows/key.h"
#include "store/rados/rows/tablet_rows.h"
#include "store/rados/tablet/tablet.h"
#include "store/rules/rules.h"

enum {
	ATTEMPTS_MAX = 100,
	VALUE_BYTES_MAX = 64,
	COUNT_BYTES = 8,
};

/* A request on its way. */
struct job {
	struct task task;
	struct rados *r;
	struct store_bucket_create *create; /* one of them */
	struct store_bucket_update *change;
	struct store_bucket_delete *del;
};

/* A bucket's row, and how many there are, as they were read. */
struct seen {
	struct fetch *fetch;
	struct row_key key;
	struct slice value; /* empty: there is no such bucket */
	struct slice count_value;
	uint64_t count;
	struct bucket_row row;
};

static void seen_release(struct seen *seen)
{
	fetch_free(TAKE(seen->fetch));
}

/* seen_release() is due in any case. */
static enum err see(struct rados *r, struct slice name, struct seen *ret)
{
	*ret = (struct seen){.fetch = NULL};
	if (name.len == 0 || name.len > LIMIT_KEY_BYTES)
		return ERR_INVALID_ARGUMENT;
	ret->key = row_key_of(RADOS_BUCKET_ROW, name);
	ret->fetch = fetch_new();
	if (!ret->fetch)
		return ERR_UNAVAILABLE;
	const struct slice keys[] = {row_key_slice(&ret->key), S(RADOS_BUCKET_COUNT)};
	size_t number = fetch_keys(ret->fetch, keys, ARRAY_LEN(keys));
	enum err e = cluster_err(
		fetch_run(ret->fetch, r->index, RADOS_BUCKETS), "reading", RADOS_BUCKETS);
	if (e != ERR_OK)
		return e;
	ret->value = fetched_value(fetch_rows(ret->fetch, number), keys[0]);
	ret->count_value = fetched_value(fetch_rows(ret->fetch, number), keys[1]);
	struct field_reader reader = {.rest = ret->count_value};
	ret->count = field_number(&reader, COUNT_BYTES);
	if (!field_end(&reader) || (ret->value.len && !bucket_row_parse(ret->value, &ret->row)))
		return ERR_INTERNAL;
	ret->row.bucket.name = name;
	return ERR_OK;
}

static const struct store_bucket *bucket_of(const struct seen *seen)
{
	return seen->value.len ? &seen->row.bucket : NULL;
}

static struct row_key setting_key(struct slice name, enum store_setting setting)
{
	return row_key_version(RADOS_SETTING_ROW, name, (uint64_t)setting);
}

static void set_setting(
	struct edit *edit, struct slice name, enum store_setting setting, struct slice value)
{
	struct row_key key = setting_key(name, setting);
	if (value.len)
		edit_set(edit, row_key_slice(&key), value);
	else
		edit_remove(edit, row_key_slice(&key));
}

static void set_count(struct edit *edit, const struct seen *seen, uint64_t count)
{
	SCOPED_STRBUF(value, VALUE_BYTES_MAX);
	field_add(&value, count, COUNT_BYTES);
	edit_compare(edit, S(RADOS_BUCKET_COUNT), seen->count_value);
	edit_set(edit, S(RADOS_BUCKET_COUNT), strbuf_slice(&value));
}

/* An edit that compares the row with what was seen. */
static struct edit edit_row(struct rados *r, const struct seen *seen)
{
	struct edit edit = edit_begin(r->index);
	edit_compare(&edit, row_key_slice(&seen->key), seen->value);
	return edit;
}

static void set_row(struct edit *edit, const struct seen *seen, const struct bucket_row *row)
{
	SCOPED_STRBUF(value, VALUE_BYTES_MAX);
	bucket_row_format(row, &value);
	edit_set(edit, row_key_slice(&seen->key), strbuf_slice(&value));
}

/* ---- Creating -------------------------------------------------------------------------------- */

/* Says that there will be tablets: if this ends early, the collector removes them. */
static enum err announce(struct rados *r, struct slice key)
{
	struct edit edit = edit_begin(r->index);
	edit_compare(&edit, key, S(""));
	edit_set(&edit, key, S(RADOS_MAKING));
	return cluster_err(edit_run(&edit, RADOS_BUCKETS), "changing", RADOS_BUCKETS);
}

static enum err try_create(
	struct rados *r, const struct store_bucket_create *create, bool *ret_again)
{
	struct seen seen;
	struct bucket_row row = {.deleting = 0};
	enum err e = see(r, create->name, &seen);
	if (e == ERR_OK)
		e = rules_bucket_create(bucket_of(&seen), seen.count, create,
			clock_wall_ms(r->clock), rados_number(r), &row.bucket);
	struct row_key making = row_key_number(RADOS_DELETED_ROW, row.bucket.id);
	if (e == ERR_OK)
		e = announce(r, row_key_slice(&making));
	if (e == ERR_OK)
		e = tablet_create(r, row.bucket.id);
	if (e == ERR_OK) {
		struct edit edit = edit_row(r, &seen);
		edit_compare(&edit, row_key_slice(&making), S(RADOS_MAKING));
		edit_remove(&edit, row_key_slice(&making));
		set_row(&edit, &seen, &row);
		set_count(&edit, &seen, seen.count + 1);
		for (unsigned i = 0; i < STORE_SETTING_COUNT; i++)
			set_setting(&edit, create->name, i, row.bucket.settings[i]);
		int result = edit_run(&edit, RADOS_BUCKETS);
		*ret_again = result == -ECANCELED;
		/* The collector may have forgotten it before it was there. */
		if (*ret_again)
			tablet_discard(r, row.bucket.id);
		e = *ret_again ? ERR_OK : cluster_err(result, "changing", RADOS_BUCKETS);
	}
	seen_release(&seen);
	return e;
}

static enum err create_now(struct job *job)
{
	bool again = true;
	enum err e = ERR_OK;
	for (unsigned i = 0; again && e == ERR_OK && i < ATTEMPTS_MAX; i++) {
		again = false;
		e = try_create(job->r, job->create, &again);
	}
	return again ? ERR_UNAVAILABLE : e;
}

/* ---- Changing -------------------------------------------------------------------------------- */

static enum err try_change(struct rados *r, const struct store_bucket_update *change,
	struct bucket_row *ret, bool *ret_again)
{
	struct seen seen;
	enum err e = see(r, change->name, &seen);
	if (e == ERR_OK)
		e = rules_bucket_change(bucket_of(&seen), change, rados_number(r), &ret->bucket);
	if (e == ERR_OK) {
		struct edit edit = edit_row(r, &seen);
		/* Whoever is deleting it finds another row, and gives up. */
		ret->deleting = 0;
		set_row(&edit, &seen, ret);
		if (change->set_setting)
			set_setting(&edit, change->name, change->setting, change->value);
		int result = edit_run(&edit, RADOS_BUCKETS);
		*ret_again = result == -ECANCELED;
		e = *ret_again ? ERR_OK : cluster_err(result, "changing", RADOS_BUCKETS);
	}
	seen_release(&seen);
	return e;
}

/* Lets the tablets keep versions as the row says. */
static enum err follow_versioning(struct rados *r, struct slice name, uint64_t id)
{
	struct row_key key = row_key_of(RADOS_BUCKET_ROW, name);
	return tablet_follow_versioning(r, id, row_key_slice(&key));
}

static enum err update_now(struct job *job)
{
	bool again = true;
	struct bucket_row row = {.deleting = 0};
	enum err e = ERR_OK;
	for (unsigned i = 0; again && e == ERR_OK && i < ATTEMPTS_MAX; i++) {
		again = false;
		e = try_change(job->r, job->change, &row, &again);
	}
	if (again)
		return ERR_UNAVAILABLE;
	return e == ERR_OK && job->change->set_versioning
		       ? follow_versioning(job->r, job->change->name, row.bucket.id)
		       : e;
}

/* ---- Deleting -------------------------------------------------------------------------------- */

/* The tablet of a bucket that is deleted stays until its garbage was collected. */
static void add_deleted(struct edit *edit, uint64_t id)
{
	struct row_key key = row_key_number(RADOS_DELETED_ROW, id);
	edit_set(edit, row_key_slice(&key), S(RADOS_DELETED));
}

/* Removes the row, which must be as it was set when this began. 0 or -errno. */
static int remove_row(struct rados *r, struct slice name, uint64_t deleting)
{
	int result = -ECANCELED;
	for (unsigned i = 0; result == -ECANCELED && i < ATTEMPTS_MAX; i++) {
		struct seen seen;
		enum err e = see(r, name, &seen);
		if (e != ERR_OK || seen.value.len == 0 || seen.row.deleting != deleting) {
			seen_release(&seen);
			return e == ERR_OK ? -ESTALE : -EIO;
		}
		struct edit edit = edit_row(r, &seen);
		edit_remove(&edit, row_key_slice(&seen.key));
		add_deleted(&edit, seen.row.bucket.id);
		for (unsigned j = 0; j < STORE_SETTING_COUNT; j++)
			set_setting(&edit, name, j, S(""));
		set_count(&edit, &seen, seen.count ? seen.count - 1 : 0);
		result = edit_run(&edit, RADOS_BUCKETS);
		seen_release(&seen);
	}
	return result;
}

/* Takes back what was begun. First the row: if somebody else has changed that, all is theirs. */
static void undo_delete(struct rados *r, struct slice name, uint64_t deleting, uint64_t id,
	const struct frozen_tablets *frozen)
{
	struct seen seen;
	int result = -ESTALE;
	if (see(r, name, &seen) == ERR_OK && seen.value.len && seen.row.deleting == deleting) {
		struct bucket_row row = seen.row;
		struct edit edit = edit_row(r, &seen);
		row.deleting = 0;
		set_row(&edit, &seen, &row);
		result = edit_run(&edit, RADOS_BUCKETS);
	}
	seen_release(&seen);
	if (result == 0)
		tablet_thaw(r, id, frozen);
}

static enum err begin_delete(
	struct rados *r, struct slice name, uint64_t deleting, uint64_t *ret_id)
{
	int result = -ECANCELED;
	for (unsigned i = 0; result == -ECANCELED && i < ATTEMPTS_MAX; i++) {
		struct seen seen;
		enum err e = see(r, name, &seen);
		if (e == ERR_OK && seen.value.len == 0)
			e = ERR_NO_SUCH_BUCKET;
		if (e == ERR_OK) {
			struct bucket_row row = seen.row;
			struct edit edit = edit_row(r, &seen);
			row.deleting = deleting;
			set_row(&edit, &seen, &row);
			result = edit_run(&edit, RADOS_BUCKETS);
			*ret_id = row.bucket.id;
		}
		seen_release(&seen);
		if (e != ERR_OK)
			return e;
	}
	return cluster_err(result, "changing", RADOS_BUCKETS);
}

static enum err delete_now(struct job *job)
{
	struct rados *r = job->r;
	struct slice name = job->del->name;
	uint64_t deleting = rados_number(r);
	uint64_t id;
	struct frozen_tablets frozen = {.count = 0};
	enum err e = begin_delete(r, name, deleting, &id);
	if (e != ERR_OK)
		return e;
	e = tablet_freeze_empty(r, id, &frozen);
	if (e == ERR_OK) {
		int result = remove_row(r, name, deleting);
		if (result == 0) {
			tablet_kill(r, id);
			frozen_tablets_free(&frozen);
			return ERR_OK;
		}
		/* Somebody has changed the bucket, or thought that this had ended. */
		e = result == -ESTALE ? ERR_UNAVAILABLE
				      : cluster_err(result, "changing", RADOS_BUCKETS);
	}
	undo_delete(r, name, deleting, id, &frozen);
	frozen_tablets_free(&frozen);
	return e;
}

/* ---- Requests -------------------------------------------------------------------------------- */

static void run(struct task *task)
{
	struct job *job = CONTAINER_OF(task, struct job, task);
	struct store_wait *wait = job->create   ? &job->create->wait
				  : job->change ? &job->change->wait
						: &job->del->wait;
	enum err e = !life_is_well(&job->r->life) ? ERR_UNAVAILABLE
		     : job->create                ? create_now(job)
		     : job->change                ? update_now(job)
						  : delete_now(job);
	if (e == ERR_OK)
		e = table_notify(job->r);
	free(job);
	store_answer(wait, e);
}

static void begin(struct rados *r, struct store_wait *wait, struct job from)
{
	struct job *job = malloc(sizeof(*job));
	if (!job) {
		store_answer(wait, ERR_UNAVAILABLE);
		return;
	}
	*job = from;
	job->task.run = run;
	job->r = r;
	thread_queue_add(r->admin, &job->task);
}

void bucket_create_begin(struct store *store, struct store_bucket_create *create)
{
	if (atomic_load(&rados_of(store)->is_full)) {
		store_answer(&create->wait, ERR_DISK_FULL);
		return;
	}
	begin(rados_of(store), &create->wait, (struct job){.create = create});
}

void bucket_update_begin(struct store *store, struct store_bucket_update *change)
{
	begin(rados_of(store), &change->wait, (struct job){.change = change});
}

void bucket_delete_begin(struct store *store, struct store_bucket_delete *del)
{
	begin(rados_of(store), &del->wait, (struct job){.del = del});
}
