/* SPDX-License-Identifier: Apache-2.0 */
#include "store/local/put.h"

#include "base/limits.h"
#include "crypto/crc64.h"
#include "crypto/digest.h"
#include "store/local/committer.h"
#include "store/local/large.h"
#include "store/local/local_internal.h"

/*
 * A put. Its bytes gather in memory until they are more than a record may hold; then they go to a
 * file of their own. The record's head, key and meta data are built here, in the thread of the
 * caller, so that the committer only fills in the sequence and the checksum.
 */
struct store_put {
	struct local *local;
	enum err err;
	enum store_acl acl;
	char *bytes; /* gathered so far; NULL once there is a file */
	size_t len;
	size_t size;
	struct large *large;
	struct change change;
	struct store_put_commit *commit;
	uint64_t claimed; /* of the disk */
	size_t headers_len;
	unsigned char head[]; /* header, key, meta data, headers */
};

static unsigned char *meta_of(struct store_put *put)
{
	return put->head + RECORD_HEADER_BYTES + put->change.key_len;
}

static void put_free(struct store_put *put)
{
	free(put->bytes);
	free(put);
}

/* ---- Gathering ------------------------------------------------------------------------------- */

enum err put_begin(struct store *store, const struct store_put_spec *spec, struct store_put **ret)
{
	struct local *local = local_of(store);
	if (spec->key.len == 0 || spec->key.len > RECORD_NAME_MAX ||
		spec->headers.len > OBJECT_HEADERS_MAX)
		return ERR_INVALID_ARGUMENT;
	if (committer_broken(local->committer))
		return ERR_UNAVAILABLE;
	/* Tells an upload that cannot fit before it is sent. */
	if (!space_fits(&local->space, spec->size_hint))
		return ERR_DISK_FULL;
	size_t head_len =
		RECORD_HEADER_BYTES + spec->key.len + OBJECT_META_BYTES + spec->headers.len;
	struct store_put *put = calloc(1, sizeof(*put) + head_len);
	if (!put)
		return ERR_UNAVAILABLE;
	put->local = local;
	put->acl = spec->acl;
	put->headers_len = spec->headers.len;
	put->change.kind = CHANGE_OBJECT;
	put->change.head = put->head;
	put->change.head_len = head_len;
	put->change.key_len = spec->key.len;
	put->change.bucket_id = spec->bucket_id;
	memcpy(put->head + RECORD_HEADER_BYTES, spec->key.ptr, spec->key.len);
	if (spec->headers.len)
		memcpy(meta_of(put) + OBJECT_META_BYTES, spec->headers.ptr, spec->headers.len);
	if (spec->size_hint && spec->size_hint <= LIMIT_INLINE_BYTES) {
		put->size = (size_t)spec->size_hint;
		put->bytes = malloc(put->size);
		if (!put->bytes)
			put->size = 0;
	}
	*ret = put;
	return ERR_OK;
}

/* Makes room for `more` bytes, LIMIT_INLINE_BYTES at most in all. */
static bool grow(struct store_put *put, size_t more)
{
	size_t need = put->len + more;
	if (need <= put->size)
		return true;
	size_t size = put->size ? put->size * 2 : KIB(16);
	while (size < need)
		size *= 2;
	if (size > LIMIT_INLINE_BYTES)
		size = LIMIT_INLINE_BYTES;
	char *bytes = realloc(put->bytes, size);
	if (!bytes)
		return false;
	put->bytes = bytes;
	put->size = size;
	return true;
}

static enum err become_large(struct store_put *put)
{
	enum err e = large_new(put->local, &put->large);
	if (e != ERR_OK)
		return e;
	/* One buffer at most: there is nothing to wait for yet. */
	struct store_wait none = {.err = ERR_OK};
	(void)large_write(put->large, slice_of(put->bytes, put->len), &none);
	free(TAKE(put->bytes));
	put->len = 0;
	return ERR_OK;
}

enum store_now put_write(struct store_put *put, struct slice bytes, struct store_wait *wait)
{
	if (put->err == ERR_OK && !put->large && put->len + bytes.len > LIMIT_INLINE_BYTES)
		put->err = become_large(put);
	if (put->err == ERR_OK && put->large)
		return large_write(put->large, bytes, wait);
	if (put->err == ERR_OK && !grow(put, bytes.len))
		put->err = ERR_UNAVAILABLE;
	if (put->err == ERR_OK && bytes.len) {
		memcpy(put->bytes + put->len, bytes.ptr, bytes.len);
		put->len += bytes.len;
	}
	if (wait)
		wait->err = put->err;
	return STORE_DONE;
}

/* ---- Committing ------------------------------------------------------------------------------ */

/* Answers the commit and ends the put. */
static void conclude(struct store_put *put, enum err e)
{
	struct store_wait *wait = &put->commit->wait;
	if (put->claimed)
		space_release(&put->local->space, put->claimed);
	/* If nobody has the file after all, the next start removes it. */
	if (put->large)
		large_settle(put->large, e == ERR_OK || put->change.in_doubt);
	put_free(put);
	local_answer(wait, e);
}

static void committed(struct change *change)
{
	conclude(CONTAINER_OF(change, struct store_put, change), change->err);
}

/* Completes the record and hands it over. The result's object is filled but for its headers. */
static void submit(struct store_put *put, enum object_place place, uint64_t file)
{
	struct change *change = &put->change;
	struct object_meta meta = {.place = place, .file = file, .object = put->commit->object};
	meta.object.headers = slice_of(meta_of(put) + OBJECT_META_BYTES, put->headers_len);
	object_meta_write(meta_of(put), &meta);
	if (place == OBJECT_INLINE)
		change->data = slice_of(put->bytes, put->len);
	record_head(put->head, RECORD_OBJECT, change->bucket_id, change->key_len,
		OBJECT_META_BYTES + put->headers_len, change->data.len);
	change->forbid_overwrite = put->commit->forbid_overwrite;
	change->as_public = put->commit->as_public;
	change->done = committed;
	committer_add(put->local->committer, change);
}

static void begin_object(struct store_put *put)
{
	struct store_object *object = &put->commit->object;
	*object = (struct store_object){.acl = put->acl};
	object->modified_ms = clock_wall_ms(put->local->options.clock);
}

/* The file of a large object is complete, or has failed. */
static void file_done(struct large *large, const struct large_result *result, void *ctx)
{
	struct store_put *put = ctx;
	(void)large;
	if (result->err != ERR_OK) {
		conclude(put, result->err);
		return;
	}
	begin_object(put);
	struct store_object *object = &put->commit->object;
	object->size = result->size;
	object->crc64 = result->crc64;
	memcpy(object->md5, result->md5, sizeof(object->md5));
	submit(put, OBJECT_FILE, result->file);
}

static enum err commit_small(struct store_put *put)
{
	struct slice bytes = slice_of(put->bytes, put->len);
	struct store_put_commit *commit = put->commit;
	if (put->err != ERR_OK)
		return put->err;
	begin_object(put);
	commit->object.size = put->len;
	commit->object.crc64 = crc64_update(0, bytes);
	md5_of(bytes, commit->object.md5);
	if (commit->expect_md5 && memcmp(commit->object.md5, commit->expect_md5, MD5_BYTES) != 0)
		return ERR_INVALID_DIGEST;
	uint64_t need = put->change.head_len + put->len;
	if (!space_claim(&put->local->space, need))
		return ERR_DISK_FULL;
	put->claimed = need;
	submit(put, OBJECT_INLINE, 0);
	return ERR_OK;
}

void put_commit(struct store_put *put, struct store_put_commit *commit)
{
	put->commit = commit;
	if (put->large && put->err == ERR_OK) {
		large_finish(put->large, commit->expect_md5, file_done, put);
		return;
	}
	enum err e = commit_small(put);
	if (e != ERR_OK)
		conclude(put, e);
}

void put_abort(struct store_put *put)
{
	if (!put)
		return;
	if (put->large)
		large_abort(put->large);
	put_free(put);
}

/* ---- Changes without bytes ------------------------------------------------------------------- */

/* A change on the heap, for one of store.h's structures. */
struct request {
	struct change change;
	struct store_wait *wait;
	bool *existed;
	unsigned char head[]; /* of a deletion: header and key */
};

static void request_done(struct change *change)
{
	struct request *request = CONTAINER_OF(change, struct request, change);
	struct store_wait *wait = request->wait;
	enum err e = change->err;
	if (request->existed)
		*request->existed = change->existed;
	free(request);
	local_answer(wait, e);
}

/* NULL, with the wait answered, if there is no memory. */
static struct request *request_new(enum change_kind kind, struct store_wait *wait, size_t head_len)
{
	struct request *request = calloc(1, sizeof(*request) + head_len);
	if (!request) {
		local_answer(wait, ERR_UNAVAILABLE);
		return NULL;
	}
	request->change.kind = kind;
	request->change.done = request_done;
	request->wait = wait;
	return request;
}

static void request_send(struct store *store, struct request *request)
{
	committer_add(local_of(store)->committer, &request->change);
}

void change_delete(struct store *store, struct store_delete *del)
{
	if (del->key.len == 0 || del->key.len > RECORD_NAME_MAX) {
		del->existed = false;
		local_answer(&del->wait, ERR_OK);
		return;
	}
	size_t head_len = RECORD_HEADER_BYTES + del->key.len;
	struct request *request = request_new(CHANGE_OBJECT_DELETE, &del->wait, head_len);
	if (!request)
		return;
	request->existed = &del->existed;
	request->change.head = request->head;
	request->change.head_len = head_len;
	request->change.key_len = del->key.len;
	request->change.bucket_id = del->bucket_id;
	request->change.as_public = del->as_public;
	record_head(request->head, RECORD_OBJECT_DELETE, del->bucket_id, del->key.len, 0, 0);
	memcpy(request->head + RECORD_HEADER_BYTES, del->key.ptr, del->key.len);
	request_send(store, request);
}

void change_bucket_create(struct store *store, struct store_bucket_create *create)
{
	if (create->name.len == 0 || create->name.len > RECORD_NAME_MAX) {
		local_answer(&create->wait, ERR_INVALID_ARGUMENT);
		return;
	}
	struct request *request = request_new(CHANGE_BUCKET_CREATE, &create->wait, 0);
	if (!request)
		return;
	request->change.name = create->name;
	request->change.acl = create->acl == STORE_ACL_DEFAULT ? STORE_ACL_PRIVATE : create->acl;
	request->change.created_ms = clock_wall_ms(local_of(store)->options.clock);
	request_send(store, request);
}

void change_bucket(struct store *store, struct store_bucket_change *change)
{
	if (change->set_setting && change->value.len > BUCKET_SETTING_MAX) {
		local_answer(&change->wait, ERR_INVALID_ARGUMENT);
		return;
	}
	struct request *request = request_new(CHANGE_BUCKET, &change->wait, 0);
	if (!request)
		return;
	request->change.name = change->name;
	request->change.bucket_change = change;
	request_send(store, request);
}

void change_bucket_delete(struct store *store, struct store_bucket_delete *del)
{
	struct request *request = request_new(CHANGE_BUCKET_DELETE, &del->wait, 0);
	if (!request)
		return;
	request->change.name = del->name;
	request_send(store, request);
}
