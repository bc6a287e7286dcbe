/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The way of a request to its operation: address, bucket, route, signature, access; then the
 * body's pieces go where the operation wants them.
 */
#include "ops/ops.h"

#include "base/log.h"
#include "ops/access/auth.h"
#include "ops/access/authorize.h"
#include "ops/access/cross_origin.h"
#include "ops/access/open_object.h"
#include "ops/access/referer.h"
#include "ops/arguments/unimplemented.h"
#include "ops/data/file_reader.h"
#include "ops/dispatch/route.h"
#include "ops/ops_internal.h"
#include "ops/reading.h"
#include "ops/request_internal.h"
#include "ops/respond.h"
#include "ops/rules/cors_cache.h"
#include "ops/rules/expiration.h"

const struct slice ops_secret_params[] = {SLICE_LIT("Signature"), SLICE_LIT("security-token"),
	SLICE_LIT("x-oss-signature"), SLICE_LIT("x-oss-security-token"), SLICE_LIT("")};

static void body(struct exchange *x UNUSED, void *state, struct slice piece)
{
	struct request *r = state;
	if (r->phase != PHASE_BODY)
		return;
	request_hold(r); /* an answer may end the exchange, and with it the request */
	if (r->op->body == OP_BODY_STREAM) {
		r->op->data(r, piece);
	} else if (r->op->body == OP_BODY_WHOLE) {
		strbuf_add_slice(&r->body, piece);
		if (strbuf_starved(&r->body))
			respond_error(r, ERR_UNAVAILABLE);
		else if (strbuf_broken(&r->body))
			respond_error_text(r, ERR_ENTITY_TOO_LARGE,
				"The request body is longer than %zu bytes.", r->op->max_body);
	}
	request_release(r);
}

static void end(struct exchange *x UNUSED, void *state)
{
	struct request *r = state;
	if (r->phase != PHASE_BODY)
		return;
	request_hold(r);
	request_enter(r, PHASE_WORK);
	if (r->op->finish)
		r->op->finish(r);
	request_release(r);
}

static void gone(struct exchange *x UNUSED, void *state)
{
	request_release(state);
}

static void stalled(struct exchange *x UNUSED, void *state)
{
	struct request *r = state;
	if (!request_is_answered(r))
		respond_error(r, ERR_REQUEST_TIMEOUT);
}

static void starved(struct exchange *x UNUSED, void *state)
{
	respond_error(state, ERR_UNAVAILABLE);
}

static const char *phase(const void *state)
{
	return request_phase_name(state);
}

static const struct exchange_handler handler = {.body = body,
	.end = end,
	.gone = gone,
	.stalled = stalled,
	.starved = starved,
	.phase = phase};

static struct request *new_request(struct ops *ops, struct exchange *x)
{
	struct exchanged_request *both = malloc(sizeof(*both));
	if (!both)
		return NULL;
	struct request *r = &both->r;
	*r = (struct request){
		.ops = ops,
		.holds = 1,
		.home = exchange_home(x),
		.head = exchange_head(x),
		.query = exchange_query(x),
		.id = exchange_id(x),
		.peer = exchange_peer(x),
	};
	both->x = x;
	exchange_keep(x);
	arena_init_counted(&r->arena, r->first, sizeof(r->first), LIMIT_REQUEST_ARENA_BYTES,
		exchange_account(x), false);
	strbuf_init(&r->details, KIB(8));
	strbuf_init_counted(&r->body, 0, exchange_account(x));
	ops_count(&ops->open_requests);
	ops_count(&ops->requests);
	return r;
}

static bool access_granted(struct request *r)
{
	switch (r->op->access) {
	case OP_ACCESS_SELF:
	case OP_ACCESS_OBJECT:
		return true;
	case OP_ACCESS_OWNER:
		return !r->anonymous;
	case OP_ACCESS_READ:
		return request_may_read(r, r->bucket, STORE_ACL_DEFAULT);
	case OP_ACCESS_WRITE:
		return request_may_write(r);
	}
	return false;
}

static void decide_cross_origin(struct request *r)
{
	cross_origin_decide(r, request_header(r, S("Origin")).len && auth_claimed(r));
}

/* Whether the address could be read and names what there is; else it has been answered. */
static bool find_address(struct request *r)
{
	const struct request_head *head = r->head;
	const struct ops_options *options = &r->ops->options;
	SCOPED_STRBUF(reason, 512);
	const struct host_rules rules = {
		options->domains, options->domain_count, options->hosts, options->host_count};
	enum err e = address_parse(head->host, head->path, &rules, &r->arena, &r->address, &reason);
	if (e != ERR_OK) {
		if (reason.len)
			respond_error_text(r, e, "%s", reason.ptr);
		else
			respond_error(r, e);
		return false;
	}
	if (!r->address.has_bucket)
		return true;
	r->bucket = store_bucket_get(options->store, r->address.bucket.text);
	if (r->bucket)
		decide_cross_origin(r);
	return true;
}

static void refuse_method(struct request *r)
{
	SCOPED_STRBUF(allowed, 128);
	route_allowed(&r->address, &allowed);
	respond_built_header(r, "Allow", &allowed);
	respond_error(r, ERR_METHOD_NOT_ALLOWED);
}

static bool use_op(struct request *r, const struct op *op)
{
	r->op = op;
	request_note(r, "op=%s", r->op->name);
	if (r->op->state_size && !(r->state = arena_zalloc(&r->arena, r->op->state_size))) {
		respond_error(r, ERR_UNAVAILABLE);
		return false;
	}
	r->body.max = r->op->max_body;
	return true;
}

static bool find_op(struct request *r)
{
	const struct op *op = NULL;
	enum err e = route(r->head, r->query, &r->address, &op);
	if (e == ERR_OK)
		return use_op(r, op);
	if (e == ERR_METHOD_NOT_ALLOWED)
		refuse_method(r);
	else if (e == ERR_INVALID_BUCKET_NAME)
		respond_error_text(r, e,
			"The request names no bucket. A bucket is the first part of the path, "
			"/BUCKET/KEY, or stands in front of the host name.");
	else
		respond_error(r, e);
	return false;
}

static bool needs_bucket(const struct op *op)
{
	return op->level != OP_SERVICE && op->access != OP_ACCESS_OWNER;
}

/*
 * A small body that has begun is not refused for want of memory: all of it is taken now. For a
 * larger one it is taken as the bytes come, so that announcing it costs others nothing.
 */
static bool reserve_body(struct request *r)
{
	uint64_t length = r->head->body == HTTP_BODY_LENGTH ? r->head->content_length : 0;
	if (r->op->body != OP_BODY_WHOLE || length > LIMIT_BODY_RESERVED_BYTES)
		return true;
	strbuf_reserve(&r->body, (size_t)length);
	if (!strbuf_broken(&r->body))
		return true;
	respond_error(r, ERR_UNAVAILABLE);
	return false;
}

static void begin_granted(struct request *r)
{
	if (!authorize_op(r) || !reserve_body(r) || !unimplemented_absent(r))
		return;
	request_enter(r, PHASE_BODY);
	if (r->op->body == OP_BODY_NONE)
		exchange_skip_body(request_exchange(r));
	if (r->op->begin)
		r->op->begin(r);
}

/* Begins the operation if the request is authentic and permitted. */
static void begin_op(struct request *r)
{
	request_enter(r, PHASE_AUTHORIZE);
	if (r->op->access != OP_ACCESS_SELF && (!auth_check(r) || !referer_allowed(r)))
		return;
	if (access_granted(r))
		begin_granted(r);
	else if (r->op->access == OP_ACCESS_WRITE && r->op->level == OP_OBJECT)
		open_object_look(r, begin_granted);
	else
		respond_error(r, r->bucket ? ERR_BUCKET_ACL_DENIED : ERR_ACCESS_DENIED);
}

static void start(struct request *r)
{
	decide_cross_origin(r); /* an error may come before the bucket is known */
	if (!reading_check(r))
		return;
	if (cross_origin_is_console_preflight(r)) {
		if (use_op(r, &op_option_object))
			begin_op(r);
		return;
	}
	if (!find_address(r) || !find_op(r))
		return;
	/*
	 * Anybody may learn that a bucket does not exist, but not what the owner's answer would be.
	 */
	if (!r->bucket && needs_bucket(r->op)) {
		respond_detail(r, "BucketName", r->address.bucket.text);
		respond_error(r, ERR_NO_SUCH_BUCKET);
		return;
	}
	begin_op(r);
}

static void start_by_path(struct request *r, const struct op *op)
{
	decide_cross_origin(r);
	SCOPED_STRBUF(resource, LIMIT_HEAD_BYTES);
	strbuf_adds(&resource, OPS_PATH_RESOURCE);
	strbuf_add_slice(&resource, r->head->path);
	r->resource = arena_copy(&r->arena, strbuf_slice(&resource));
	if (!r->resource.ptr || strbuf_broken(&resource))
		respond_error(r, ERR_UNAVAILABLE);
	else if (reading_check(r) && use_op(r, op))
		begin_op(r);
}

/* `by_path`: the operation, if the path has already told it. */
static void receive(struct ops *ops, struct exchange *x, const struct op *by_path, const void *ctx)
{
	struct request *r = new_request(ops, x);
	if (!r) {
		exchange_send(x, 503, S(""));
		return;
	}
	r->ctx = ctx;
	exchange_attach(x, &handler, r);
	request_hold(r);
	if (by_path)
		start_by_path(r, by_path);
	else
		start(r);
	request_release(r);
}

static void send_callback_key(struct ops *ops, struct exchange *x)
{
	exchange_header_lines(x, S("Server: AliyunOSS\r\nX-Content-Type-Options: nosniff\r\n"
				   "Content-Type: application/x-pem-file\r\n"));
	exchange_send(x, 200, ops->options.callback_key_pem);
}

/* What is no request has an error document as well. */
static void refuse(
	void *ctx, const struct refused_head *refused, struct strbuf *lines, struct strbuf *body)
{
	struct ops *ops = ctx;
	ops_count(&ops->errors);
	respond_refused(refused, lines, body);
}

/* The own path, at any host; and the public URL, whose name may lead here (docs/callbacks.md). */
static bool is_callback_key(const struct ops_options *options, const struct request_head *head)
{
	if (head->method != HTTP_GET && head->method != HTTP_HEAD)
		return false;
	return slice_eq(head->path, S(OPS_CALLBACK_KEY_PATH)) ||
	       (options->callback_key_path.len &&
		       slice_eq(head->path, options->callback_key_path) &&
		       host_is(head->host, options->callback_key_host));
}

static void begin(void *ctx, struct exchange *x)
{
	struct ops *ops = ctx;
	if (is_callback_key(&ops->options, exchange_head(x))) {
		send_callback_key(ops, x);
		return;
	}
	receive(ops, x, NULL, NULL);
}

void ops_begin(struct ops *ops, struct exchange *x, const struct op *op, const void *ctx)
{
	receive(ops, x, op, ctx);
}

enum err ops_new(const struct ops_options *options, struct ops **ret)
{
	struct ops *ops = calloc(1, sizeof(*ops));
	if (!ops)
		return ERR_UNAVAILABLE;
	ops->service = (struct service){.name = "store",
		.begin = begin,
		.ctx = ops,
		.secret_params = ops_secret_params,
		.takes_both_lengths = true,
		.refuse = refuse};
	ops->options = *options;
	ops->cors = cors_cache_new();
	ops->referers = referer_cache_new();
	ops->lifecycles = expiration_cache_new();
	ops->file_reader = file_reader_new();
	if (!ops->cors || !ops->referers || !ops->lifecycles || !ops->file_reader) {
		ops_free(ops);
		return ERR_UNAVAILABLE;
	}
	*ret = ops;
	return ERR_OK;
}

const struct service *ops_service(const struct ops *ops)
{
	return &ops->service;
}

const struct ops_options *ops_options(const struct ops *ops)
{
	return &ops->options;
}

void ops_count_callback(struct ops *ops, bool ok)
{
	ops_count(&ops->callbacks);
	if (!ok)
		ops_count(&ops->callbacks_failed);
}

bool ops_idle(const struct ops *ops)
{
	return atomic_load_explicit(&ops->open_requests, memory_order_acquire) == 0;
}

void ops_free(struct ops *ops)
{
	if (!ops)
		return;
	setting_cache_free(ops->cors);
	setting_cache_free(ops->referers);
	setting_cache_free(ops->lifecycles);
	file_reader_free(ops->file_reader);
	sign_key_cache_clear(&ops->sign_keys);
	free(ops);
}

void ops_stats(const struct ops *ops, struct ops_stats *ret)
{
	*ret = (struct ops_stats){
		.requests = atomic_load(&ops->requests),
		.errors = atomic_load(&ops->errors),
		.uploads = atomic_load(&ops->uploads),
		.callbacks = atomic_load(&ops->callbacks),
		.callbacks_failed = atomic_load(&ops->callbacks_failed),
	};
}
