/* SPDX-License-Identifier: Apache-2.0 */
#include "store/local/commit/change.h"

#include "store/local/commit/committer.h"
#include "store/local/state/local_internal.h"

/* A change on the heap, for one of store.h's structures. */
struct request {
	struct change change;
	struct store_wait *wait;
	struct space *space;
	uint64_t claimed; /* of the disk */
	bool *existed;
	uint64_t *upload;
	unsigned char head[]; /* header, key and meta data */
};

static void request_done(struct change *change)
{
	struct request *request = CONTAINER_OF(change, struct request, change);
	struct store_wait *wait = request->wait;
	enum err e = change->err;
	if (request->existed)
		*request->existed = change->existed;
	if (request->upload)
		*request->upload = change->number;
	if (request->claimed)
		space_release(request->space, request->claimed);
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
	local_answer(wait, ERR_DISK_FULL);
}

static bool key_fits(struct slice key)
{
	return key.len > 0 && key.len <= RECORD_NAME_MAX;
}

/* ---- Objects --------------------------------------------------------------------------------- */

void change_delete(struct store *store, struct store_delete *del)
{
	del->existed = false;
	del->made_marker = false;
	del->deleted_marker = false;
	if (!key_fits(del->key)) {
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
	request->change.del = del;
	record_head(request->head, RECORD_OBJECT_DELETE, del->bucket_id, del->key.len, 0, 0);
	memcpy(request->head + RECORD_HEADER_BYTES, del->key.ptr, del->key.len);
	request_send(store, request);
}

void change_object(struct store *store, struct store_object_change *change)
{
	bool named = change->version.is_null || change->version.number;
	change->object = (struct store_object){.size = 0};
	if (!key_fits(change->key)) {
		local_answer(&change->wait, named ? ERR_NO_SUCH_VERSION : ERR_NO_SUCH_KEY);
		return;
	}
	if ((change->set_headers && change->headers.len > OBJECT_HEADERS_MAX) ||
		(change->set_tags && change->tags.len > OBJECT_TAGS_MAX)) {
		local_answer(&change->wait, ERR_INVALID_ARGUMENT);
		return;
	}
	struct request *request = request_new(CHANGE_META, &change->wait, 0);
	if (!request)
		return;
	request->change.bucket_id = change->bucket_id;
	request->change.key_len = change->key.len;
	request->change.object_change = change;
	request_send_claimed(store, request, OBJECT_META_MAX);
}

/* ---- Uploads --------------------------------------------------------------------------------- */

/* A record about an upload, which `meta` describes. NULL: it was answered. */
static struct request *upload_request(enum change_kind kind, enum record_kind record,
	uint64_t bucket_id, struct slice key, const struct object_meta *meta,
	struct store_wait *wait)
{
	const struct store_object *object = &meta->object;
	size_t meta_len = OBJECT_META_BYTES + object->headers.len + object->tags.len;
	size_t head_len = RECORD_HEADER_BYTES + key.len + meta_len;
	struct request *request = request_new(kind, wait, head_len);
	if (!request)
		return NULL;
	request->change.head = request->head;
	request->change.head_len = head_len;
	request->change.key_len = key.len;
	request->change.bucket_id = bucket_id;
	record_head(request->head, record, bucket_id, key.len, meta_len, 0);
	unsigned char *to = request->head + RECORD_HEADER_BYTES;
	memcpy(to, key.ptr, key.len);
	to += key.len;
	object_meta_write(to, meta);
	to += OBJECT_META_BYTES;
	if (object->headers.len)
		memcpy(to, object->headers.ptr, object->headers.len);
	to += object->headers.len;
	if (object->tags.len)
		memcpy(to, object->tags.ptr, object->tags.len);
	return request;
}

void change_upload_begin(struct store *store, struct store_upload_begin *begin)
{
	struct object_meta meta = {.place = OBJECT_NONE};
	if (!key_fits(begin->key) || begin->headers.len > OBJECT_HEADERS_MAX ||
		begin->tags.len > OBJECT_TAGS_MAX) {
		local_answer(&begin->wait, ERR_INVALID_ARGUMENT);
		return;
	}
	meta.object.acl = begin->acl;
	meta.object.headers = begin->headers;
	meta.object.tags = begin->tags;
	meta.object.modified_ms = clock_wall_ms(local_of(store)->options.clock);
	struct request *request = upload_request(
		CHANGE_UPLOAD, RECORD_UPLOAD, begin->bucket_id, begin->key, &meta, &begin->wait);
	if (!request)
		return;
	request->upload = &begin->upload;
	request_send_claimed(store, request, request->change.head_len);
}

void change_upload_abort(struct store *store, struct store_upload_abort *abort)
{
	struct object_meta meta = {.place = OBJECT_NONE, .object.version = abort->upload};
	if (!key_fits(abort->key)) {
		local_answer(&abort->wait, ERR_NO_SUCH_UPLOAD);
		return;
	}
	struct request *request = upload_request(CHANGE_UPLOAD_ABORT, RECORD_UPLOAD_ABORT,
		abort->bucket_id, abort->key, &meta, &abort->wait);
	if (request)
		request_send(store, request);
}

void change_upload_complete(struct store *store, struct store_upload_complete *complete)
{
	complete->bad_part = 0;
	if (!key_fits(complete->key)) {
		local_answer(&complete->wait, ERR_NO_SUCH_UPLOAD);
		return;
	}
	struct request *request = request_new(CHANGE_COMPLETE, &complete->wait, 0);
	if (!request)
		return;
	request->change.bucket_id = complete->bucket_id;
	request->change.key_len = complete->key.len;
	request->change.complete = complete;
	request->change.forbid_overwrite = complete->forbid_overwrite;
	request->change.as_public = complete->as_public;
	request_send_claimed(store, request, OBJECT_META_MAX);
}

/* ---- Buckets --------------------------------------------------------------------------------- */

void change_bucket_create(struct store *store, struct store_bucket_create *create)
{
	if (create->name.len == 0 || create->name.len > RECORD_NAME_MAX ||
		create->storage_class.len > BUCKET_SETTING_MAX) {
		local_answer(&create->wait, ERR_INVALID_ARGUMENT);
		return;
	}
	struct request *request = request_new(CHANGE_BUCKET_CREATE, &create->wait, 0);
	if (!request)
		return;
	request->change.name = create->name;
	request->change.acl = create->acl == STORE_ACL_DEFAULT ? STORE_ACL_PRIVATE : create->acl;
	request->change.storage_class = create->storage_class;
	request->change.created_ms = clock_wall_ms(local_of(store)->options.clock);
	request_send(store, request);
}

void change_bucket(struct store *store, struct store_bucket_change *change)
{
	if ((change->set_setting && change->value.len > BUCKET_SETTING_MAX) ||
		(change->set_versioning && change->versioning == STORE_UNVERSIONED)) {
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
