/* SPDX-License-Identifier: Apache-2.0 */
#include "ops/data/ingest.h"

#include "base/encode.h"
#include "base/limits.h"
#include "http/trace.h"
#include "ops/arguments/version.h"
#include "ops/data/callback_ticket.h"
#include "ops/data/object_text.h"
#include "ops/data/put_memory.h"
#include "ops/ops_internal.h"
#include "ops/respond.h"

enum {
	MESSAGE_BYTES = 16 << 10, /* longer than most callbacks */
};

static void on_writable(struct task *task)
{
	struct store_wait *wait = CONTAINER_OF(task, struct store_wait, task);
	struct ingest *u = CONTAINER_OF(wait, struct ingest, writable);
	struct request *r = u->r;
	u->write_waits = false;
	if (wait->err != ERR_OK)
		respond_error(r, wait->err);
	if (!request_is_gone(r))
		request_resume(r);
	request_release(r);
}

void ingest_init(struct ingest *u, struct request *r)
{
	u->r = r;
	image_info_init(&u->image);
	strbuf_init_counted(&u->message, LIMIT_CALLBACK_BODY_BYTES, request_account(r));
}

/* What it may yet turn out to need more of memory than this, it can do without. */
static bool reserve(struct ingest *u)
{
	const struct request_head *head = u->r->head;
	uint64_t size = u->spec.size_hint ? u->spec.size_hint : u->size_at_most;
	if (head->body == HTTP_BODY_CHUNKED)
		size = UINT64_MAX;
	if (!put_memory_take(u->r, &u->spec, size))
		return false;
	if (u->callback)
		strbuf_reserve(&u->message, MESSAGE_BYTES);
	return !strbuf_broken(&u->message);
}

bool ingest_begin(
	struct ingest *u, struct request *r, const struct object_headers *h, uint64_t size_hint)
{
	ingest_init(u, r);
	u->writable = (struct store_wait){.task.run = on_writable, .home = r->home};
	u->spec.bucket_id = r->bucket->id;
	u->spec.key = r->address.key.text;
	u->spec.size_hint = size_hint;
	if (h) {
		u->spec.headers = strbuf_slice(&h->lines);
		u->spec.tags = strbuf_slice(&h->tags);
		u->spec.acl = h->acl;
		u->commit.forbid_overwrite = object_headers_forbid(h, r->bucket);
	}
	u->commit.caller = request_caller(r);
	enum err e = ERR_UNAVAILABLE;
	/* Of a request that was not understood for want of memory nothing is stored. */
	if (!r->arena.starved && reserve(u))
		e = store_put_begin(r->ops->options.store, &u->spec, &u->put);
	if (e == ERR_OK) {
		u->spec.memory = (struct budget_account){.bytes = 0}; /* the put's now */
		return true;
	}
	budget_close(&u->spec.memory);
	respond_error(r, e);
	return false;
}

static bool wants_image(const struct ingest *u)
{
	return u->callback && callback_template_uses_image(&u->callback->body);
}

void ingest_write(struct ingest *u, struct slice piece)
{
	struct request *r = u->r;
	struct store *store = r->ops->options.store;
	u->size += piece.len;
	if (u->size > u->max_size) {
		respond_error(r, ERR_ENTITY_TOO_LARGE);
		return;
	}
	if (wants_image(u))
		(void)image_info_feed(&u->image, piece);
	if (u->write_waits) {
		/* What was read with the piece before: the store is busy but takes it. */
		(void)store_put_write(store, u->put, piece, NULL);
		return;
	}
	u->writable.err = ERR_OK;
	if (store_put_write(store, u->put, piece, &u->writable) == STORE_WAIT) {
		u->write_waits = true;
		request_hold(r);
		request_pause(r);
	} else if (u->writable.err != ERR_OK) {
		respond_error(r, u->writable.err);
	}
}

/* ---- After the last byte ----------------------------------------------------------------------
 */

static void add_object_headers(struct ingest *u, struct strbuf *etag, struct strbuf *md5)
{
	const struct store_object *object = &u->commit.object;
	bool has_md5 = u->spec.kind == STORE_PUT_PART ||
		       (u->spec.kind == STORE_PUT_OBJECT && object->type == STORE_NORMAL);
	object_etag_add(etag, object);
	if (has_md5)
		base64_encode(md5, slice_of(object->md5, sizeof(object->md5)));
	if (request_is_gone(u->r))
		return;
	SCOPED_STRBUF(lines, 256);
	strbuf_addf(&lines, "ETag: \"%s\"\r\nx-oss-hash-crc64ecma: ", etag->ptr);
	strbuf_add_u64(&lines, object->crc64);
	strbuf_adds(&lines, "\r\n");
	if (has_md5)
		strbuf_addf(&lines, "Content-MD5: %s\r\n", md5->ptr);
	if (strbuf_broken(etag) || strbuf_broken(md5))
		strbuf_starve(&lines);
	respond_built_lines(u->r, &lines);
	if (u->spec.kind != STORE_PUT_PART)
		version_add_headers(u->r, u->r->bucket, object);
}

static void on_called_back(struct task *task)
{
	struct callback_job *job = CONTAINER_OF(task, struct callback_job, done);
	struct ingest *u = CONTAINER_OF(job, struct ingest, job);
	struct request *r = u->r;
	ops_count_callback(r->ops, job->result == ERR_OK);
	if (job->result == ERR_OK) {
		SCOPED_STRBUF(type, 256);
		strbuf_add_slice(&type, job->content_type);
		respond(r, 200, type.len ? type.ptr : "application/json", job->answer);
	} else {
		if (!request_is_gone(r))
			request_note(r, "callback=failed");
		respond_error_text(r, job->result, "%s", job->message);
	}
	request_release(r);
}

static void send_callback(struct ingest *u, struct slice etag, struct slice md5)
{
	struct request *r = u->r;
	(void)image_info_end(&u->image);
	struct callback_values values = {
		.bucket = r->address.bucket.text,
		.object = r->address.key.text,
		.etag = etag,
		.size = u->commit.object.size,
		.mime_type = u->mime_type,
		.image_width = u->image.width,
		.image_height = u->image.height,
		.image_format = slice_str(u->image.format),
		.crc64 = u->commit.object.crc64,
		.content_md5 = md5,
		.client_ip = r->peer,
		.request_id = r->id,
		.operation = slice_str(r->op->name),
		.custom = u->custom,
		.custom_ctx = u->custom_ctx,
	};
	enum err e = callback_message_render(
		&u->callback->body, u->callback->body_type, &values, &u->message);
	/* The object is there; a callback that does not fit is one that failed. A large one, whose
	   receiver may take its time, has to leave half of the memory free. */
	if (strbuf_starved(&u->message) || (u->message.len > LIMIT_MEMORY_SMALL_BYTES &&
						   !budget_is_ample(request_account(r)->pool, 0)))
		e = ERR_CALLBACK_FAILED;
	if (e == ERR_OK)
		e = callback_ticket_matches(u, strbuf_slice(&u->message));
	if (e == ERR_CALLBACK_FAILED)
		respond_error_text(r, e, "Too many callback requests.");
	else if (e != ERR_OK)
		respond_error(r, e);
	if (e != ERR_OK)
		return;
	u->job = (struct callback_job){
		.params = u->callback,
		.body = strbuf_slice(&u->message),
		.request_id = r->id,
		.bucket = r->address.bucket.text,
		.owner = S("postern"),
		.requester = r->anonymous ? S("") : r->key.id,
		.object = r->address.key.text,
		.event = slice_str(r->op->name),
		.trace = trace_parent(r->head),
		.size = u->commit.object.size,
		.home = r->home,
		.done.run = on_called_back,
	};
	request_enter(r, PHASE_CALLBACK);
	request_hold(r);
	callback_send(r->ops->options.callbacks, &u->job);
}

void ingest_stored(struct ingest *u)
{
	struct request *r = u->r;
	if (u->spec.kind != STORE_PUT_PART)
		ops_count(&r->ops->uploads);
	SCOPED_STRBUF(etag, 64);
	SCOPED_STRBUF(md5, 64);
	add_object_headers(u, &etag, &md5);
	if (u->callback)
		send_callback(u, strbuf_slice(&etag), strbuf_slice(&md5));
	else
		u->answer(r, u);
}

/* Where the next appending has to begin. */
static void add_position(struct ingest *u)
{
	SCOPED_STRBUF(position, 32);
	strbuf_add_u64(&position, u->commit.object.size);
	respond_built_header(u->r, "x-oss-next-append-position", &position);
}

static void on_committed(struct task *task)
{
	struct store_wait *wait = CONTAINER_OF(task, struct store_wait, task);
	struct store_put_commit *commit = CONTAINER_OF(wait, struct store_put_commit, wait);
	struct ingest *u = CONTAINER_OF(commit, struct ingest, commit);
	struct request *r = u->r;
	if (u->spec.kind == STORE_PUT_APPEND &&
		(wait->err == ERR_OK || wait->err == ERR_POSITION_NOT_EQUAL_TO_LENGTH))
		add_position(u);
	if (wait->err == ERR_OK)
		ingest_stored(u);
	else
		respond_error(r, wait->err);
	request_release(r);
}

void ingest_finish(struct ingest *u)
{
	struct request *r = u->r;
	u->commit.wait = (struct store_wait){.task.run = on_committed, .home = r->home};
	u->commit.expect_md5 = u->has_md5 ? u->expect_md5 : NULL;
	request_hold(r);
	store_put_commit(r->ops->options.store, TAKE(u->put), &u->commit);
}

void ingest_release(struct ingest *u)
{
	/* A callback is read before the upload begins, which then may not. */
	callback_params_free(u->callback);
	if (!u->r)
		return;
	store_put_abort(u->r->ops->options.store, u->put);
	if (u->job.params)
		callback_job_release(&u->job);
	strbuf_release(&u->message);
}
