/* SPDX-License-Identifier: Apache-2.0 */
/*
 * CopyObject: PUT /key with x-oss-copy-source (spec: REST API section 6). The bytes go piece by
 * piece from the source's file through the reader into a put; the source is held meanwhile, so
 * that the copy is of one state of it. If the client goes away nothing is stored.
 */
#include "base/limits.h"
#include "base/log.h"
#include "http/conditional.h"
#include "ops/lookup.h"
#include "ops/object_headers.h"
#include "ops/ops_internal.h"
#include "ops/respond.h"
#include "ops/version.h"
#include "oss/copy_source.h"
#include "oss/iso8601.h"
#include "oss/xml.h"

struct copy_object {
	struct request *r;
	struct copy_source from;
	struct store_version from_version;
	const struct store_bucket *from_bucket; /* a reference */
	bool replace;                           /* the request says what the headers are */
	struct lookup source;
	struct store_put *put;
	struct read_request read;
	struct store_wait writable;
	uint64_t copied;
	struct store_put_commit commit;
};

/* ---- The request ------------------------------------------------------------------------------
 */

static void refuse(struct request *r, const char *name, struct slice value, const char *why)
{
	respond_detail(r, "ArgumentName", slice_str(name));
	respond_detail(r, "ArgumentValue", slice_head(value, 1024));
	respond_error_text(r, ERR_INVALID_ARGUMENT, "%s", why);
}

/*
 * Conditions are about the source and have names of their own. ali-oss sends them by their plain
 * names as well; those alone would be about the target, which is not OSS's.
 */
static bool has_conditions(struct request *r)
{
	static const char *const names[] = {
		"If-Match", "If-None-Match", "If-Modified-Since", "If-Unmodified-Since"};
	for (size_t i = 0; i < ARRAY_LEN(names); i++) {
		SCOPED_STRBUF(twin, 64);
		strbuf_addf(&twin, "x-oss-copy-source-%s", names[i]);
		if (request_header(r, slice_str(names[i])).ptr &&
			!request_header(r, strbuf_slice(&twin)).ptr) {
			respond_detail(r, "Header", slice_str(names[i]));
			respond_error(r, ERR_NOT_IMPLEMENTED);
			return true;
		}
	}
	return false;
}

/* A header of two words; *ret says that it is the second. False: it was answered. */
static bool read_directive(struct request *r, const char *name, bool *ret)
{
	struct slice word = request_header(r, slice_str(name));
	*ret = slice_eq_nocase(word, S("REPLACE"));
	if (!word.ptr || *ret || slice_eq_nocase(word, S("COPY")))
		return true;
	refuse(r, name, word, "A directive must be COPY or REPLACE.");
	return false;
}

static bool read_source(struct request *r, struct copy_object *state)
{
	SCOPED_STRBUF(reason, 512);
	struct slice text = request_header(r, S("x-oss-copy-source"));
	enum err e = copy_source_parse(text, &r->arena, &state->from, &reason);
	if (e == ERR_OK)
		return version_of_argument(
			r, "versionId", state->from.version, &state->from_version);
	if (e == ERR_INVALID_ARGUMENT)
		refuse(r, "x-oss-copy-source", text, reason.ptr);
	else
		respond_error(r, e);
	return false;
}

static void begin(struct request *r)
{
	struct copy_object *state = r->state;
	bool replace_tags;
	state->r = r;
	if (!read_source(r, state) || has_conditions(r) ||
		!read_directive(r, "x-oss-metadata-directive", &state->replace) ||
		!read_directive(r, "x-oss-tagging-directive", &replace_tags))
		return;
	/* This is how clients change the headers of an object, whatever the directive says. */
	if (slice_eq(state->from.bucket.text, r->address.bucket.text) &&
		slice_eq(state->from.key.text, r->address.key.text))
		state->replace = true;
}

/* What the copy is stored with. `h` holds what is read. False: it was answered. */
static bool read_headers(struct copy_object *state, struct object_headers *h)
{
	struct request *r = state->r;
	const struct request_head *head = exchange_head(r->x);
	SCOPED_STRBUF(reason, 512);
	enum err e = ERR_OK;
	for (size_t i = 0; i < head->header_count && e == ERR_OK; i++) {
		struct slice name = head->headers[i].name;
		bool is_setting = slice_eq_nocase(slice_head(name, 6), S("x-oss-")) &&
				  !slice_eq_nocase(slice_head(name, 11), S("x-oss-meta-"));
		if (is_setting || state->replace)
			e = object_headers_add(h, name, head->headers[i].value, &reason);
	}
	if (e == ERR_OK)
		e = state->replace
			    ? object_headers_finish(h)
			    : object_headers_finish_copy(h, state->source.get.object.headers);
	if (e == ERR_OK)
		return true;
	respond_error_text(r, e, "%s", reason.ptr);
	return false;
}

/* ---- Copying ----------------------------------------------------------------------------------
 */

static void committed(struct task *task)
{
	struct store_wait *wait = CONTAINER_OF(task, struct store_wait, task);
	struct store_put_commit *commit = CONTAINER_OF(wait, struct store_put_commit, wait);
	struct copy_object *state = CONTAINER_OF(commit, struct copy_object, commit);
	struct request *r = state->r;
	if (wait->err == ERR_INVALID_DIGEST) {
		log_error(
			"an object is damaged: its bytes have not the digest they were stored with "
			"(request %.*s)",
			SLICE_FMT(r->id));
		respond_error(r, ERR_INTERNAL);
	} else if (wait->err != ERR_OK) {
		respond_error(r, wait->err);
	} else {
		SCOPED_STRBUF(xml, KIB(4));
		SCOPED_STRBUF(crc, 32);
		SCOPED_STRBUF(etag, 64); /* in a header as well: oss2 looks for it there */
		strbuf_adds(&xml, XML_PROLOG "<CopyObjectResult><LastModified>");
		iso8601_add(&xml, commit->object.modified_ms);
		strbuf_adds(&xml, "</LastModified><ETag>\"");
		lookup_add_etag(&state->source, &xml);
		strbuf_adds(&xml, "\"</ETag></CopyObjectResult>\n");
		strbuf_addc(&etag, '"');
		lookup_add_etag(&state->source, &etag);
		strbuf_addc(&etag, '"');
		respond_header(r, "ETag", strbuf_slice(&etag));
		strbuf_add_u64(&crc, commit->object.crc64);
		respond_header(r, "x-oss-hash-crc64ecma", strbuf_slice(&crc));
		respond_xml(r, &xml);
	}
	request_release(r);
}

static void commit(struct copy_object *state)
{
	struct request *r = state->r;
	state->commit.wait = (struct store_wait){.task.run = committed, .home = r->home};
	state->commit.expect_md5 = state->source.get.object.md5;
	store_put_commit(r->ops->options.store, TAKE(state->put), &state->commit);
}

/* Goes on behind what was copied. The request is held from the first call to the last answer. */
static void go_on(struct copy_object *state, enum err e)
{
	struct request *r = state->r;
	const struct store_blob *blob = &state->source.get.blob;
	uint64_t left = blob->size - state->copied;
	if (e != ERR_OK || !r->x) {
		if (e != ERR_OK)
			respond_error(r, e);
		request_release(r);
		return;
	}
	if (left == 0) {
		commit(state);
		return;
	}
	state->read.fd = blob->fd;
	state->read.offset = blob->offset + state->copied;
	state->read.size = left < READER_PIECE_BYTES ? (size_t)left : READER_PIECE_BYTES;
	reader_request(r->ops->reader, &state->read);
}

static void was_read(struct task *task)
{
	struct read_request *read = CONTAINER_OF(task, struct read_request, done);
	struct copy_object *state = CONTAINER_OF(read, struct copy_object, read);
	struct ops *ops = state->r->ops;
	enum store_now now = STORE_DONE;
	enum err e = ERR_OK;
	if (read->error) {
		log_error("cannot read an object: %s (request %.*s)", strerror(read->error),
			SLICE_FMT(state->r->id));
		e = ERR_INTERNAL;
	} else {
		state->copied += read->bytes.len;
		state->writable.err = ERR_OK;
		now = store_put_write(
			ops->options.store, state->put, read->bytes, &state->writable);
		e = now == STORE_DONE ? state->writable.err : ERR_OK;
	}
	reader_give_back(ops->reader, read);
	if (now == STORE_DONE)
		go_on(state, e);
}

static void writable(struct task *task)
{
	struct store_wait *wait = CONTAINER_OF(task, struct store_wait, task);
	go_on(CONTAINER_OF(wait, struct copy_object, writable), wait->err);
}

static void start(struct copy_object *state, const struct object_headers *h)
{
	struct request *r = state->r;
	struct store_put_spec spec = {
		.bucket_id = r->bucket->id,
		.key = r->address.key.text,
		.headers = strbuf_slice(&h->lines),
		.acl = h->acl,
		.size_hint = state->source.get.object.size,
	};
	state->commit.forbid_overwrite = h->forbid_overwrite;
	state->commit.as_public = r->anonymous;
	state->read = (struct read_request){.done.run = was_read, .home = r->home};
	state->writable = (struct store_wait){.task.run = writable, .home = r->home};
	enum err e = store_put_begin(r->ops->options.store, &spec, &state->put);
	if (e != ERR_OK) {
		respond_error(r, e);
		return;
	}
	request_hold(r);
	go_on(state, ERR_OK);
}

/* True: go on. */
static bool conditions_hold(struct lookup *source)
{
	struct request *r = source->r;
	const char *name = NULL;
	struct conditional conditions =
		conditional_from_head(exchange_head(r->x), S("x-oss-copy-source-"));
	SCOPED_STRBUF(etag, 64);
	lookup_add_etag(source, &etag);
	switch (conditional_check(&conditions, strbuf_slice(&etag),
		source->get.object.modified_ms / 1000, true, &name)) {
	case CONDITIONAL_PROCEED:
		return true;
	case CONDITIONAL_NOT_MODIFIED:
		respond_error(r, ERR_NOT_MODIFIED);
		return false;
	case CONDITIONAL_FAILED:
		respond_detail(r, "Condition", slice_str(name));
		respond_error(r, ERR_PRECONDITION_FAILED);
		return false;
	}
	return false;
}

static void found(struct lookup *source)
{
	struct copy_object *state = CONTAINER_OF(source, struct copy_object, source);
	struct object_headers h;
	if (!conditions_hold(source))
		return;
	if (source->get.object.size > LIMIT_OBJECT_BYTES) {
		respond_error(state->r, ERR_ENTITY_TOO_LARGE);
		return;
	}
	object_headers_init(&h);
	if (read_headers(state, &h))
		start(state, &h);
	object_headers_release(&h);
}

static void finish(struct request *r)
{
	struct copy_object *state = r->state;
	struct slice name = state->from.bucket.text;
	state->from_bucket = store_bucket_get(r->ops->options.store, name);
	if (!state->from_bucket) {
		respond_detail(r, "BucketName", name);
		respond_error(r, ERR_NO_SUCH_BUCKET);
		return;
	}
	struct lookup_what what = {
		.bucket = state->from_bucket,
		.key = state->from.key.text,
		.version = state->from_version,
	};
	lookup_start(&state->source, r, &what, found);
}

static void release(struct request *r)
{
	struct copy_object *state = r->state;
	store_put_abort(r->ops->options.store, state->put);
	lookup_release(&state->source);
	store_bucket_unref(r->ops->options.store, state->from_bucket);
}

extern const struct op op_copy_object;
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
