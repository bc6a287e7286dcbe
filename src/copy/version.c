/* SPDX-License-Identifier: Apache-2.0 */
#include <stdlib.h>
#include <unistd.h>

#include "copy/copy_internal.h"
#include "crypto/crc64.h"

/* Whether a failed wait is about this version alone; then *ret_why says what. */
static bool is_its_own(enum err e, const char **ret_why)
{
	switch ((int)e) {
	case ERR_NO_SUCH_KEY:
	case ERR_NO_SUCH_VERSION:
	case ERR_METHOD_NOT_ALLOWED:
		*ret_why = "it has gone meanwhile";
		return true;
	case ERR_INVALID_DIGEST:
		*ret_why = "its bytes are not what was stored: it is not copied";
		return true;
	case ERR_INTERNAL:
		*ret_why = "it cannot be read, or not written: see the log";
		return true;
	case ERR_PRECONDITION_FAILED:
		*ret_why = "it is not copied: the target has a newer version of the key";
		return true;
	case ERR_INVALID_ARGUMENT:
		*ret_why = "it is not copied: the target cannot keep its number, or its texts";
		return true;
	default:
		return false;
	}
}

static struct store_version version_of(const struct version_row *row)
{
	return (struct store_version){
		.is_null = row->is_null, .number = row->is_null ? 0 : row->version};
}

static struct store_kept kept_of(const struct version_row *row)
{
	struct store_kept kept = {.version = row->version,
		.is_null = row->is_null,
		.modified_ms = row->modified_ms,
		.type = (enum store_type)row->type,
		.parts = row->parts};
	memcpy(kept.md5, row->md5, sizeof(kept.md5));
	return kept;
}

/* ---- Reading --------------------------------------------------------------------------------- */

/* Who takes the bytes of an object, in pieces of LIMIT_COPY_PIECE at most. */
struct taker {
	enum err (*take)(struct taker *taker, struct slice piece);
	struct copy *copy;
	struct waiter *waiter;
	char *buffer;
	uint64_t crc64;
	struct store_put *put;
};

/* The bytes of a blob. What cannot be read, or is not there, is damage. */
static enum err take_blob(struct taker *taker, const struct store_blob *blob)
{
	enum err e = ERR_OK;
	for (uint64_t at = 0; at < blob->size && e == ERR_OK;) {
		size_t len = blob->size - at < LIMIT_COPY_PIECE ? (size_t)(blob->size - at)
								: (size_t)LIMIT_COPY_PIECE;
		struct slice piece = slice_of(blob->bytes ? blob->bytes + blob->offset + at : NULL,
			blob->bytes ? len : 0);
		if (!blob->bytes) {
			ssize_t got =
				pread(blob->fd, taker->buffer, len, (off_t)(blob->offset + at));
			if (got <= 0)
				return ERR_INVALID_DIGEST;
			piece = slice_of(taker->buffer, (size_t)got);
		}
		if (copy_stops(taker->copy))
			return ERR_UNAVAILABLE;
		e = taker->take(taker, piece);
		copy_count(taker->copy, 0, piece.len);
		at += piece.len;
	}
	return e;
}

/* All bytes of what was got. */
static enum err take_all(struct taker *taker, struct store *store, struct store_get *get)
{
	enum err e = take_blob(taker, &get->blob);
	for (uint64_t at = get->blob.size; at < get->object.size && e == ERR_OK;) {
		struct store_read read = {.get = get, .at = at};
		read.wait.home = waiter_expect(taker->waiter, &read.wait.task);
		if (store_read(store, &read) == STORE_DONE)
			executor_post(read.wait.home, &read.wait.task);
		waiter_wait(taker->waiter);
		e = read.wait.err;
		if (e != ERR_OK)
			break;
		uint64_t left = get->object.size - at;
		if (read.blob.size > left)
			read.blob.size = left;
		e = read.blob.size ? take_blob(taker, &read.blob) : ERR_INVALID_DIGEST;
		at += read.blob.size;
		store_read_release(store, &read);
	}
	return e;
}

static enum err get_version(struct waiter *waiter, struct store *store, struct store_get *get)
{
	get->wait.home = waiter_expect(waiter, &get->wait.task);
	if (store_get(store, get) == STORE_DONE)
		executor_post(get->wait.home, &get->wait.task);
	waiter_wait(waiter);
	return get->wait.err;
}

/* ---- Copying --------------------------------------------------------------------------------- */

static enum err write_piece(struct taker *taker, struct slice piece)
{
	struct store_wait wait = {.home = waiter_expect(taker->waiter, &wait.task)};
	if (store_put_write(taker->copy->options->to, taker->put, piece, &wait) == STORE_DONE)
		executor_post(wait.home, &wait.task);
	waiter_wait(taker->waiter);
	return wait.err;
}

static enum err commit(struct taker *taker, const struct version_row *row)
{
	const struct store_kept kept = kept_of(row);
	struct store_put_commit commit = {.expect_crc64 = &row->crc64, .kept = &kept};
	commit.wait.home = waiter_expect(taker->waiter, &commit.wait.task);
	store_put_commit(taker->copy->options->to, taker->put, &commit);
	waiter_wait(taker->waiter);
	return commit.wait.err;
}

/* Writes what was got into the target. */
static enum err write_all(struct taker *taker, uint64_t bucket_id, struct slice key,
	struct store_get *get, const struct version_row *row)
{
	struct store *to = taker->copy->options->to;
	bool is_appendable = row->type == STORE_APPENDABLE;
	const struct store_put_spec spec = {
		.kind = is_appendable ? STORE_PUT_APPEND : STORE_PUT_OBJECT,
		.bucket_id = bucket_id,
		.key = key,
		.headers = get->object.headers,
		.tags = get->object.tags,
		.acl = get->object.acl,
		.type = row->type == STORE_SYMLINK ? STORE_SYMLINK : STORE_NORMAL,
		.size_hint = row->size};
	taker->take = write_piece;
	enum err e = store_put_begin(to, &spec, &taker->put);
	if (e != ERR_OK)
		return e;
	e = take_all(taker, taker->copy->options->from, get);
	if (e == ERR_OK)
		return commit(taker, row);
	store_put_abort(to, taker->put);
	return e;
}

/* Whether it is still what was listed. */
static bool is_listed(const struct store_object *object, const struct version_row *row)
{
	return (object->version ? object->version : 1) == row->version &&
	       object->size == row->size && object->crc64 == row->crc64;
}

static enum err copy_bytes(struct taker *taker, const struct place *place, struct slice key,
	const struct version_row *row)
{
	struct store *from = taker->copy->options->from;
	struct store_get get = {.bucket_id = place->from, .key = key, .version = version_of(row)};
	enum err e = get_version(taker->waiter, from, &get);
	if (e != ERR_OK)
		return e;
	if (is_listed(&get.object, row))
		e = write_all(taker, place->to, key, &get, row);
	else
		e = ERR_NO_SUCH_VERSION;
	store_get_release(from, &get);
	return e;
}

static enum err copy_marker(struct taker *taker, const struct place *place, struct slice key,
	const struct version_row *row)
{
	const struct store_kept kept = kept_of(row);
	struct store_delete del = {.bucket_id = place->to, .key = key, .kept = &kept};
	del.wait.home = waiter_expect(taker->waiter, &del.wait.task);
	store_delete(taker->copy->options->to, &del);
	waiter_wait(taker->waiter);
	return del.wait.err;
}

/* ---- Reading again --------------------------------------------------------------------------- */

static enum err sum_piece(struct taker *taker, struct slice piece)
{
	taker->crc64 = crc64_update(taker->crc64, piece);
	return ERR_OK;
}

static enum err verify_bytes(struct taker *taker, const struct place *place, struct slice key,
	const struct version_row *row)
{
	struct store *to = taker->copy->options->to;
	struct store_get get = {.bucket_id = place->to, .key = key, .version = version_of(row)};
	enum err e = get_version(taker->waiter, to, &get);
	if (e != ERR_OK)
		return e;
	taker->take = sum_piece;
	e = take_all(taker, to, &get);
	if (e == ERR_OK && taker->crc64 != row->crc64)
		e = ERR_INVALID_DIGEST;
	store_get_release(to, &get);
	return e;
}

/* ---- Both ------------------------------------------------------------------------------------ */

static enum err run(struct copy *c, const struct place *place, struct slice key,
	const struct version_row *row, const char **ret_why,
	enum err (*step)(struct taker *taker, const struct place *place, struct slice key,
		const struct version_row *row))
{
	struct waiter waiter;
	struct taker taker = {.copy = c, .waiter = &waiter};
	*ret_why = NULL;
	taker.buffer = malloc(LIMIT_COPY_PIECE);
	if (!taker.buffer)
		return ERR_UNAVAILABLE;
	waiter_init(&waiter);
	enum err e = step(&taker, place, key, row);
	waiter_release(&waiter);
	free(taker.buffer);
	return is_its_own(e, ret_why) ? ERR_OK : e;
}

enum err version_copy(struct copy *c, const struct place *place, struct slice key,
	const struct version_row *row, const char **ret_why)
{
	return run(c, place, key, row, ret_why, row->is_marker ? copy_marker : copy_bytes);
}

enum err version_verify(struct copy *c, const struct place *place, struct slice key,
	const struct version_row *row, const char **ret_why)
{
	enum err e = run(c, place, key, row, ret_why, verify_bytes);
	if (*ret_why)
		*ret_why = "the target has something else than was written there";
	return e;
}
