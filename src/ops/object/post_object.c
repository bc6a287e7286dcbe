/* SPDX-License-Identifier: Apache-2.0 */
/*
 * PostObject: the form that a browser posts (spec: PostObject). Fields are gathered as they stream
 * by; when the part `file` begins everything is decided (signature, policy, callback, names)
 * before its first byte is stored; then the bytes flow into an upload.
 */
#include "base/encode.h"
#include "base/limits.h"
#include "crypto/digest.h"
#include "http/form.h"
#include "http/param.h"
#include "ops/access/auth.h"
#include "ops/access/authorize.h"
#include "ops/arguments/elements.h"
#include "ops/data/callback_args.h"
#include "ops/data/callback_ticket.h"
#include "ops/data/ingest.h"
#include "ops/data/put_headers.h"
#include "ops/object/post_fields.h"
#include "ops/ops_internal.h"
#include "ops/respond.h"
#include "oss/policy/policy.h"
#include "oss/text/xml.h"

enum part {
	PART_NONE,
	PART_FIELD,
	PART_FILE,
	PART_IGNORED, /* behind the file */
};

struct post_object {
	struct request *r;
	struct form *form; /* heap: it is large, and most requests are none */
	enum part part;
	bool file_seen;
	bool form_ended;
	size_t predata;  /* bytes of the body before the file's part */
	bool has_digest; /* the request has a Content-MD5, which covers the whole body */
	struct digest_md5 digest;
	struct post_fields fields;
	struct slice content_type; /* the object's */
	struct policy_size size;
	bool callback_pinned;        /* by the policy */
	const struct policy *policy; /* NULL: the form is not signed */
	struct ingest upload;
};

/* ---- When the file begins ---------------------------------------------------------------------
 */

static const struct slice acl_name = SLICE_LIT("x-oss-object-acl");

/* The ACL that a header of the request sets, if no field does: fields win (spec: section 1). */
static bool find_header_acl(struct post_object *state, struct slice *ret)
{
	struct slice field;
	*ret = request_header(state->r, acl_name);
	return ret->ptr && !post_fields_find(&state->fields, acl_name, &field);
}

/*
 * What a policy sees is what will be stored: the first field of each name, the ACL even if it
 * comes in a header, the bucket of the request, the object's content type.
 */
static bool policy_find(void *context, struct slice name, struct slice *ret)
{
	struct post_object *state = context;
	if (slice_eq_nocase(name, S("bucket"))) {
		*ret = state->r->address.bucket.text;
		return true;
	}
	if (slice_eq_nocase(name, S("content-type"))) {
		*ret = state->content_type;
		return true;
	}
	if (slice_eq_nocase(name, acl_name) && find_header_acl(state, ret))
		return true;
	return post_fields_find(&state->fields, name, ret);
}

static bool check_policy(struct request *r, struct post_object *state, const struct form_auth *auth)
{
	const struct policy *policy = NULL;
	struct refusal why = {0};
	struct form_fields seen = {policy_find, state};
	enum err e = policy_parse(auth->policy, &r->arena, &policy, &why);
	if (e == ERR_OK && policy_expired(policy, clock_wall_ms(r->ops->options.clock)))
		e = ERR_POLICY_EXPIRED;
	if (e == ERR_OK && auth->scheme == FORM_V4)
		e = policy_check_v4(policy, auth->security_token.len > 0, &r->arena, &why);
	if (e == ERR_OK)
		e = policy_check(policy, &seen, &r->arena, &why);
	if (e != ERR_OK) {
		auth_refuse(r, e, &why);
		return false;
	}
	state->size = policy_size(policy);
	state->callback_pinned = policy_pins(policy, S("callback"));
	state->policy = policy;
	return true;
}

static bool check_access(struct request *r, struct post_object *state)
{
	struct form_fields fields = post_fields_as_form(&state->fields);
	struct form_auth auth;
	if (!auth_check_form(r, &fields, &auth))
		return false;
	state->size = (struct policy_size){.min = 0, .max = UINT64_MAX};
	if (auth.scheme != FORM_ANONYMOUS)
		return check_policy(r, state, &auth);
	if (request_may_write(r))
		return true;
	respond_error_text(r, ERR_BUCKET_ACL_DENIED,
		"%s The form is not signed: policy and signature were not among the fields before "
		"the file. Fields behind it do not count.",
		err_info(ERR_BUCKET_ACL_DENIED)->message);
	return false;
}

static bool has_key(struct request *r, struct post_object *state)
{
	return post_fields_get(&state->fields, S("key")).ptr ||
	       respond_bad_argument(r, "key", S(""),
		       "The bucket POST must contain the specified 'key'. If it is specified, "
		       "please check the order of the fields: those behind the file are not read.");
}

/* The object's name: every ${filename} becomes the file part's file name. */
static bool set_key(struct request *r, struct post_object *state, struct slice filename)
{
	struct slice key;
	struct slice text = post_fields_get(&state->fields, S("key"));
	SCOPED_STRBUF(name, LIMIT_FIELD_VALUE_BYTES);
	while (text.len) {
		size_t at = slice_find_slice(text, S("${filename}"));
		strbuf_add(&name, text.ptr, at);
		if (at == text.len)
			break;
		strbuf_add_slice(&name, filename);
		text = slice_from(text, at + strlen("${filename}"));
	}
	if (strbuf_starved(&name)) {
		respond_error(r, ERR_UNAVAILABLE);
		return false;
	}
	if (strbuf_broken(&name) || name.len > LIMIT_KEY_BYTES) {
		respond_error(r, ERR_INVALID_OBJECT_NAME);
		return false;
	}
	key = arena_copy(&r->arena, strbuf_slice(&name));
	enum err e = key.ptr ? object_key_parse(key, &r->address.key) : ERR_UNAVAILABLE;
	if (e != ERR_OK) {
		respond_error(r, e);
		return false;
	}
	struct refusal why = {0};
	if (state->policy)
		e = policy_check_excluded(state->policy, S("key"), key, &r->arena, &why);
	if (e != ERR_OK) {
		auth_refuse(r, e, &why);
		return false;
	}
	r->address.has_key = true;
	return true;
}

/* A form cannot set tags (spec: PostObject section 1). */
static enum err read_attribute(
	struct object_headers *h, const struct post_field *field, struct strbuf *reason)
{
	if (!slice_eq_nocase(field->name, S("x-oss-tagging")) || field->value.len == 0)
		return object_headers_add(h, field->name, field->value, reason);
	strbuf_adds(reason, "x-oss-tagging is not implemented in a form.");
	return ERR_NOT_IMPLEMENTED;
}

/* The same that the policy has seen: a second field of one name means nothing. */
static bool read_attributes(struct request *r, struct post_object *state, struct object_headers *h)
{
	SCOPED_STRBUF(reason, 512);
	enum err e = ERR_OK;
	const struct post_field *field = NULL;
	struct slice acl;
	if (find_header_acl(state, &acl))
		e = object_headers_add(h, acl_name, acl, &reason);
	while (e == ERR_OK && (field = post_fields_next(&state->fields, field)))
		if (post_fields_is_first(field))
			e = read_attribute(h, field, &reason);
	h->content_type = state->content_type;
	return put_headers_finish(r, h, e, &reason);
}

static void succeed(struct request *r, struct ingest *u);

static bool begin_upload(struct request *r, struct post_object *state, struct object_headers *h)
{
	struct ingest *u = &state->upload;
	struct slice callback = post_fields_get(&state->fields, S("callback"));
	u->mime_type = state->content_type;
	u->max_size = LIMIT_OBJECT_BYTES;
	u->answer = succeed;
	if (r->head->content_length > state->predata)
		u->size_at_most = r->head->content_length - state->predata;
	u->custom = post_fields_custom;
	u->custom_ctx = &state->fields;
	return read_attributes(r, state, h) && callback_args_parse(r, u, "callback", callback) &&
	       callback_ticket_check(
		       r, u, state->callback_pinned ? TICKET_SIGNED_PARAMETER : TICKET_UNSIGNED) &&
	       ingest_begin(u, r, h, 0);
}

/* What follows the last `/` or, as old browsers send a whole path, `\`. */
static struct slice base_name(struct slice filename, bool at_backslash)
{
	for (size_t i = filename.len; i > 0; i--)
		if (filename.ptr[i - 1] == '/' || (at_backslash && filename.ptr[i - 1] == '\\'))
			return slice_from(filename, i);
	return filename;
}

static struct slice first_of(struct slice a, struct slice b, struct slice c)
{
	return a.len ? a : b.len ? b : c.len ? c : S("application/octet-stream");
}

static struct slice file_name(struct request *r, const struct form_part *part)
{
	SCOPED_STRBUF(decoded, LIMIT_PART_HEADERS_BYTES);
	if (part->filename_is_encoded && percent_decode(&decoded, part->filename) &&
		!strbuf_broken(&decoded))
		return arena_copy(&r->arena, base_name(strbuf_slice(&decoded), true));
	if (strbuf_starved(&decoded))
		r->arena.starved = true;
	strbuf_clear(&decoded);
	param_unescape(part->filename, &decoded);
	if (strbuf_starved(&decoded))
		r->arena.starved = true; /* nothing is stored under half a name */
	return arena_copy(
		&r->arena, base_name(strbuf_slice(&decoded), !param_is_escaped(part->filename)));
}

static void file_begins(struct request *r, struct post_object *state, const struct form_part *part)
{
	if (state->file_seen) {
		respond_error(r, ERR_FILE_COUNT);
		return;
	}
	state->file_seen = true;
	state->part = PART_FILE;
	if (slice_eq_nocase(part->content_transfer_encoding, S("base64"))) {
		respond_error_text(r, ERR_NOT_IMPLEMENTED,
			"Content-Transfer-Encoding: base64 is not implemented; send the file as it "
			"is.");
		return;
	}
	state->content_type = arena_copy(&r->arena,
		first_of(post_fields_get(&state->fields, S("x-oss-content-type")),
			part->content_type, post_fields_get(&state->fields, S("Content-Type"))));
	/* Before all else: a form whose fields stand behind the file is neither signed nor named.
	 */
	if (!has_key(r, state) || !check_access(r, state) ||
		!set_key(r, state, file_name(r, part)) ||
		!authorize_key(r, r->op->action, r->address.bucket.text, r->address.key.text))
		return;
	struct object_headers h;
	object_headers_init(&h);
	(void)begin_upload(r, state, &h);
	object_headers_release(&h);
}

/* ---- The parts as they come -------------------------------------------------------------------
 */

static void refuse_field(struct request *r, enum err e, struct slice name, size_t max, size_t size)
{
	SCOPED_STRBUF(number, 32);
	strbuf_add_u64(&number, max);
	respond_detail(r, "MaxSizeAllowed", strbuf_slice(&number));
	strbuf_clear(&number);
	strbuf_add_u64(&number, size);
	respond_detail(r, "ProposedSize", strbuf_slice(&number));
	if (name.len)
		respond_detail(r, "FieldName", slice_head(name, 256));
	respond_error(r, e);
}

static void part_begins(struct request *r, struct post_object *state, const struct form_part *part)
{
	if (slice_eq_nocase(part->name, S("file"))) {
		file_begins(r, state, part);
		return;
	}
	if (state->file_seen) {
		state->part = PART_IGNORED;
		return;
	}
	state->part = PART_FIELD;
	SCOPED_STRBUF(name, LIMIT_FIELD_NAME_BYTES);
	param_unescape(part->name, &name);
	enum err e = strbuf_starved(&name) ? ERR_UNAVAILABLE
					   : post_fields_begin(&state->fields, strbuf_slice(&name));
	if (e != ERR_OK)
		respond_error(r, e);
}

static void part_data(struct request *r, struct post_object *state, struct slice bytes)
{
	if (state->part == PART_FILE) {
		enum err e = policy_check_size(state->size, state->upload.size + bytes.len, false);
		if (e != ERR_OK)
			respond_error(r, e);
		else
			ingest_write(&state->upload, bytes);
		return;
	}
	if (state->part != PART_FIELD)
		return;
	enum err e = post_fields_add(&state->fields, bytes);
	if (e == ERR_UNAVAILABLE)
		respond_error(r, e);
	else if (e != ERR_OK)
		refuse_field(r, ERR_FIELD_TOO_LONG, post_fields_current(&state->fields),
			LIMIT_FIELD_VALUE_BYTES, LIMIT_FIELD_VALUE_BYTES + 1);
}

/* One step of the form parser; counts what comes before the file, preamble included. */
static enum form_result feed(
	struct post_object *state, struct slice *piece, struct form_event *event)
{
	size_t before = piece->len;
	enum form_result result = form_feed(state->form, piece, event);
	if (!state->file_seen)
		state->predata += before - piece->len;
	return result;
}

static void data(struct request *r, struct slice piece)
{
	struct post_object *state = r->state;
	struct form_event event;
	if (state->has_digest)
		digest_md5_update(&state->digest, piece);
	while (!request_is_answered(r)) {
		enum form_result result = feed(state, &piece, &event);
		if (state->predata > LIMIT_FORM_PREDATA_BYTES) {
			respond_error(r, ERR_POST_PREDATA_TOO_LONG);
			return;
		}
		switch (result) {
		case FORM_MORE:
			return;
		case FORM_PART:
			part_begins(r, state, &event.part);
			break;
		case FORM_DATA:
			part_data(r, state, event.data);
			break;
		case FORM_PART_END:
			if (state->part == PART_FIELD && !post_fields_end(&state->fields))
				respond_error(r, ERR_UNAVAILABLE);
			state->part = PART_NONE;
			break;
		case FORM_END:
			state->form_ended = true;
			if (piece.len == 0)
				return;
			break;
		case FORM_BAD:
		case FORM_HEADERS_TOO_LONG:
			respond_error(r, ERR_MALFORMED_POST);
			return;
		case FORM_NAME_TOO_LONG:
			refuse_field(r, ERR_FIELD_TOO_LONG, S(""), LIMIT_FIELD_NAME_BYTES,
				LIMIT_FIELD_NAME_BYTES + 1);
			return;
		}
	}
}

/* ---- The end ----------------------------------------------------------------------------------
 */

static enum err check_digest(struct request *r, struct post_object *state)
{
	if (!state->has_digest)
		return ERR_OK;
	unsigned char digest[MD5_BYTES];
	SCOPED_STRBUF(text, 64);
	digest_md5_final(&state->digest, digest);
	base64_encode(&text, slice_of(digest, sizeof(digest)));
	if (strbuf_starved(&text))
		return ERR_UNAVAILABLE;
	return slice_eq(strbuf_slice(&text), request_header(r, S("Content-MD5")))
		       ? ERR_OK
		       : ERR_INVALID_DIGEST;
}

static void finish(struct request *r)
{
	struct post_object *state = r->state;
	if (!state->form_ended) {
		respond_error(r, ERR_MALFORMED_POST);
	} else if (!state->file_seen) {
		respond_error(r, ERR_FILE_COUNT);
	} else {
		enum err e = check_digest(r, state);
		if (e == ERR_OK)
			e = policy_check_size(state->size, state->upload.size, true);
		if (e != ERR_OK)
			respond_error(r, e);
		else
			ingest_finish(&state->upload);
	}
}

static void answer_document(struct request *r, struct slice etag)
{
	SCOPED_STRBUF(location, KIB(16));
	SCOPED_STRBUF(xml, KIB(32));
	SCOPED_STRBUF(quoted, 64);
	elements_add_url(&location, r);
	strbuf_addf(&quoted, "\"%.*s\"", SLICE_FMT(etag));
	strbuf_adds(&xml, XML_PROLOG "<PostResponse>");
	xml_element(&xml, "Bucket", r->address.bucket.text);
	xml_element(&xml, "Location", strbuf_slice(&location));
	xml_element(&xml, "Key", r->address.key.text);
	xml_element(&xml, "ETag", strbuf_slice(&quoted));
	strbuf_adds(&xml, "</PostResponse>\n");
	if (strbuf_broken(&xml) || strbuf_broken(&location) || strbuf_broken(&quoted))
		respond_error(r, ERR_UNAVAILABLE);
	else
		respond(r, 201, "application/xml", strbuf_slice(&xml));
}

static void redirect(struct request *r, struct slice to, struct slice etag)
{
	SCOPED_STRBUF(url, KIB(16));
	struct slice fragment = slice_from(to, slice_find(to, '#'));
	to = slice_head(to, to.len - fragment.len);
	strbuf_add_slice(&url, to);
	strbuf_addc(&url, slice_find(to, '?') < to.len ? '&' : '?');
	strbuf_adds(&url, "bucket=");
	percent_encode(&url, r->address.bucket.text);
	strbuf_adds(&url, "&key=");
	percent_encode(&url, r->address.key.text);
	strbuf_addf(&url, "&etag=%%22%.*s%%22", SLICE_FMT(etag));
	strbuf_add_slice(&url, fragment);
	respond_built_header(r, "Location", &url);
	respond(r, 303, NULL, S(""));
}

static bool is_absolute_url(struct slice url)
{
	if (!slice_starts(url, S("http://")) && !slice_starts(url, S("https://")))
		return false;
	for (size_t i = 0; i < url.len; i++)
		if ((unsigned char)url.ptr[i] <= 0x20 || url.ptr[i] == 0x7f)
			return false;
	return url.len < KIB(8);
}

static void succeed(struct request *r, struct ingest *u)
{
	struct post_object *state = r->state;
	if (request_is_gone(r))
		return;
	SCOPED_STRBUF(etag, 64);
	hex_encode_upper(&etag, slice_of(u->commit.object.md5, sizeof(u->commit.object.md5)));
	struct slice to = post_fields_get(&state->fields, S("success_action_redirect"));
	struct slice status = post_fields_get(&state->fields, S("success_action_status"));
	if (strbuf_broken(&etag))
		respond_error(r, ERR_UNAVAILABLE);
	else if (is_absolute_url(to))
		redirect(r, to, strbuf_slice(&etag));
	else if (slice_eq(status, S("201")))
		answer_document(r, strbuf_slice(&etag));
	else
		respond(r, slice_eq(status, S("200")) ? 200 : 204, NULL, S(""));
}

/* ---- The operation ----------------------------------------------------------------------------
 */

static void begin(struct request *r)
{
	struct post_object *state = r->state;
	const struct request_head *head = r->head;
	struct slice boundary = S("");
	state->r = r;
	post_fields_init(&state->fields, request_account(r));
	switch (form_boundary_parse(request_header(r, S("Content-Type")), &boundary)) {
	case FORM_BOUNDARY_FOUND:
		break;
	case FORM_BOUNDARY_OTHER_TYPE:
		respond_error(r, ERR_NOT_MULTIPART);
		return;
	case FORM_BOUNDARY_MISSING:
		respond_error(r, ERR_MALFORMED_POST);
		return;
	}
	if (head->body == HTTP_BODY_NONE) {
		respond_error(r, ERR_MISSING_CONTENT_LENGTH);
		return;
	}
	if (request_take_memory(r, sizeof(*state->form)))
		state->form = malloc(sizeof(*state->form));
	if (!state->form) {
		respond_error(r, ERR_UNAVAILABLE);
		return;
	}
	form_init(state->form, boundary);
	state->has_digest = request_header(r, S("Content-MD5")).ptr != NULL;
	if (state->has_digest)
		digest_md5_init(&state->digest);
}

static void release(struct request *r)
{
	struct post_object *state = r->state;
	ingest_release(&state->upload);
	post_fields_release(&state->fields);
	free(state->form);
}

const struct op op_post_object = {
	.name = "PostObject",
	.method = HTTP_POST,
	.level = OP_BUCKET,
	.access = OP_ACCESS_SELF,
	.action = "oss:PutObject",
	.action_per_key = true,
	.body = OP_BODY_STREAM,
	.state_size = sizeof(struct post_object),
	.begin = begin,
	.data = data,
	.finish = finish,
	.release = release,
};
