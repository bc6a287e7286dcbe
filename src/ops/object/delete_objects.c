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
#include "ops/ops_internal.h"
#include "ops/respond.h"
#include "oss/text/xml.h"

enum {
	MAX_OBJECTS = 1000, /* OSS */
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
	bool quiet;
	bool has_key; /* the <Object> that is being read */
	bool has_version;
	struct store_version version;
	struct strbuf keys; /* one behind the other */
	size_t ends[MAX_OBJECTS];
	struct store_version versions[MAX_OBJECTS];
	size_t count;
	struct delete_one *each; /* `count` of them, on the heap: they outlive the exchange */
	size_t left;
	size_t failed;
	enum err err; /* the first that a delete met */
};

/* ---- The document ----------------------------------------------------------------------------
 */

static enum err read_quiet(void *ctx, struct slice text, struct strbuf *reason)
{
	struct delete_objects *state = ctx;
	state->quiet = slice_eq(xml_trim(text), S("true"));
	if (state->quiet || slice_eq(xml_trim(text), S("false")))
		return ERR_OK;
	strbuf_adds(reason, "Quiet must be true or false.");
	return ERR_MALFORMED_XML;
}

static enum err object_opens(void *ctx, struct strbuf *reason)
{
	struct delete_objects *state = ctx;
	state->has_key = false;
	state->has_version = false;
	state->version = (struct store_version){.number = 0};
	if (state->count < MAX_OBJECTS)
		return ERR_OK;
	strbuf_adds(reason, "There are more than 1000 objects.");
	return ERR_MALFORMED_XML;
}

static enum err read_key(void *ctx, struct slice text, struct strbuf *reason)
{
	struct delete_objects *state = ctx;
	struct object_key key;
	if (state->has_key) {
		strbuf_adds(reason, "An Object has two keys.");
		return ERR_MALFORMED_XML;
	}
	enum err e = object_key_parse(text, &key);
	if (e != ERR_OK)
		return e;
	strbuf_add_slice(&state->keys, key.text);
	state->ends[state->count++] = state->keys.len;
	state->has_key = true;
	return strbuf_broken(&state->keys) ? ERR_UNAVAILABLE : ERR_OK;
}

static enum err read_version(void *ctx, struct slice text, struct strbuf *reason)
{
	struct delete_objects *state = ctx;
	struct slice id = xml_trim(text);
	if (state->has_version || id.len == 0) {
		/* OSS refuses an empty one too (EC 0016-00000612). */
		strbuf_adds(reason, "An Object has an empty VersionId, or two of them.");
		return ERR_MALFORMED_XML;
	}
	state->has_version = true;
	if (version_parse(id, &state->version))
		return ERR_OK;
	strbuf_adds(reason, "Invalid version id specified.");
	return ERR_INVALID_ARGUMENT;
}

static enum err object_closes(void *ctx, struct strbuf *reason)
{
	struct delete_objects *state = ctx;
	if (!state->has_key) {
		strbuf_adds(reason, "An Object has no Key.");
		return ERR_MALFORMED_XML;
	}
	state->versions[state->count - 1] = state->version;
	return ERR_OK;
}

/* False: it was answered. */
static bool read_document(struct request *r, struct delete_objects *state)
{
	static const struct xml_element elements[] = {
		{.path = "/Delete"},
		{.path = "/Delete/Quiet", .text = read_quiet},
		{.path = "/Delete/Object", .open = object_opens, .close = object_closes},
		{.path = "/Delete/Object/Key", .text = read_key},
		{.path = "/Delete/Object/VersionId", .text = read_version},
	};
	SCOPED_STRBUF(reason, 512);
	enum err e =
		xml_read(strbuf_slice(&r->body), elements, ARRAY_LEN(elements), state, &reason);
	if (e == ERR_OK && state->count == 0) {
		strbuf_adds(&reason, "There is no Object.");
		e = ERR_MALFORMED_XML;
	}
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
	for (size_t i = 0; i < state->count; i++) {
		const struct store_delete *del = &state->each[i].del;
		bool deleted = del->wait.err == ERR_OK;
		if (deleted != state->quiet)
			add_deleted(state, del, out);
	}
	strbuf_adds(out, "</DeleteResult>\n");
}

static void answer(struct request *r, const struct delete_objects *state)
{
	if (state->failed == state->count) {
		respond_error(r, state->err);
	} else if (state->quiet && !state->failed) {
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
	size_t from = 0;
	for (size_t i = 0; i < state->count; i++) {
		struct slice key = slice_of(state->keys.ptr + from, state->ends[i] - from);
		const struct store_version *version = &state->versions[i];
		bool named = version->is_null || version->number;
		if (!authorize_key(r, named ? "oss:DeleteObjectVersion" : r->op->action,
			    r->bucket->name, key))
			return false;
		from = state->ends[i];
	}
	return true;
}

static void delete_all(struct request *r, struct delete_objects *state)
{
	struct slice keys = strbuf_slice(&state->keys);
	size_t from = 0;
	state->each = calloc(state->count, sizeof(*state->each));
	if (!state->each) {
		respond_error(r, ERR_UNAVAILABLE);
		return;
	}
	request_hold(r);
	state->left = state->count;
	for (size_t i = 0; i < state->count; i++) {
		struct delete_one *one = &state->each[i];
		one->all = state;
		one->del = (struct store_delete){
			.wait = {.task.run = on_deleted, .home = r->home},
			.bucket_id = r->bucket->id,
			.caller = request_caller(r),
			.key = slice_of(keys.ptr + from, state->ends[i] - from),
			.version = state->versions[i],
		};
		from = state->ends[i];
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
	strbuf_init_counted(
		&state->keys, (size_t)MAX_OBJECTS * LIMIT_KEY_BYTES, request_account(r));
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
	strbuf_release(&state->keys);
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
