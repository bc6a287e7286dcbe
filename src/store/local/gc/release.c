/* SPDX-License-Identifier: Apache-2.0 */
#include "store/local/gc/release.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <unistd.h>

#include "base/log.h"
#include "crypto/crc64.h"
#include "store/local/disk/aside.h"
#include "store/local/disk/bytes.h"
#include "store/local/disk/files.h"
#include "store/local/gc/gc_internal.h"

enum {
	BYTES_AT_ONCE = 8 << 20
};

struct release {
	struct gc gc; /* for its chores; it has no thread */
	struct segment *segment;
	uint64_t sent; /* bytes */
};

/* ---- Bytes of objects ------------------------------------------------------------------------ */

static enum err finish(struct release *release, bool all)
{
	if (!all && release->sent < BYTES_AT_ONCE)
		return ERR_OK;
	release->sent = 0;
	return chore_finish(&release->gc);
}

/* A record for the row, with the bytes; they are read to where they will be. */
static struct chore *make_move(struct release *release, uint64_t bucket_id, struct slice name,
	struct slice value, const struct entry *entry)
{
	struct slice meta = entry_meta(value);
	size_t head_len = RECORD_HEADER_BYTES + name.len + meta.len;
	size_t size = (size_t)entry->meta.object.size;
	size_t got = 0;
	struct chore *chore = chore_new(&release->gc, MUTATION_MOVE, head_len + size);
	if (!chore)
		return NULL;
	char *data = (char *)chore->head + head_len;
	if (files_read(release->segment->fd, data, size,
		    entry->where.offset + entry->where.data_offset, &got) != 0 ||
		got < size || crc64_update(0, slice_of(data, size)) != entry->meta.object.crc64) {
		free(chore);
		return NULL;
	}
	struct mutation *mutation = &chore->mutation;
	mutation->head_len = head_len;
	mutation->key_len = name.len;
	mutation->bucket_id = bucket_id;
	mutation->data = slice_of(data, size);
	chore->from = entry->where;
	mutation->moves_from = &chore->from;
	record_head(chore->head, RECORD_MOVE, bucket_id, name.len, meta.len, size);
	memcpy(chore->head + RECORD_HEADER_BYTES, name.ptr, name.len);
	memcpy(chore->head + RECORD_HEADER_BYTES + name.len, meta.ptr, meta.len);
	return chore;
}

static bool is_dead(struct release *release, uint64_t list)
{
	struct key key;
	struct index_value value;
	key_number(&key, KEY_DEAD_PART_LIST, list);
	if (index_get(release->gc.local->index, &key, false, &value) != INDEX_FOUND)
		return false;
	index_value_release(&value);
	return true;
}

/* What nobody has need not be whole. */
static enum err drop_part(struct release *release, struct slice rest)
{
	uint64_t list = be64_get(rest.ptr);
	if (!is_dead(release, list))
		return ERR_OK;
	struct chore *chore = chore_new(&release->gc, MUTATION_FORGET_PART, 0);
	if (!chore)
		return ERR_UNAVAILABLE;
	chore->mutation.number = list;
	chore->mutation.part = be64_get(rest.ptr + 8);
	chore_send(&release->gc, chore);
	return ERR_OK;
}

static enum err move_row(
	struct release *release, enum key_kind kind, struct slice rest, struct slice value)
{
	struct entry entry;
	uint64_t ignored;
	uint64_t bucket_id = 0;
	struct slice name = S("part"); /* which has no name in the index, and a record needs one */
	if (!entry_parse(value, &entry) || entry.meta.place != OBJECT_INLINE ||
		entry.where.segment != release->segment->id ||
		(kind == KEY_PART ? rest.len != 16 : rest.len <= 8))
		return ERR_OK;
	if (kind != KEY_PART) {
		bucket_id = be64_get(rest.ptr);
		name = slice_from(rest, 8);
		if (kind == KEY_VERSION && !key_split_version(name, &name, &ignored))
			return ERR_OK;
	}
	struct chore *chore = make_move(release, bucket_id, name, value, &entry);
	if (!chore)
		return kind == KEY_PART ? drop_part(release, rest) : ERR_OK;
	release->sent += chore->mutation.head_len + chore->mutation.data.len;
	chore_send(&release->gc, chore);
	return finish(release, false);
}

static enum err forget_end(struct release *release, struct slice rest, struct slice value)
{
	struct location where;
	if (rest.len != 16 || value.len != LOCATION_BYTES)
		return ERR_OK;
	location_read(value.ptr, &where);
	if (where.segment != release->segment->id)
		return ERR_OK;
	struct chore *chore = chore_new(&release->gc, MUTATION_FORGET_ENDED, 0);
	if (!chore)
		return ERR_UNAVAILABLE;
	chore->mutation.number = be64_get(rest.ptr);
	chore->mutation.part = be64_get(rest.ptr + 8);
	chore_send(&release->gc, chore);
	return ERR_OK;
}

static enum err walk(struct release *release, enum key_kind kind)
{
	struct key prefix;
	struct slice rest;
	struct slice value;
	enum err e = ERR_OK;
	key_kind(&prefix, kind);
	struct index_cursor *cursor = index_cursor_new(release->gc.local->index, NULL, &prefix);
	if (!cursor)
		return ERR_UNAVAILABLE;
	for (index_cursor_seek(cursor, S(""));
		e == ERR_OK && index_cursor_at(cursor, &rest, &value); index_cursor_next(cursor))
		e = kind == KEY_ENDED ? forget_end(release, rest, value)
				      : move_row(release, kind, rest, value);
	if (e == ERR_OK)
		e = index_cursor_err(cursor);
	index_cursor_free(cursor);
	enum err done = finish(release, true);
	return e == ERR_OK ? done : e;
}

static enum err move_all(struct release *release)
{
	/* What was said to have ended is in the records before, which say nothing any more. */
	static const enum key_kind kinds[] = {KEY_OBJECT, KEY_VERSION, KEY_PART, KEY_ENDED};
	enum err e = ERR_OK;
	for (size_t i = 0; i < ARRAY_LEN(kinds) && e == ERR_OK; i++)
		e = walk(release, kinds[i]);
	return e;
}

/* ---- The file -------------------------------------------------------------------------------- */

/* The one behind may say where this one, or this one where the one before, ends. */
static int set_aside(struct local *local, struct segment *segment)
{
	char name[SEGMENT_NAME_BYTES];
	char aside[ASIDE_NAME_BYTES];
	char kept[ASIDE_NAME_BYTES];
	SCOPED_FD int dir = openat(local->dir, "segments", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (dir < 0)
		return errno;
	segment_name(segment->id, name);
	(void)snprintf(aside, sizeof(aside), "segment-%016" PRIx64, segment->id);
	int e = segment_cut_before(local->segments, segment);
	if (e == 0)
		e = aside_move(local->dir, dir, name, aside, kept);
	if (e == 0)
		e = segment_remove(local->segments, segment->id);
	if (e == 0)
		log_info("store: segment %016" PRIx64 " is kept as damaged/%s", segment->id, kept);
	return e;
}

static enum err release_pinned(struct release *release, bool *ret_released)
{
	struct local *local = release->gc.local;
	uint64_t id = release->segment->id;
	enum err e = move_all(release);
	if (e != ERR_OK || release->segment->live)
		return e;
	/* The index on the disk must not need it. */
	e = index_flush(local->index);
	if (e != ERR_OK)
		return e;
	int fault = set_aside(local, release->segment);
	if (fault) {
		log_error("store: cannot move segment %016" PRIx64 " aside: %s", id,
			files_text(fault));
		return files_err(fault);
	}
	carry_forget(&release->gc, id);
	*ret_released = true;
	return index_flush(local->index);
}

static void begin(struct release *release)
{
	(void)pthread_cond_init(&release->gc.done, NULL);
	(void)pthread_mutex_init(&release->gc.lock, NULL);
}

static void end(struct release *release)
{
	(void)pthread_cond_destroy(&release->gc.done);
	(void)pthread_mutex_destroy(&release->gc.lock);
	segment_unpin(release->segment);
}

enum err release_segment(struct local *local, uint64_t id, bool *ret_released)
{
	struct release release = {
		.gc = {.local = local}, .segment = segment_pin(local->segments, id)};
	*ret_released = false;
	if (!release.segment)
		return ERR_OK;
	begin(&release);
	enum err e = release_pinned(&release, ret_released);
	end(&release);
	return e;
}

static bool forget_missing(uint64_t id, uint64_t live UNUSED, void *ctx)
{
	struct release *release = ctx;
	if (!segment_exists(release->gc.local->segments, id))
		carry_forget(&release->gc, id);
	return true;
}

enum err release_missing(struct local *local)
{
	struct release release = {.gc = {.local = local}};
	begin(&release);
	enum err e = index_each_number(local->index, KEY_SEGMENT, forget_missing, &release);
	end(&release);
	return e == ERR_OK ? index_flush(local->index) : e;
}
