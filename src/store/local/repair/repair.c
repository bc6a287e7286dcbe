/* SPDX-License-Identifier: Apache-2.0 */
#include "store/local/repair/repair.h"

#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

#include "base/log.h"
#include "store/local/commit/committer.h"
#include "store/local/disk/bytes.h"
#include "store/local/disk/files.h"
#include "store/local/large/verify.h"
#include "store/local/local.h"
#include "store/local/rebuild/rebuild.h"
#include "store/local/repair/repair_internal.h"
#include "store/local/state/folder.h"
#include "store/local/state/removals.h"

/* ---- The index ------------------------------------------------------------------------------- */

static void told(const char *message, void *ctx UNUSED)
{
	log_error("store: the index is damaged: %s", message);
}

/* Whether the index is there, and all of it can be read; then *ret is its state. */
static bool index_is_well(int dir, const char *path, struct index_state *ret)
{
	struct index_state state;
	bool found;
	SCOPED_STRBUF(name, KIB(8));
	struct index *index = NULL;
	strbuf_addf(&name, "%s/index", path);
	if (faccessat(dir, "index/CURRENT", F_OK, 0) != 0 || strbuf_broken(&name) ||
		index_open_told(name.ptr, told, NULL, &index) != ERR_OK)
		return false;
	bool well = index_read_all(index) == ERR_OK &&
		    index_read_state(index, &state, &found) == ERR_OK;
	if (well && found)
		*ret = state;
	index_close(index);
	return well;
}

/* Else it was killed at its first start: there is nothing yet. */
static bool has_log(int dir)
{
	return faccessat(dir, "segments", F_OK, 0) == 0;
}

static bool make_index(struct repair *r)
{
	struct rebuild_result made;
	enum err e = rebuild_index(&(struct rebuild_options){.path = r->options->path}, &made);
	r->result->made_index = e == ERR_OK;
	r->result->unknown = e == ERR_OK ? made.lost : 0;
	return e == ERR_OK;
}

/* The folder is locked meanwhile, and then by the store. */
static enum err mend_index(struct repair *r)
{
	struct folder_format format;
	struct index_state state = {.segment = 0};
	SCOPED_FD int dir = -1;
	SCOPED_FD int lock = -1;
	const char *path = r->options->path;
	enum err e = folder_open(path, false, &dir);
	if (e == ERR_OK)
		e = folder_lock(dir, path, &lock);
	if (e == ERR_OK)
		e = folder_check_copy(dir, path);
	if (e == ERR_OK)
		e = folder_check_format(dir, path, false, &format);
	if (e != ERR_OK)
		return e;
	bool well = index_is_well(dir, path, &state);
	if (!has_log(dir))
		return ERR_OK;
	e = last_segment_mend(dir, &state);
	if (e != ERR_OK || well)
		return e;
	(void)close(lock);
	lock = -1;
	return make_index(r) ? ERR_OK : ERR_INTERNAL;
}

/* ---- Objects --------------------------------------------------------------------------------- */

static bool split(enum key_kind kind, struct slice rest, struct about *ret)
{
	uint64_t ignored;
	*ret = (struct about){.kind = kind};
	if (rest.len <= 8)
		return false;
	ret->bucket_id = be64_get(rest.ptr);
	ret->key = slice_from(rest, 8);
	if (kind == KEY_VERSION)
		return key_split_version(ret->key, &ret->key, &ignored);
	return kind == KEY_OBJECT || key_split_upload(ret->key, &ret->key, &ret->upload);
}

static enum err check_row(
	struct repair *r, enum key_kind kind, struct slice rest, struct slice value)
{
	struct about about;
	struct entry entry;
	struct bad_place bad;
	if (!split(kind, rest, &about) || !entry_parse(value, &entry)) {
		log_error("store: an entry of the index is damaged");
		return ERR_INTERNAL;
	}
	enum err e = check_entry(r, &about, &entry, &bad);
	return e == ERR_OK && bad.what ? lose(r, &about, &entry, &bad) : e;
}

static enum err check_kind(struct repair *r, enum key_kind kind)
{
	struct key prefix;
	struct slice rest;
	struct slice value;
	enum err e = ERR_OK;
	key_kind(&prefix, kind);
	struct index_cursor *cursor = index_cursor_new(r->local->index, NULL, &prefix);
	if (!cursor)
		return ERR_UNAVAILABLE;
	for (index_cursor_seek(cursor, S(""));
		e == ERR_OK && index_cursor_at(cursor, &rest, &value); index_cursor_next(cursor))
		e = check_row(r, kind, rest, value);
	if (e == ERR_OK)
		e = index_cursor_err(cursor);
	index_cursor_free(cursor);
	return e;
}

static enum err check_objects(struct repair *r)
{
	static const enum key_kind kinds[] = {KEY_OBJECT, KEY_VERSION, KEY_MULTIPART};
	enum err e = ERR_OK;
	for (size_t i = 0; i < ARRAY_LEN(kinds) && e == ERR_OK; i++)
		e = check_kind(r, kinds[i]);
	return e;
}

/* ---- All of it ------------------------------------------------------------------------------- */

/* Nothing is removed while it is open: what was deleted may be all that is left of something. */
static enum err open_store(struct repair *r)
{
	const struct local_options options = {.path = r->options->path, .clock = &clock_system};
	struct index_state state;
	enum err e = local_store_open(&options, &r->store);
	if (e != ERR_OK)
		return e;
	r->local = local_of(r->store);
	r->lock = openat(r->local->dir, "lock", O_RDWR | O_CLOEXEC);
	int fault = r->lock < 0 ? errno : removals_forbid(r->lock);
	if (fault) {
		log_error("store: cannot lock %s: %s", r->options->path, files_text(fault));
		return files_err(fault);
	}
	committer_state(r->local->committer, &state);
	r->total = 2 * segments_disk_bytes(r->local->segments) + state.file_bytes;
	return ERR_OK;
}

static void close_all(struct repair *r)
{
	if (r->store)
		store_close(r->store);
	if (r->lock >= 0)
		(void)close(r->lock);
	free(r->segments);
	free(r->block);
}

enum err repair(const struct repair_options *options, struct repair_result *ret)
{
	struct repair r = {.options = options, .result = ret, .lock = -1};
	memset(ret, 0, sizeof(*ret));
	r.block = malloc(VERIFY_BLOCK_BYTES);
	enum err e = r.block ? mend_index(&r) : ERR_UNAVAILABLE;
	if (e == ERR_OK)
		e = open_store(&r);
	if (e == ERR_OK)
		e = check_objects(&r);
	if (e == ERR_OK)
		e = log_repair(&r);
	close_all(&r);
	return e;
}
