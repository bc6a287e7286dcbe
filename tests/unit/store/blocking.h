/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The calls of store.h for programs that may wait: each returns when it is done. For tests and
 * measurements.
 */
#ifndef TESTS_STORE_BLOCKING_H
#define TESTS_STORE_BLOCKING_H

#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "store/store.h"

/* An executor for one wait at a time: whoever posts wakes whoever waits. */
struct blocking {
	struct executor executor;
	pthread_mutex_t lock;
	pthread_cond_t posted;
	bool done;
};

static inline void blocking_post(struct executor *executor, struct task *task)
{
	struct blocking *b = CONTAINER_OF(executor, struct blocking, executor);
	(void)task;
	(void)pthread_mutex_lock(&b->lock);
	b->done = true;
	(void)pthread_cond_signal(&b->posted);
	(void)pthread_mutex_unlock(&b->lock);
}

static inline void blocking_init(struct blocking *b, struct store_wait *wait)
{
	b->executor.post = blocking_post;
	(void)pthread_mutex_init(&b->lock, NULL);
	(void)pthread_cond_init(&b->posted, NULL);
	b->done = false;
	*wait = (struct store_wait){.home = &b->executor, .err = ERR_COUNT};
}

/* Waits until the wait is posted; it can be used again afterwards. */
static inline enum err blocking_wait(struct blocking *b, struct store_wait *wait)
{
	(void)pthread_mutex_lock(&b->lock);
	while (!b->done)
		(void)pthread_cond_wait(&b->posted, &b->lock);
	b->done = false;
	(void)pthread_mutex_unlock(&b->lock);
	return wait->err;
}

static inline enum err bucket_create(struct store *s, struct slice name, enum store_acl acl)
{
	struct blocking b;
	struct store_bucket_create create = {.name = name, .acl = acl, .storage_class = S("IA")};
	blocking_init(&b, &create.wait);
	store_bucket_create(s, &create);
	return blocking_wait(&b, &create.wait);
}

static inline enum err bucket_change(struct store *s, struct store_bucket_update change)
{
	struct blocking b;
	blocking_init(&b, &change.wait);
	store_bucket_update(s, &change);
	return blocking_wait(&b, &change.wait);
}

static inline enum err bucket_delete(struct store *s, struct slice name)
{
	struct blocking b;
	struct store_bucket_delete del = {.name = name};
	blocking_init(&b, &del.wait);
	store_bucket_delete(s, &del);
	return blocking_wait(&b, &del.wait);
}

/* The id of a bucket, or 0. */
static inline uint64_t bucket_id(struct store *s, struct slice name)
{
	const struct store_bucket *bucket = store_bucket_get(s, name);
	uint64_t id = bucket ? bucket->id : 0;
	store_bucket_unref(s, bucket);
	return id;
}

/* Makes a private bucket, if there is none of the name; 0 if there is none afterwards. */
static inline uint64_t bucket_made(struct store *s, struct slice name)
{
	(void)bucket_create(s, name, STORE_ACL_PRIVATE);
	return bucket_id(s, name);
}

/* What a put may be told besides key and bytes; zeros are the usual. */
struct put_how {
	struct slice headers;
	enum store_acl acl;
	bool hint;
	size_t piece; /* bytes in one put_write; 0: 300,000 */
	bool forbid_overwrite;
	enum store_caller caller;
	const unsigned char *expect_md5;
	struct store_object *object; /* the result goes here */
};

/* Writes all of `bytes`; the first error that is reported early. */
static inline enum err put_pieces(
	struct store *s, struct store_put *put, struct slice bytes, size_t piece)
{
	struct blocking b;
	struct store_wait wait;
	blocking_init(&b, &wait);
	enum err e = ERR_OK;
	while (bytes.len && e == ERR_OK) {
		struct slice head = slice_head(bytes, piece ? piece : 300000);
		/* A block of its own, so that a sanitizer sees whoever keeps it; and one that does
		 * not fail where malloc() does. */
		char *copy = reallocarray(NULL, 1, head.len);
		memcpy(copy, head.ptr, head.len);
		enum store_now now = store_put_write(s, put, slice_of(copy, head.len), &wait);
		free(copy);
		e = now == STORE_WAIT ? blocking_wait(&b, &wait) : wait.err;
		bytes = slice_from(bytes, head.len);
	}
	return e;
}

/* Begins a put, and gives it up when all of its bytes have come. */
static inline bool put_and_abort(struct store *s, uint64_t id, struct slice key, struct slice bytes)
{
	struct store_put_spec spec = {.bucket_id = id, .key = key};
	struct store_put *put;
	if (store_put_begin(s, &spec, &put) != ERR_OK)
		return false;
	bool ok = put_pieces(s, put, bytes, 0) == ERR_OK;
	store_put_abort(s, put);
	return ok;
}

static inline enum err put_finish(struct store *s, struct store_put *put, const struct put_how *how)
{
	struct blocking b;
	struct store_put_commit commit = {.forbid_overwrite = how->forbid_overwrite,
		.caller = how->caller,
		.expect_md5 = how->expect_md5};
	blocking_init(&b, &commit.wait);
	store_put_commit(s, put, &commit);
	enum err e = blocking_wait(&b, &commit.wait);
	if (e == ERR_OK && how->object)
		*how->object = commit.object;
	return e;
}

static inline enum err put_object(struct store *s, uint64_t bucket, struct slice key,
	struct slice bytes, const struct put_how *how)
{
	static const struct put_how usual;
	if (!how)
		how = &usual;
	struct store_put_spec spec = {.bucket_id = bucket,
		.key = key,
		.headers = how->headers,
		.acl = how->acl,
		.size_hint = how->hint ? bytes.len : 0};
	struct store_put *put;
	enum err e = store_put_begin(s, &spec, &put);
	if (e != ERR_OK)
		return e;
	(void)put_pieces(s, put, bytes, how->piece);
	return put_finish(s, put, how);
}

static inline enum err get_begin(
	struct store *s, uint64_t bucket, struct slice key, bool head_only, struct store_get *get)
{
	struct blocking b;
	*get = (struct store_get){.bucket_id = bucket, .key = key, .head_only = head_only};
	blocking_init(&b, &get->wait);
	if (store_get(s, get) == STORE_WAIT)
		return blocking_wait(&b, &get->wait);
	return get->wait.err;
}

/* The bytes on the heap, or NULL if they cannot be read whole. */
static inline char *blob_read(const struct store_blob *blob)
{
	char *bytes = malloc(blob->size + 1);
	size_t got = 0;
	if (bytes && blob->bytes) {
		memcpy(bytes, blob->bytes + blob->offset, blob->size);
		return bytes;
	}
	while (bytes && got < blob->size) {
		ssize_t n =
			pread(blob->fd, bytes + got, blob->size - got, (off_t)(blob->offset + got));
		if (n <= 0) {
			free(bytes);
			return NULL;
		}
		got += (size_t)n;
	}
	return bytes;
}

static inline enum err read_begin(
	struct store *s, struct store_get *get, uint64_t at, struct store_read *read)
{
	struct blocking b;
	*read = (struct store_read){.get = get, .at = at};
	blocking_init(&b, &read->wait);
	if (store_read(s, read) == STORE_WAIT)
		return blocking_wait(&b, &read->wait);
	return read->wait.err;
}

/* The bytes of an object that is being read, from `at` on; on the heap, or NULL. */
static inline char *get_bytes(struct store *s, struct store_get *get, uint64_t at)
{
	uint64_t size = get->object.size - at;
	char *bytes = malloc(size + 1);
	uint64_t got = 0;
	bool ok = bytes != NULL;
	while (ok && got < size) {
		struct store_read read;
		struct store_blob blob = get->blob;
		bool more = at + got >= blob.size;
		if (more) {
			ok = read_begin(s, get, at + got, &read) == ERR_OK;
			blob = read.blob;
		} else {
			blob.offset += at + got;
			blob.size -= at + got;
		}
		char *piece = ok ? blob_read(&blob) : NULL;
		size_t len = blob.size < size - got ? (size_t)blob.size : (size_t)(size - got);
		if (ok && more)
			store_read_release(s, &read);
		ok = piece && len > 0;
		if (ok)
			memcpy(bytes + got, piece, len);
		got += len;
		free(piece);
	}
	if (!ok) {
		free(bytes);
		return NULL;
	}
	return bytes;
}

/* Whether the object is exactly `bytes`. */
static inline bool object_is(struct store *s, uint64_t bucket, struct slice key, struct slice bytes)
{
	struct store_get get;
	if (get_begin(s, bucket, key, false, &get) != ERR_OK)
		return false;
	char *got = get_bytes(s, &get, 0);
	bool same =
		got && get.object.size == bytes.len && slice_eq(slice_of(got, bytes.len), bytes);
	free(got);
	store_get_release(s, &get);
	return same;
}

/* ERR_NO_SUCH_KEY, ERR_OK, or what went wrong. */
static inline enum err head_object(struct store *s, uint64_t bucket, struct slice key)
{
	struct store_get get;
	enum err e = get_begin(s, bucket, key, true, &get);
	if (e == ERR_OK)
		store_get_release(s, &get);
	return e;
}

static inline enum err delete_object(
	struct store *s, uint64_t bucket, struct slice key, bool *ret_existed)
{
	struct blocking b;
	struct store_delete del = {.bucket_id = bucket, .key = key};
	blocking_init(&b, &del.wait);
	store_delete(s, &del);
	enum err e = blocking_wait(&b, &del.wait);
	if (ret_existed)
		*ret_existed = del.existed;
	return e;
}

/* Fill in all but the wait; store_list_release() is due on ERR_OK. */
static inline enum err list_objects(struct store *s, struct store_list *list)
{
	struct blocking b;
	blocking_init(&b, &list->wait);
	store_list(s, list);
	return blocking_wait(&b, &list->wait);
}

/* A put of whichever kind `spec` says. */
static inline enum err put_as(struct store *s, const struct store_put_spec *spec,
	struct slice bytes, struct store_object *ret)
{
	struct store_put *put;
	enum err e = store_put_begin(s, spec, &put);
	if (e != ERR_OK)
		return e;
	(void)put_pieces(s, put, bytes, 0);
	struct blocking b;
	struct store_put_commit commit = {.forbid_overwrite = false};
	blocking_init(&b, &commit.wait);
	store_put_commit(s, put, &commit);
	e = blocking_wait(&b, &commit.wait);
	if (ret)
		*ret = commit.object;
	return e;
}

static inline enum err upload_begin(
	struct store *s, uint64_t bucket, struct slice key, struct slice headers, uint64_t *ret)
{
	struct blocking b;
	struct store_multipart_begin begin = {.bucket_id = bucket, .key = key, .headers = headers};
	blocking_init(&b, &begin.wait);
	store_multipart_begin(s, &begin);
	enum err e = blocking_wait(&b, &begin.wait);
	*ret = begin.upload;
	return e;
}

static inline enum err put_part(struct store *s, uint64_t bucket, struct slice key, uint64_t upload,
	uint32_t part, struct slice bytes, struct store_object *ret)
{
	struct store_put_spec spec = {.kind = STORE_PUT_PART,
		.bucket_id = bucket,
		.key = key,
		.upload = upload,
		.part = part};
	return put_as(s, &spec, bytes, ret);
}

static inline enum err append(struct store *s, uint64_t bucket, struct slice key, uint64_t position,
	struct slice bytes, struct store_object *ret)
{
	struct store_put_spec spec = {.kind = STORE_PUT_APPEND,
		.bucket_id = bucket,
		.key = key,
		.headers = S("A: appended\r\n"),
		.position = position};
	return put_as(s, &spec, bytes, ret);
}

static inline enum err upload_abort(
	struct store *s, uint64_t bucket, struct slice key, uint64_t upload)
{
	struct blocking b;
	struct store_multipart_abort abort = {.bucket_id = bucket, .key = key, .upload = upload};
	blocking_init(&b, &abort.wait);
	store_multipart_abort(s, &abort);
	return blocking_wait(&b, &abort.wait);
}

/* Fill in all but the wait. */
static inline enum err upload_complete(struct store *s, struct store_multipart_complete *complete)
{
	struct blocking b;
	blocking_init(&b, &complete->wait);
	store_multipart_complete(s, complete);
	return blocking_wait(&b, &complete->wait);
}

/* Zeros if the bucket does not exist. */
static inline void bucket_stats(struct store *s, uint64_t bucket, struct store_bucket_stats *ret)
{
	struct blocking b;
	struct store_bucket_count count = {.bucket_id = bucket};
	blocking_init(&b, &count.wait);
	store_bucket_count(s, &count);
	(void)blocking_wait(&b, &count.wait);
	*ret = count.stats;
}

/* Fill in all but the wait; the releases are due on ERR_OK. */
static inline enum err list_parts(struct store *s, struct store_list_parts *list)
{
	struct blocking b;
	blocking_init(&b, &list->wait);
	store_list_parts(s, list);
	return blocking_wait(&b, &list->wait);
}

static inline enum err list_uploads(struct store *s, struct store_list_multiparts *list)
{
	struct blocking b;
	blocking_init(&b, &list->wait);
	store_list_multiparts(s, list);
	return blocking_wait(&b, &list->wait);
}

#endif
