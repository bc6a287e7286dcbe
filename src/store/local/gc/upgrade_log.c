/* SPDX-License-Identifier: Apache-2.0 */
#include "store/local/gc/upgrade_log.h"

#include <inttypes.h>

#include "base/log.h"
#include "store/local/disk/bytes.h"
#include "store/local/gc/gc_internal.h"

enum {
	AT_ONCE = 256,
	TELL_MS = 10000,
};

struct upgrade {
	struct gc gc; /* for its chores; it has no thread */
	uint64_t rows;
	uint64_t written;
	uint64_t told_rows;
	int64_t told_ms;
	unsigned sent;
	bool is_anew; /* also what is in the log already */
};

static void tell(struct upgrade *upgrade)
{
	int64_t now_ms = clock_monotonic_ms();
	if (now_ms - upgrade->told_ms < TELL_MS)
		return;
	upgrade->told_ms = now_ms;
	log_info("store: what only the index has is written to the log: %" PRIu64
		 " entries looked at, %" PRIu64 " written",
		upgrade->rows, upgrade->written);
}

static enum err finish_some(struct upgrade *upgrade, bool all)
{
	if (!all && upgrade->sent < AT_ONCE)
		return ERR_OK;
	upgrade->sent = 0;
	tell(upgrade);
	return chore_finish(&upgrade->gc);
}

/* ---- Entries --------------------------------------------------------------------------------- */

/* An entry, and what it belongs to. */
struct row_of {
	uint64_t bucket_id;
	struct slice name;
	struct slice value;
	struct entry entry;
};

/*
 * If the object's bytes lie in a record of the log, the new record says where that one is, and all
 * that is known of the object. Any other entry is made by the new record alone.
 */
static enum err send_entry(struct upgrade *upgrade, const struct row_of *row)
{
	bool in_record = row->entry.meta.place == OBJECT_INLINE;
	struct object_meta meta = row->entry.meta;
	size_t meta_len = OBJECT_META_BYTES + meta.object.headers.len + meta.object.tags.len;
	size_t data_len = in_record ? LOCATION_BYTES : 0;
	size_t head_len = RECORD_HEADER_BYTES + row->name.len + meta_len;
	struct chore *chore = chore_new(
		&upgrade->gc, in_record ? MUTATION_RESTATE : MUTATION_MOVE, head_len + data_len);
	if (!chore)
		return ERR_UNAVAILABLE;
	struct mutation *mutation = &chore->mutation;
	mutation->head_len = head_len;
	mutation->key_len = row->name.len;
	mutation->bucket_id = row->bucket_id;
	mutation->is_upgrade = true;
	chore->from = in_record ? row->entry.stated : row->entry.where;
	mutation->moves_from = &chore->from;
	record_head(chore->head, in_record ? RECORD_METADATA : RECORD_MOVE, row->bucket_id,
		row->name.len, meta_len, data_len);
	unsigned char *to = chore->head + RECORD_HEADER_BYTES;
	memcpy(to, row->name.ptr, row->name.len);
	to += row->name.len;
	object_meta_write(to, &meta);
	object_meta_write_text(to, &meta.object);
	if (in_record)
		location_write((char *)to + meta_len, &row->entry.where);
	mutation->data = slice_of((const char *)to + meta_len, data_len);
	chore_send(&upgrade->gc, chore);
	upgrade->sent++;
	upgrade->written++;
	return finish_some(upgrade, false);
}

/* Whether that record is in the part of the log that is whole already. */
static bool is_said_at(struct local *local, const struct location *where)
{
	struct segment *segment = segment_pin(local->segments, where->segment);
	bool is_said = segment && segment->first_sequence >= local->log_since;
	segment_unpin(segment);
	return is_said;
}

static bool is_said(struct local *local, const struct entry *entry)
{
	return is_said_at(local, &entry->stated) || is_said_at(local, &entry->where);
}

/* What a key is about; false if it is not well-formed. */
static bool split(enum key_kind kind, struct slice rest, struct row_of *row)
{
	uint64_t ignored;
	/* A part has no name in the index, and a record needs one. */
	row->name = S("part");
	if (kind == KEY_PART)
		return rest.len == 16;
	if (rest.len < 8)
		return false;
	row->bucket_id = be64_get(rest.ptr);
	rest = slice_from(rest, 8);
	row->name = rest;
	if (kind == KEY_VERSION)
		return key_split_version(rest, &row->name, &ignored);
	if (kind == KEY_MULTIPART)
		return key_split_upload(rest, &row->name, &ignored);
	return rest.len > 0;
}

static enum err send_kind(struct upgrade *upgrade, enum key_kind kind)
{
	struct key prefix;
	struct slice rest;
	enum err e = ERR_OK;
	key_kind(&prefix, kind);
	struct index_cursor *cursor = index_cursor_new(upgrade->gc.local->index, NULL, &prefix);
	if (!cursor)
		return ERR_UNAVAILABLE;
	struct row_of row = {.bucket_id = 0};
	for (index_cursor_seek(cursor, S(""));
		e == ERR_OK && index_cursor_at(cursor, &rest, &row.value);
		index_cursor_next(cursor)) {
		upgrade->rows++;
		if (!split(kind, rest, &row) || !entry_parse(row.value, &row.entry)) {
			log_error("store: an entry of the index is damaged: it is not written to "
				  "the log");
			continue;
		}
		if (!is_said(upgrade->gc.local, &row.entry))
			e = send_entry(upgrade, &row);
	}
	if (e == ERR_OK)
		e = index_cursor_err(cursor);
	index_cursor_free(cursor);
	enum err done = finish_some(upgrade, true);
	return e == ERR_OK ? done : e;
}

/* ---- Buckets --------------------------------------------------------------------------------- */

struct buckets_to_send {
	struct upgrade *upgrade;
	enum err err;
};

static bool send_bucket(struct slice name, struct slice meta, void *ctx)
{
	struct buckets_to_send *all = ctx;
	struct upgrade *upgrade = all->upgrade;
	struct store_bucket bucket = {.name = name};
	if (!bucket_meta_parse(meta, &bucket)) {
		all->err = ERR_INTERNAL;
		return false;
	}
	struct chore *chore = chore_new(
		&upgrade->gc, MUTATION_MOVE_BUCKET, RECORD_HEADER_BYTES + name.len + meta.len);
	if (!chore) {
		all->err = ERR_UNAVAILABLE;
		return false;
	}
	chore->mutation.key_len = name.len;
	chore->mutation.bucket_id = bucket.id;
	chore->mutation.is_upgrade = true;
	record_head(chore->head, RECORD_BUCKET, bucket.id, name.len, meta.len, 0);
	memcpy(chore->head + RECORD_HEADER_BYTES, name.ptr, name.len);
	memcpy(chore->head + RECORD_HEADER_BYTES + name.len, meta.ptr, meta.len);
	chore_send(&upgrade->gc, chore);
	upgrade->written++;
	return true;
}

static enum err send_buckets(struct upgrade *upgrade)
{
	struct buckets_to_send all = {.upgrade = upgrade, .err = ERR_OK};
	enum err e = index_each_bucket(upgrade->gc.local->index, send_bucket, &all);
	enum err done = finish_some(upgrade, true);
	if (e == ERR_OK)
		e = all.err;
	return e == ERR_OK ? done : e;
}

/* ---- All of it ------------------------------------------------------------------------------- */

static enum err send_all(struct upgrade *upgrade)
{
	static const enum key_kind kinds[] = {KEY_OBJECT, KEY_VERSION, KEY_MULTIPART, KEY_PART};
	enum err e = send_buckets(upgrade);
	for (size_t i = 0; i < ARRAY_LEN(kinds) && e == ERR_OK; i++)
		e = send_kind(upgrade, kinds[i]);
	return e;
}

/*
 * Older versions must not open the folder from the first record on that they do not know. It begins
 * a segment, so that it can be told what lies behind it.
 */
static enum err mark_begin(struct upgrade *upgrade)
{
	struct local *local = upgrade->gc.local;
	struct index_state now;
	if (local->format.version >= 3 && !upgrade->is_anew)
		return ERR_OK;
	enum err e = chore_send_number(&upgrade->gc, MUTATION_SEAL, local->wal.active->id, 0);
	enum err done = chore_finish(&upgrade->gc);
	e = e == ERR_OK ? done : e;
	if (e != ERR_OK)
		return e;
	committer_state(local->committer, &now);
	local->format = (struct folder_format){.version = 3, .since = now.sequence};
	local->log_since = local->format.since;
	return folder_write_format(local->dir, &local->format);
}

static enum err mark_end(struct local *local)
{
	local->format.is_whole = true;
	return folder_write_format(local->dir, &local->format);
}

static enum err write_all(struct local *local, bool is_anew, enum err *ret_begun)
{
	struct upgrade upgrade = {
		.gc = {.local = local}, .told_ms = clock_monotonic_ms(), .is_anew = is_anew};
	(void)pthread_cond_init(&upgrade.gc.done, NULL);
	(void)pthread_mutex_init(&upgrade.gc.lock, NULL);
	*ret_begun = mark_begin(&upgrade);
	enum err e = *ret_begun;
	if (e == ERR_OK)
		e = send_all(&upgrade);
	if (e == ERR_OK)
		e = mark_end(local);
	if (e == ERR_OK)
		log_info("store: the log has all that the index has: %" PRIu64
			 " entries were looked at, %" PRIu64 " written",
			upgrade.rows, upgrade.written);
	else
		log_error("store: what only the index has could not be written to the log; it is "
			  "gone on with at the next start");
	(void)pthread_cond_destroy(&upgrade.gc.done);
	(void)pthread_mutex_destroy(&upgrade.gc.lock);
	return e;
}

enum err upgrade_log(struct local *local)
{
	enum err begun;
	if (local->format.is_whole)
		return ERR_OK;
	log_info("store: the folder is of an older format: what only the index has is written to "
		 "the log, once");
	/* What could not be written is at the next start. */
	return write_all(local, false, &begun) == ERR_OK ? ERR_OK : begun;
}

enum err upgrade_log_anew(struct local *local)
{
	enum err begun;
	log_info("store: all that the index has is written to the log anew");
	return write_all(local, true, &begun);
}
