/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What was lost. First its bytes are moved aside, then it is deleted: if that is broken off, what
 * is missing is lost the next time. Where versions are kept a delete marker comes before that, or
 * the older version would be the current one.
 */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>

#include "base/log.h"
#include "base/waiter.h"
#include "store/local/commit/committer.h"
#include "store/local/commit/mutations.h"
#include "store/local/disk/aside.h"
#include "store/local/disk/files.h"
#include "store/local/large/large.h"
#include "store/local/repair/repair_internal.h"
#include "store/shared/buckets.h"

enum {
	VERSION_TEXT_BYTES = 24
};

/* ---- Telling --------------------------------------------------------------------------------- */

static void tell(struct repair *r, const struct about *about, const struct entry *entry,
	const struct bad_place *bad)
{
	char version[VERSION_TEXT_BYTES] = "";
	char what[128];
	const struct store_object *object = &entry->meta.object;
	(void)snprintf(what, sizeof(what), "%s: %s",
		about->kind == KEY_MULTIPART ? "an upload is lost" : "lost", bad->what);
	if (about->kind == KEY_MULTIPART)
		version[0] = '\0';
	else if (object->is_null || object->version == 0)
		(void)snprintf(version, sizeof(version), "null");
	else
		(void)snprintf(version, sizeof(version), "%016" PRIX64, object->version);
	const struct fsck_finding finding = {.what = what,
		.bucket = buckets_name(r->local->buckets, about->bucket_id),
		.key = about->key,
		.version = version,
		.file = bad->file,
		.offset = bad->offset};
	r->result->lost++;
	r->options->lost(&finding, r->options->ctx);
}

/* ---- Moving aside ---------------------------------------------------------------------------- */

static int move_file(struct repair *r, uint64_t file)
{
	char path[REPAIR_FILE_MAX];
	char aside[ASIDE_NAME_BYTES];
	char kept[ASIDE_NAME_BYTES];
	large_files_path(file, path, sizeof(path));
	char *slash = strrchr(path, '/');
	*slash = '\0';
	SCOPED_FD int dir = openat(r->local->dir, path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (dir < 0)
		return errno == ENOENT ? 0 : errno;
	(void)snprintf(aside, sizeof(aside), "large-%s", slash + 1);
	int e = aside_move(r->local->dir, dir, slash + 1, aside, kept);
	return e == ENOENT ? 0 : e;
}

/* The record stays where it is, until the collector takes its segment. */
static int copy_record(struct repair *r, const struct location *where)
{
	char aside[ASIDE_NAME_BYTES];
	char kept[ASIDE_NAME_BYTES];
	struct segment *segment = segment_pin(r->local->segments, where->segment);
	if (!segment)
		return 0;
	(void)snprintf(aside, sizeof(aside), "segment-%016" PRIx64 "-%" PRIu64, where->segment,
		where->offset);
	int e = aside_copy(r->local->dir, segment->fd, where->offset, where->offset + where->length,
		aside, kept);
	segment_unpin(segment);
	/* There is nothing to be kept of what the disk cannot read. */
	return e == EIO ? 0 : e;
}

static int move_bytes(struct repair *r, const struct entry *entry)
{
	if (entry->meta.place == OBJECT_FILE)
		return move_file(r, entry->meta.file);
	return entry->meta.place == OBJECT_INLINE ? copy_record(r, &entry->where) : 0;
}

static enum err move_parts(struct repair *r, uint64_t list, int *ret_fault)
{
	struct key prefix;
	struct slice rest;
	struct slice value;
	struct entry part;
	key_number(&prefix, KEY_PART, list);
	struct index_cursor *cursor = index_cursor_new(r->local->index, NULL, &prefix);
	if (!cursor)
		return ERR_UNAVAILABLE;
	for (index_cursor_seek(cursor, S(""));
		*ret_fault == 0 && index_cursor_at(cursor, &rest, &value);
		index_cursor_next(cursor))
		if (entry_parse(value, &part))
			*ret_fault = move_bytes(r, &part);
	enum err e = index_cursor_err(cursor);
	index_cursor_free(cursor);
	return e;
}

static enum err move_all(struct repair *r, const struct about *about, const struct entry *entry)
{
	int fault = 0;
	enum err e = ERR_OK;
	if (about->kind == KEY_MULTIPART)
		e = move_parts(r, about->upload, &fault);
	else if (entry->meta.place == OBJECT_PART_LIST)
		e = move_parts(r, entry->meta.file, &fault);
	else
		fault = move_bytes(r, entry);
	if (fault) {
		log_error("store: cannot move aside what is damaged: %s", files_text(fault));
		e = files_err(fault);
	}
	return e;
}

/* ---- Deleting -------------------------------------------------------------------------------- */

/* A deletion that keeps the version before, which the interface of the store does not have. */
struct deletion {
	struct mutation mutation;
	struct task task;
	struct executor *home;
};

static void committed(struct mutation *mutation)
{
	struct deletion *deletion = CONTAINER_OF(mutation, struct deletion, mutation);
	executor_post(deletion->home, &deletion->task);
}

static enum err delete_it(
	struct repair *r, const struct about *about, struct store_version version, bool keeps)
{
	struct waiter waiter;
	struct store_delete del = {
		.bucket_id = about->bucket_id, .key = about->key, .version = version};
	struct deletion deletion = {.mutation = {.kind = MUTATION_OBJECT_DELETE,
					    .key_len = about->key.len,
					    .bucket_id = about->bucket_id,
					    .del = &del,
					    .keeps = keeps,
					    .done = committed}};
	waiter_init(&waiter);
	deletion.home = waiter_expect(&waiter, &deletion.task);
	committer_add(r->local->committer, &deletion.mutation);
	waiter_wait(&waiter);
	waiter_release(&waiter);
	return deletion.mutation.err;
}

static enum err abort_upload(struct repair *r, const struct about *about)
{
	struct waiter waiter;
	struct store_multipart_abort abort = {
		.bucket_id = about->bucket_id, .key = about->key, .upload = about->upload};
	waiter_init(&waiter);
	abort.wait.home = waiter_expect(&waiter, &abort.wait.task);
	mutation_multipart_abort(r->store, &abort);
	waiter_wait(&waiter);
	waiter_release(&waiter);
	return abort.wait.err;
}

static enum err delete_object(
	struct repair *r, const struct about *about, const struct store_object *object)
{
	const struct store_version none = {.number = 0};
	const struct store_version version = {.number = object->is_null ? 0 : object->version,
		.is_null = object->is_null || object->version == 0};
	enum store_versioning versioning;
	enum err e = ERR_OK;
	if (!buckets_find(r->local->buckets, about->bucket_id, &versioning))
		return ERR_NO_SUCH_BUCKET;
	if (about->kind == KEY_OBJECT && versioning == STORE_UNVERSIONED)
		return delete_it(r, about, none, false);
	if (about->kind == KEY_OBJECT)
		e = delete_it(r, about, none, true);
	return e == ERR_OK ? delete_it(r, about, version, false) : e;
}

enum err lose(struct repair *r, const struct about *about, const struct entry *entry,
	const struct bad_place *bad)
{
	tell(r, about, entry, bad);
	enum err e = move_all(r, about, entry);
	if (e == ERR_OK)
		e = about->kind == KEY_MULTIPART ? abort_upload(r, about)
						 : delete_object(r, about, &entry->meta.object);
	if (e != ERR_OK)
		log_error("store: what is lost could not be taken out of the store: %s",
			err_info(e)->name);
	return e;
}
