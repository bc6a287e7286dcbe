/* SPDX-License-Identifier: Apache-2.0 */
/*
 * DeleteMultipleObjects, POST /?delete (spec: REST API section 6). All deletes are given to the
 * store at once, which makes them durable together, and the answer waits for the last. It lists
 * those that were deleted or, if it is to be quiet, those that were not; if nothing was, it is the
 * error that the first one met.
 */
#include "base/encode.h"
#include "base/limits.h"
#include "crypto/digest.h"
#include "ops/access/authorize.h"
#include "ops/arguments/elements.h"
#include "ops/arguments/params.h"
#include "ops/arguments/require.h"
#include "ops/arguments/version.h"
#include "ops/object/delete_list.h"
#include "ops/ops_internal.h"
#include "ops/respond.h"
#include "oss/text/xml.h"

enum {
	C_SDK_DIGEST_CHARACTERS = 28,
	RESULT_DOCUMENT_BYTES = 16 << 20, /* 1,000 keys of 1,023 bytes, each byte escaped */
};

struct delete_one {
	struct store_delete del;
	struct delete_objects *all;
};

struct delete_objects {
	struct request *r;
	bool encode;
	struct delete_list list;
	struct delete_one *each; /* as many as are listed, on the heap: they outlive the exchange */
	size_t left;
	size_t failed;
	enum err err; /* the first that a delete met */
};

/* False: it was answered. */
static bool read_document(struct request *r, struct delete_objects *state)
{
	SCOPED_STRBUF(reason, 512);
	enum err e = delete_list_read(&state->list, strbuf_slice(&r->body), &reason);
	if (e == ERR_OK)
		return true;
	respond_error_text(r, e, "%s", reason.ptr);
	return false;
}

/* ---- Deleting --------------------------------------------------------------------------------
 */

static void add_id(struct strbuf *out, const char *element, bool is_null, uint64_t number)
{
	xml_open(out, element);
	version_add_id(out, is_null, number);
	xml_close(out, element);
}

static void add_deleted(
	const struct delete_objects *state, const struct store_delete *del, struct strbuf *out)
{
	const struct store_version *version = &del->version;
	xml_open(out, "Deleted");
	elements_add_name(out, "Key", del->key, state->encode);
	if (version->is_null || version->number)
		add_id(out, "VersionId", version->is_null, version->number);
	if (del->made_marker || del->deleted_marker)
		xml_element(out, "DeleteMarker", S("true"));
	if (del->made_marker)
		add_id(out, "DeleteMarkerVersionId", del->marker_is_null, del->marker);
	else if (del->deleted_marker)
		add_id(out, "DeleteMarkerVersionId", version->is_null, version->number);
	xml_close(out, "Deleted");
}

static void format(const struct delete_objects *state, struct strbuf *out)
{
	strbuf_adds(out, XML_PROLOG "<DeleteResult>");
	if (state->encode)
		xml_element(out, "EncodingType", S("url"));
	for (size_t i = 0; i < state->list.count; i++) {
		const struct store_delete *del = &state->each[i].del;
		bool deleted = del->wait.err == ERR_OK;
		if (deleted != state->list.quiet)
			add_deleted(state, del, out);
	}
	strbuf_adds(out, "</DeleteResult>\n");
}

static void answer(struct request *r, const struct delete_objects *state)
{
	if (state->failed == state->list.count) {
		respond_error(r, state->err);
	} else if (state->list.quiet && !state->failed) {
		respond(r, 200, NULL, S(""));
	} else if (!request_is_gone(r)) {
		SCOPED_STRBUF(xml, RESULT_DOCUMENT_BYTES);
		format(state, &xml);
		respond_xml(r, &xml);
	}
}

static void on_deleted(struct task *task)
{
	struct store_wait *wait = CONTAINER_OF(task, struct store_wait, task);
	struct store_delete *del = CONTAINER_OF(wait, struct store_delete, wait);
	struct delete_objects *state = CONTAINER_OF(del, struct delete_one, del)->all;
	struct request *r = state->r;
	if (wait->err != ERR_OK && !state->failed++)
		state->err = wait->err;
	if (--state->left)
		return;
	answer(r, state);
	request_release(r);
}

/* Nothing is deleted unless all may be. False: it was answered. */
static bool authorize_all(struct request *r, const struct delete_objects *state)
{
	for (size_t i = 0; i < state->list.count; i++) {
		bool named = delete_list_names_version(&state->list, i);
		if (!authorize_key(r, named ? "oss:DeleteObjectVersion" : r->op->action,
			    r->bucket->name, delete_list_key(&state->list, i)))
			return false;
	}
	return true;
}

static void delete_all(struct request *r, struct delete_objects *state)
{
	state->each = calloc(state->list.count, sizeof(*state->each));
	if (!state->each) {
		respond_error(r, ERR_UNAVAILABLE);
		return;
	}
	request_hold(r);
	state->left = state->list.count;
	for (size_t i = 0; i < state->list.count; i++) {
		struct delete_one *one = &state->each[i];
		one->all = state;
		one->del = (struct store_delete){
			.wait = {.task.run = on_deleted, .home = r->home},
			.bucket_id = r->bucket->id,
			.caller = request_caller(r),
			.key = delete_list_key(&state->list, i),
			.version = state->list.versions[i],
		};
		store_delete(r->ops->options.store, &one->del);
	}
}

/* ---- The operation ---------------------------------------------------------------------------
 */

/* The parameter encoding-type, or the header, which Alibaba's Java SDK sends. */
static bool read_encoding(struct request *r, bool *ret_encode)
{
	struct slice header = request_header(r, S("encoding-type"));
	if (!params_encoding(r, ret_encode))
		return false;
	*ret_encode = *ret_encode || slice_eq(header, S("url"));
	return true;
}

static void begin(struct request *r)
{
	struct delete_objects *state = r->state;
	struct slice ignored;
	state->r = r;
	strbuf_init_counted(&state->list.keys, DELETE_LIST_KEYS_BYTES, request_account(r));
	(void)(read_encoding(r, &state->encode) && require_header(r, "Content-Length", &ignored) &&
		require_header(r, "Content-MD5", &ignored));
}

/*
 * Content-MD5. The C SDK encodes four bytes too many (aos_base64_encode(md5, 20)): the digest and
 * what lies behind it in memory. False: it was answered.
 */
static bool digest_holds(struct request *r)
{
	SCOPED_STRBUF(sent, 64);
	unsigned char digest[MD5_BYTES];
	struct slice text = request_header(r, S("Content-MD5"));
	if (text.len != C_SDK_DIGEST_CHARACTERS || !base64_decode(&sent, text) ||
		sent.len != MD5_BYTES + 4)
		return require_digest(r);
	md5_of(strbuf_slice(&r->body), digest);
	if (memcmp(sent.ptr, digest, sizeof(digest)) == 0)
		return true;
	respond_error(r, ERR_INVALID_DIGEST);
	return false;
}

static void finish(struct request *r)
{
	struct delete_objects *state = r->state;
	if (digest_holds(r) && read_document(r, state) && authorize_all(r, state))
		delete_all(r, state);
}

static void release(struct request *r)
{
	struct delete_objects *state = r->state;
	strbuf_release(&state->list.keys);
	free(state->each);
}

const struct op op_delete_objects = {
	.name = "DeleteMultipleObjects",
	.method = HTTP_POST,
	.level = OP_BUCKET,
	.subresource = "delete",
	.access = OP_ACCESS_WRITE,
	.action = "oss:DeleteObject",
	.action_per_key = true,
	.body = OP_BODY_WHOLE,
	.max_body = LIMIT_XML_BODY_BYTES,
	.state_size = sizeof(struct delete_objects),
	.begin = begin,
	.finish = finish,
	.release = release,
};
