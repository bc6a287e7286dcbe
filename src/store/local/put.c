/* SPDX-License-Identifier: Apache-2.0 */
#include "store/local/put.h"

#include "base/limits.h"
#include "crypto/crc64.h"
#include "crypto/digest.h"
#include "store/local/commit/committer.h"
#include "store/local/large/large.h"
#include "store/local/state/local_internal.h"

/*
 * A put. Its bytes gather in memory until they are more than a record may hold; then they go to a
 * file of their own. The record's head, key and meta data are built here, in the thread of the
 * caller, so that the committer only fills in the sequence and the checksum.
 */
struct store_put {
	struct local *local;
	enum err err;
	struct object_meta meta; /* but for what is known at the end; headers and tags in `head` */
	char *bytes;             /* gathered so far; NULL once there is a file */
	size_t len;
	size_t size;
	struct large *large;
	struct mutation mutation;
	struct store_put_commit *commit;
	struct budget_account memory; /* with `large`, once there is one */
	unsigned buffers;
	uint64_t claimed;     /* of the disk */
	unsigned char head[]; /* header, key, meta data, headers, tags */
};

static unsigned char *meta_of(struct store_put *put)
{
	return put->head + RECORD_HEADER_BYTES + put->mutation.key_len;
}

static void put_free(struct store_put *put)
{
	free(put->bytes);
	budget_close(&put->memory);
	free(put);
}

/* ---- Gathering ------------------------------------------------------------------------------- */

/* The kind of change, and what is known of its meta data. */
static void set_kind(struct store_put *put, const struct store_put_spec *spec)
{
	struct object_meta *meta = &put->meta;
	switch (spec->kind) {
	case STORE_PUT_OBJECT:
		put->mutation.kind = MUTATION_OBJECT;
		meta->object.type = spec->type;
		break;
	case STORE_PUT_PART:
		put->mutation.kind = MUTATION_PART;
		meta->is_part = true;
		meta->number = spec->part;
		meta->object.version = spec->upload;
		break;
	case STORE_PUT_APPEND:
		put->mutation.kind = MUTATION_APPEND;
		meta->is_part = true;
		meta->number = spec->position;
		break;
	}
	meta->object.acl = spec->acl;
}

static void copy_text(struct store_put *put, const struct store_put_spec *spec)
{
	struct store_object *object = &put->meta.object;
	char *to = (char *)meta_of(put) + OBJECT_META_BYTES;
	memcpy(put->head + RECORD_HEADER_BYTES, spec->key.ptr, spec->key.len);
	if (spec->headers.len)
		memcpy(to, spec->headers.ptr, spec->headers.len);
	object->headers = slice_of(to, spec->headers.len);
	to += spec->headers.len;
	if (spec->tags.len)
		memcpy(to, spec->tags.ptr, spec->tags.len);
	object->tags = slice_of(to, spec->tags.len);
}

enum err put_begin(struct store *store, const struct store_put_spec *spec, struct store_put **ret)
{
	struct local *local = local_of(store);
	if (spec->key.len == 0 || spec->key.len > RECORD_NAME_MAX ||
		spec->headers.len > OBJECT_HEADERS_MAX || spec->tags.len > OBJECT_TAGS_MAX)
		return ERR_INVALID_ARGUMENT;
	if (committer_broken(local->committer))
		return ERR_UNAVAILABLE;
	/* Refuses an upload that cannot fit before it is sent. */
	if (!space_fits(&local->space, spec->size_hint))
		return ERR_DISK_FULL;
	size_t head_len = RECORD_HEADER_BYTES + spec->key.len + OBJECT_META_BYTES +
			  spec->headers.len + spec->tags.len;
	struct store_put *put = calloc(1, sizeof(*put) + head_len);
	if (!put)
		return ERR_UNAVAILABLE;
	put->local = local;
	put->memory = spec->memory;
	put->buffers = spec->buffers ? spec->buffers : LIMIT_LARGE_BUFFERS;
	set_kind(put, spec);
	put->mutation.head = put->head;
	put->mutation.head_len = head_len;
	put->mutation.key_len = spec->key.len;
	put->mutation.bucket_id = spec->bucket_id;
	copy_text(put, spec);
	if (spec->size_hint && spec->size_hint <= LIMIT_INLINE_BYTES &&
		LIMIT_PUT_BYTES + spec->size_hint <= spec->memory.bytes) {
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
	char *bytes = NULL;
	if (budget_raise(&put->memory, LIMIT_PUT_BYTES + size))
		bytes = realloc(put->bytes, size);
	if (!bytes)
		return false;
	put->bytes = bytes;
	put->size = size;
	return true;
}

static enum err become_large(struct store_put *put)
{
	if (!budget_raise(&put->memory, store_put_bytes(put->buffers)))
		return ERR_UNAVAILABLE;
	enum err e = large_new(put->local, put->buffers, &put->large);
	if (e != ERR_OK)
		return e;
	large_count(put->large, &put->memory);
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
	if (put->large && e != ERR_OK && put->mutation.in_doubt)
		large_doubt(put->large);
	else if (put->large)
		large_settle(put->large, e == ERR_OK);
	put_free(put);
	store_answer(wait, e);
}

static void committed(struct mutation *mutation)
{
	conclude(CONTAINER_OF(mutation, struct store_put, mutation), mutation->err);
}

/*
 * The record of what is kept. That of an appendable object has its type, which pieces have not:
 * such a record begins an object, whatever its sequence.
 */
static void keep(struct store_object *object, const struct store_kept *kept)
{
	object->type = kept->type;
	object->modified_ms = kept->modified_ms;
	object->parts = kept->parts;
	memcpy(object->md5, kept->md5, sizeof(object->md5));
}

/* Completes the record and hands it over. */
static void submit(struct store_put *put, enum object_place place, uint64_t file)
{
	static const enum record_kind kinds[] = {
		[MUTATION_OBJECT] = RECORD_OBJECT,
		[MUTATION_PART] = RECORD_PART,
		[MUTATION_APPEND] = RECORD_APPEND,
	};
	struct mutation *mutation = &put->mutation;
	struct object_meta *meta = &put->meta;
	meta->place = place;
	meta->file = file;
	if (put->commit->kept && mutation->kind != MUTATION_PART) {
		mutation->kept = put->commit->kept;
		keep(&meta->object, mutation->kept);
	}
	object_meta_write(meta_of(put), meta);
	if (place == OBJECT_INLINE)
		mutation->data = slice_of(put->bytes, put->len);
	record_head(put->head, kinds[mutation->kind], mutation->bucket_id, mutation->key_len,
		OBJECT_META_BYTES + meta->object.headers.len + meta->object.tags.len,
		mutation->data.len);
	put->commit->object = meta->object;
	put->commit->object.headers = S("");
	put->commit->object.tags = S("");
	mutation->object = &put->commit->object;
	mutation->forbid_overwrite = put->commit->forbid_overwrite;
	mutation->caller = put->commit->caller;
	mutation->done = committed;
	committer_add(put->local->committer, mutation);
}

static bool crc_fits(const struct store_put *put, uint64_t crc64)
{
	return !put->commit->expect_crc64 || *put->commit->expect_crc64 == crc64;
}

/* The file of a large object is complete, or has failed. */
static void file_done(struct large *large, const struct large_result *result, void *ctx)
{
	struct store_put *put = ctx;
	struct store_object *object = &put->meta.object;
	(void)large;
	if (result->err != ERR_OK) {
		conclude(put, result->err);
		return;
	}
	if (!crc_fits(put, result->crc64)) {
		conclude(put, ERR_INVALID_DIGEST);
		return;
	}
	put->meta.has_sums = true;
	object->modified_ms = clock_wall_ms(put->local->options.clock);
	object->size = result->size;
	object->crc64 = result->crc64;
	memcpy(object->md5, result->md5, sizeof(object->md5));
	submit(put, OBJECT_FILE, result->file);
}

static enum err commit_small(struct store_put *put)
{
	struct slice bytes = slice_of(put->bytes, put->len);
	struct store_object *object = &put->meta.object;
	const unsigned char *expect_md5 = put->commit->expect_md5;
	if (put->err != ERR_OK)
		return put->err;
	object->modified_ms = clock_wall_ms(put->local->options.clock);
	object->size = put->len;
	object->crc64 = crc64_update(0, bytes);
	md5_of(bytes, object->md5);
	if (expect_md5 && memcmp(object->md5, expect_md5, MD5_BYTES) != 0)
		return ERR_INVALID_DIGEST;
	if (!crc_fits(put, object->crc64))
		return ERR_INVALID_DIGEST;
	uint64_t need = put->mutation.head_len + put->len;
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
