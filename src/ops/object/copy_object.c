/* SPDX-License-Identifier: Apache-2.0 */
/*
 * CopyObject: PUT /key with x-oss-copy-source (spec: REST API section 6). Of a symbolic link the
 * link is copied. A copy of an object onto itself is how clients change its headers: where no
 * versions are kept its bytes stay where they are.
 */
#include "base/limits.h"
#include "base/log.h"
#include "ops/arguments/params.h"
#include "ops/arguments/version.h"
#include "ops/data/copy_from.h"
#include "ops/data/object_copy.h"
#include "ops/data/object_headers.h"
#include "ops/data/object_text.h"
#include "ops/data/symlink.h"
#include "ops/ops_internal.h"
#include "ops/respond.h"
#include "oss/text/iso8601.h"
#include "oss/text/xml.h"

struct copy_object {
	struct copy_from from;
	bool in_place;     /* source and target are one object, without versions */
	bool replace;      /* the request says what the headers are */
	bool replace_tags; /* and the tags */
	struct object_copy copy;
	struct store_metadata_update change; /* instead of the transfer, if in_place */
};

/* A header of two words; *ret says that it is the second. False: it was answered. */
static bool read_directive(struct request *r, const char *name, bool *ret)
{
	struct slice word = request_header(r, slice_str(name));
	*ret = slice_eq_nocase(word, S("REPLACE"));
	if (!word.ptr || *ret || slice_eq_nocase(word, S("COPY")))
		return true;
	return respond_bad_argument(r, name, word, "A directive must be COPY or REPLACE.");
}

static void begin(struct request *r)
{
	struct copy_object *state = r->state;
	if (!copy_from_parse(&state->from, r) ||
		!read_directive(r, "x-oss-metadata-directive", &state->replace) ||
		!read_directive(r, "x-oss-tagging-directive", &state->replace_tags))
		return;
	if (r->bucket->versioning == STORE_UNVERSIONED &&
		slice_eq(state->from.name.bucket.text, r->address.bucket.text) &&
		slice_eq(state->from.name.key.text, r->address.key.text)) {
		/* Whatever the directive says. Strangers are checked when the copy is committed. */
		state->replace = true;
		state->in_place = !r->anonymous;
	}
}

/* What the copy is stored with. `h` holds what is read. False: it was answered. */
static bool read_headers(struct copy_object *state, struct object_headers *h)
{
	struct request *r = state->from.r;
	const struct request_head *head = r->head;
	SCOPED_STRBUF(reason, 512);
	enum err e = ERR_OK;
	if (state->replace)
		strbuf_add_slice(&h->lines, symlink_target_line(&state->from.source.get.object));
	for (size_t i = 0; i < head->header_count && e == ERR_OK; i++) {
		struct slice name = head->headers[i].name;
		bool is_setting = slice_eq_nocase(slice_head(name, 6), S("x-oss-")) &&
				  !slice_eq_nocase(slice_head(name, 11), S("x-oss-meta-"));
		if (is_setting || state->replace)
			e = object_headers_add(h, name, head->headers[i].value, &reason);
	}
	if (state->replace && !h->content_type.len)
		h->content_type = object_headers_find(
			state->from.source.get.object.headers, S("Content-Type"));
	h->bucket_class = r->bucket->settings[STORE_SETTING_STORAGE_CLASS];
	if (e == ERR_OK)
		e = state->replace
			    ? object_headers_finish(h)
			    : object_headers_finish_copy(h, state->from.source.get.object.headers);
	if (e == ERR_OK)
		return true;
	respond_error_text(r, e, "%s", reason.ptr);
	return false;
}

static void answer(struct copy_object *state, const struct store_object *made)
{
	struct request *r = state->from.r;
	const struct store_object *source = &state->from.source.get.object;
	SCOPED_STRBUF(xml, KIB(4));
	SCOPED_STRBUF(crc, 32);
	SCOPED_STRBUF(etag, 64);
	strbuf_addc(&etag, '"');
	object_etag_add(&etag, made);
	strbuf_addc(&etag, '"');
	strbuf_adds(&xml, XML_PROLOG "<CopyObjectResult><LastModified>");
	iso8601_add(&xml, made->modified_ms);
	strbuf_addf(&xml, "</LastModified><ETag>%s</ETag></CopyObjectResult>\n", etag.ptr);
	/* In a header as well: oss2 looks for it there. */
	respond_built_header(r, "ETag", &etag);
	strbuf_add_u64(&crc, made->crc64);
	respond_built_header(r, "x-oss-hash-crc64ecma", &crc);
	version_add_header(r, "x-oss-copy-source-version-id", state->from.bucket, source->is_null,
		source->version);
	version_add_headers(r, r->bucket, made);
	respond_xml(r, &xml);
}

/* ---- By copying the bytes -------------------------------------------------------------------- */

static void copied(struct object_copy *copy, enum err e)
{
	struct copy_object *state = CONTAINER_OF(copy, struct copy_object, copy);
	struct request *r = copy->r;
	const struct store_object *made = &copy->commit.object;
	if (e == ERR_INVALID_DIGEST) {
		log_error(
			"an object is damaged: its bytes have not the digest they were stored with "
			"(request %.*s)",
			SLICE_FMT(r->id));
		e = ERR_INTERNAL;
	}
	if (e != ERR_OK) {
		respond_error(r, e);
		return;
	}
	answer(state, made);
}

static void copy(struct copy_object *state, const struct object_headers *h)
{
	struct request *r = state->from.r;
	struct store_get *source = &state->from.source.get;
	if (source->object.size > LIMIT_OBJECT_BYTES) {
		respond_error(r, ERR_ENTITY_TOO_LARGE);
		return;
	}
	struct store_put_spec spec = {
		.bucket_id = r->bucket->id,
		.key = r->address.key.text,
		.headers = strbuf_slice(&h->lines),
		.tags = state->replace_tags ? strbuf_slice(&h->tags) : source->object.tags,
		.acl = h->acl,
		.type = source->object.type == STORE_SYMLINK ? STORE_SYMLINK : STORE_NORMAL,
		.size_hint = source->object.size,
	};
	state->copy.commit = (struct store_put_commit){
		.forbid_overwrite = object_headers_forbid(h, r->bucket),
		.caller = request_caller(r),
		.expect_md5 = source->object.type == STORE_NORMAL ? source->object.md5 : NULL,
		.expect_crc64 = &source->object.crc64,
	};
	object_copy_start(&state->copy, r, source, 0, source->object.size, &spec, copied);
}

/* ---- In place -------------------------------------------------------------------------------- */

static void on_changed(struct task *task)
{
	struct store_wait *wait = CONTAINER_OF(task, struct store_wait, task);
	struct store_metadata_update *change =
		CONTAINER_OF(wait, struct store_metadata_update, wait);
	struct copy_object *state = CONTAINER_OF(change, struct copy_object, change);
	struct request *r = state->from.r;
	if (wait->err == ERR_OK)
		answer(state, &change->object);
	else if (wait->err == ERR_PRECONDITION_FAILED && !request_is_gone(r))
		lookup_again(&state->from.source); /* somebody has replaced it */
	else
		version_refuse(
			r, wait->err, r->bucket, change->key, change->version, &change->object);
	request_release(r);
}

/* No new object comes of it, so its version and its bytes stay. */
static void change_headers(struct copy_object *state, const struct object_headers *h)
{
	struct request *r = state->from.r;
	state->change = (struct store_metadata_update){
		.wait = {.task.run = on_changed, .home = r->home},
		.bucket_id = r->bucket->id,
		.key = r->address.key.text,
		.only_if = {.set = true, .version = state->from.source.get.object.version},
		.set_acl = true,
		.acl = h->acl,
		.set_headers = true,
		.headers = arena_copy(&r->arena, strbuf_slice(&h->lines)),
		.set_tags = state->replace_tags,
		.tags = arena_copy(&r->arena, strbuf_slice(&h->tags)),
	};
	if (object_headers_forbid(h, r->bucket)) {
		respond_error(r, ERR_FILE_ALREADY_EXISTS);
	} else if (!state->change.headers.ptr || !state->change.tags.ptr) {
		respond_error(r, ERR_UNAVAILABLE);
	} else {
		request_hold(r);
		store_metadata_update(r->ops->options.store, &state->change);
	}
}

/* ---- The operation --------------------------------------------------------------------------- */

static void found(struct copy_from *from)
{
	struct copy_object *state = CONTAINER_OF(from, struct copy_object, from);
	struct object_headers h;
	object_headers_init(&h);
	if (read_headers(state, &h)) {
		if (state->in_place)
			change_headers(state, &h);
		else
			copy(state, &h);
	}
	object_headers_release(&h);
}

static void finish(struct request *r)
{
	struct copy_object *state = r->state;
	copy_from_find(&state->from, false, found);
}

static void release(struct request *r)
{
	struct copy_object *state = r->state;
	object_copy_release(&state->copy);
	copy_from_release(&state->from);
}

const struct op op_copy_object = {
	.name = "CopyObject",
	.method = HTTP_PUT,
	.level = OP_OBJECT,
	.header = "x-oss-copy-source",
	.access = OP_ACCESS_WRITE,
	.action = "oss:PutObject",
	.body = OP_BODY_NONE,
	.state_size = sizeof(struct copy_object),
	.begin = begin,
	.finish = finish,
	.release = release,
};
