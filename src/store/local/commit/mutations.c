/* SPDX-License-Identifier: Apache-2.0 */
#include "store/local/commit/mutations.h"

#include "store/local/commit/committer.h"
#include "store/local/state/local_internal.h"

/* A change on the heap, for one of store.h's structures. */
struct request {
	struct mutation mutation;
	struct store_wait *wait;
	struct space *space;
	uint64_t claimed; /* of the disk */
	bool *existed;
	uint64_t *upload;
	unsigned char head[]; /* header, key and meta data */
};

static void request_done(struct mutation *mutation)
{
	struct request *request = CONTAINER_OF(mutation, struct request, mutation);
	struct store_wait *wait = request->wait;
	enum err e = mutation->err;
	if (request->existed)
		*request->existed = mutation->existed;
	if (request->upload)
		*request->upload = mutation->number;
	if (request->claimed)
		space_release(request->space, request->claimed);
	free(request);
	store_answer(wait, e);
}

/* NULL, with the wait answered, if there is no memory. */
static struct request *request_new(
	enum mutation_kind kind, struct store_wait *wait, size_t head_len)
{
	struct request *request = calloc(1, sizeof(*request) + head_len);
	if (!request) {
		store_answer(wait, ERR_UNAVAILABLE);
		return NULL;
	}
	request->mutation.kind = kind;
	request->mutation.done = request_done;
	request->wait = wait;
	return request;
}

static void request_send(struct store *store, struct request *request)
{
	committer_add(local_of(store)->committer, &request->mutation);
}

/* Likewise, of one that takes up to `bytes` and gives none back: it must not touch the reserve. */
static void request_send_claimed(struct store *store, struct request *request, uint64_t bytes)
{
	struct store_wait *wait = request->wait;
	request->space = &local_of(store)->space;
	request->claimed = bytes;
	if (space_claim(request->space, bytes)) {
		request_send(store, request);
		return;
	}
	free(request);
	store_answer(wait, ERR_DISK_FULL);
}

static bool key_fits(struct slice key)
{
	return key.len > 0 && key.len <= RECORD_NAME_MAX;
}

/* ---- Objects --------------------------------------------------------------------------------- */

void mutation_delete(struct store *store, struct store_delete *del)
{
	del->existed = false;
	del->made_marker = false;
	del->deleted_marker = false;
	if (!key_fits(del->key)) {
		store_answer(&del->wait, ERR_OK);
		return;
	}
	struct request *request = request_new(MUTATION_OBJECT_DELETE, &del->wait, 0);
	if (!request)
		return;
	request->existed = &del->existed;
	request->mutation.key_len = del->key.len;
	request->mutation.bucket_id = del->bucket_id;
	request->mutation.del = del;
	request_send(store, request);
}

void mutation_object(struct store *store, struct store_metadata_update *mutation)
{
	bool named = store_version_is_named(&mutation->version);
	mutation->object = (struct store_object){.size = 0};
	if (!key_fits(mutation->key)) {
		store_answer(&mutation->wait, named ? ERR_NO_SUCH_VERSION : ERR_NO_SUCH_KEY);
		return;
	}
	if ((mutation->set_headers && mutation->headers.len > OBJECT_HEADERS_MAX) ||
		(mutation->set_tags && mutation->tags.len > OBJECT_TAGS_MAX)) {
		store_answer(&mutation->wait, ERR_INVALID_ARGUMENT);
		return;
	}
	struct request *request = request_new(MUTATION_METADATA, &mutation->wait, 0);
	if (!request)
		return;
	request->mutation.bucket_id = mutation->bucket_id;
	request->mutation.key_len = mutation->key.len;
	request->mutation.object_change = mutation;
	request_send_claimed(store, request, OBJECT_META_MAX);
}

/* ---- Uploads --------------------------------------------------------------------------------- */

/* A record about an upload, which `meta` describes. NULL: it was answered. */
static struct request *upload_request(enum mutation_kind kind, enum record_kind record,
	uint64_t bucket_id, struct slice key, const struct object_meta *meta,
	struct store_wait *wait)
{
	const struct store_object *object = &meta->object;
	size_t meta_len = OBJECT_META_BYTES + object->headers.len + object->tags.len;
	size_t head_len = RECORD_HEADER_BYTES + key.len + meta_len;
	struct request *request = request_new(kind, wait, head_len);
	if (!request)
		return NULL;
	request->mutation.head = request->head;
	request->mutation.head_len = head_len;
	request->mutation.key_len = key.len;
	request->mutation.bucket_id = bucket_id;
	record_head(request->head, record, bucket_id, key.len, meta_len, 0);
	unsigned char *to = request->head + RECORD_HEADER_BYTES;
	memcpy(to, key.ptr, key.len);
	object_meta_write(to + key.len, meta);
	object_meta_write_text(to + key.len, object);
	return request;
}

void mutation_multipart_begin(struct store *store, struct store_multipart_begin *begin)
{
	struct object_meta meta = {.place = OBJECT_NONE};
	if (!key_fits(begin->key) || begin->headers.len > OBJECT_HEADERS_MAX ||
		begin->tags.len > OBJECT_TAGS_MAX) {
		store_answer(&begin->wait, ERR_INVALID_ARGUMENT);
		return;
	}
	meta.object.acl = begin->acl;
	meta.object.headers = begin->headers;
	meta.object.tags = begin->tags;
	meta.object.modified_ms = clock_wall_ms(local_of(store)->options.clock);
	struct request *request = upload_request(MUTATION_MULTIPART, RECORD_MULTIPART,
		begin->bucket_id, begin->key, &meta, &begin->wait);
	if (!request)
		return;
	request->upload = &begin->upload;
	request_send_claimed(store, request, request->mutation.head_len);
}

void mutation_multipart_abort(struct store *store, struct store_multipart_abort *abort)
{
	struct object_meta meta = {.place = OBJECT_NONE, .object.version = abort->upload};
	if (!key_fits(abort->key)) {
		store_answer(&abort->wait, ERR_NO_SUCH_UPLOAD);
		return;
	}
	struct request *request = upload_request(MUTATION_MULTIPART_ABORT, RECORD_MULTIPART_ABORT,
		abort->bucket_id, abort->key, &meta, &abort->wait);
	if (request)
		request_send(store, request);
}

void mutation_multipart_complete(struct store *store, struct store_multipart_complete *complete)
{
	complete->bad_part = 0;
	if (!key_fits(complete->key)) {
		store_answer(&complete->wait, ERR_NO_SUCH_UPLOAD);
		return;
	}
	struct request *request = request_new(MUTATION_COMPLETE, &complete->wait, 0);
	if (!request)
		return;
	request->mutation.bucket_id = complete->bucket_id;
	request->mutation.key_len = complete->key.len;
	request->mutation.complete = complete;
	request_send_claimed(store, request, OBJECT_META_MAX);
}

/* ---- Buckets --------------------------------------------------------------------------------- */

void mutation_bucket_create(struct store *store, struct store_bucket_create *create)
{
	struct request *request = request_new(MUTATION_BUCKET_CREATE, &create->wait, 0);
	if (!request)
		return;
	request->mutation.name = create->name;
	request->mutation.bucket_create = create;
	request->mutation.created_ms = clock_wall_ms(local_of(store)->options.clock);
	request_send(store, request);
}

void mutation_bucket(struct store *store, struct store_bucket_update *mutation)
{
	struct request *request = request_new(MUTATION_BUCKET, &mutation->wait, 0);
	if (!request)
		return;
	request->mutation.name = mutation->name;
	request->mutation.bucket_change = mutation;
	request_send(store, request);
}

void mutation_bucket_delete(struct store *store, struct store_bucket_delete *del)
{
	struct request *request = request_new(MUTATION_BUCKET_DELETE, &del->wait, 0);
	if (!request)
		return;
	request->mutation.name = del->name;
	request_send(store, request);
}
