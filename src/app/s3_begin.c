/* SPDX-License-Identifier: Apache-2.0 */
/* POST /s3/multipart: an upload begins at the store, and is written down before it is given out. */
#include "app/body.h"
#include "app/json.h"
#include "app/multipart/part_counts.h"
#include "app/s3.h"
#include "app/wishes.h"

#define BEGIN_BYTES_MAX KIB(16)

struct beginning {
	struct app *app;
	struct exchange *x;
	struct wish wish;
	struct slice subject;
	struct grant grant;
	struct multipart_id id;
	struct slice json;
	struct http_header headers[STORE_REQUEST_HEADERS_MAX];
	size_t header_count;
	struct store_request request;
	struct ledger_grant row;
};

/* ---- The answer -------------------------------------------------------------------------------
 */

static bool write_answer(struct beginning *b)
{
	const struct app *app = b->app;
	SCOPED_STRBUF(json, BEGIN_BYTES_MAX);
	SCOPED_STRBUF(id, MULTIPART_ID_MAX);
	if (!multipart_id_add(&app->ticket_key, &b->id, b->grant.offer.key, b->subject, &id))
		return false;
	part_counts_begin(app->part_counts, strbuf_slice(&id));
	strbuf_adds(&json, "{\"key\":");
	json_add_string(&json, b->grant.offer.key);
	strbuf_adds(&json, ",\"uploadId\":");
	json_add_string(&json, strbuf_slice(&id));
	strbuf_adds(&json, ",\"bucket\":");
	json_add_string(&json, app->settings.bucket);
	strbuf_addf(&json, ",\"expires\":%lld,\"part_size\":%d,\"max_parts\":%u,",
		(long long)b->id.expires, (int)S3_PART_BYTES, s3_max_parts(b->id.max_size));
	grant_write_limits(app, &b->grant, &json);
	strbuf_addc(&json, '}');
	b->json = arena_copy(exchange_arena(b->x), strbuf_slice(&json));
	return b->json.ptr && !strbuf_broken(&json);
}

static void on_issued(struct task *task)
{
	struct ledger_grant *row = CONTAINER_OF(task, struct ledger_grant, done);
	struct beginning *b = CONTAINER_OF(row, struct beginning, row);
	struct exchange *x = b->x;
	if (!row->recorded)
		atomic_fetch_add(&b->app->unwritten, 1);
	app_send_json(b->app, x, 200, b->json);
	exchange_release(x);
}

/* False: it is answered. */
static bool issue(struct beginning *b)
{
	if (!write_answer(b) ||
		!grant_fill_row(&b->grant, b->subject, exchange_arena(b->x), &b->row)) {
		s3_send_no_memory(b->app, b->x);
		return false;
	}
	if (!grant_has_row(b->app, &b->grant)) {
		app_send_json(b->app, b->x, 200, b->json);
		return false;
	}
	b->row.upload = slice_str(b->id.upload);
	b->row.home = exchange_home(b->x);
	b->row.done.run = on_issued;
	ledger_issue(b->app->parts.ledger, &b->row);
	return true;
}

static void on_begun(struct task *task)
{
	struct store_request *r = CONTAINER_OF(task, struct store_request, done);
	struct beginning *b = CONTAINER_OF(r, struct beginning, request);
	struct exchange *x = b->x;
	bool waits = false;
	if (r->status == 409)
		app_send_error(b->app, x, 409, "already_there",
			"There is an object of this name, which may not be replaced.");
	else if (r->status != 200 ||
		 !multipart_answer_begun(strbuf_slice(&r->request.answer), b->id.upload))
		s3_send_failed(b->app, x, "beginning", r);
	else
		waits = issue(b);
	store_request_release(r);
	if (!waits)
		exchange_release(x);
}

/* ---- The request ------------------------------------------------------------------------------
 */

static void add(struct beginning *b, struct slice name, struct slice value)
{
	if (value.len > 0)
		b->headers[b->header_count++] = (struct http_header){name, value};
}

/* The ACL is told when the upload is completed. */
static void add_headers(struct beginning *b)
{
	const struct profile *p = b->grant.offer.profile;
	struct slice type = b->grant.offer.type;
	add(b, S("Content-Type"), type.len > 0 ? type : S("application/octet-stream"));
	add(b, S("Cache-Control"), p->cache_control);
	add(b, S("Content-Disposition"), p->content_disposition);
	add(b, S("x-oss-forbid-overwrite"), p->forbid_overwrite ? S("true") : S(""));
	add(b, S("x-oss-storage-class"), p->storage_class);
	add(b, S(GRANT_META), slice_of(b->grant.id, TICKET_ID_LENGTH));
	for (size_t i = 0; i < p->metadata_count; i++)
		add(b, p->metadata[i].name, p->metadata[i].value);
}

static void ask_store(struct beginning *b)
{
	add_headers(b);
	b->request = (struct store_request){
		.method = S("POST"),
		.key = b->grant.offer.key,
		.query = S("uploads"),
		.headers = b->headers,
		.header_count = b->header_count,
		.class = OUTGOING_STORE,
		.max_answer_bytes = LIMIT_PARTS_ANSWER_BYTES,
		.timeout_ms = LIMIT_STORE_MS,
		.home = exchange_home(b->x),
		.done.run = on_begun,
	};
	exchange_keep(b->x);
	store_request_send(b->app, b->app->parts.outgoing, &b->request);
}

static void fill_id(struct beginning *b)
{
	const struct profile *profile = b->grant.offer.profile;
	memcpy(b->id.grant_id, b->grant.id, TICKET_ID_LENGTH);
	b->id.expires = b->grant.expires;
	b->id.max_size = b->grant.offer.max_size;
	memcpy(b->id.profile, profile->name.len > 0 ? profile->name.ptr : "", profile->name.len);
}

/* A type that is not told cannot be one of a list. */
static bool check_type(struct beginning *b, const struct offer *offer)
{
	if (offer->type_count == 0 || offer->type.len > 0)
		return true;
	app_send_error(b->app, b->x, 403, "type_refused",
		"This profile allows some types only: `type` must be told.");
	return false;
}

static bool begin(struct app *app, struct exchange *x, const struct caller *caller, void *ctx)
{
	struct beginning *b = ctx;
	struct offer offer;
	struct offer_refusal why;
	struct arena *arena = exchange_arena(x);
	int64_t now_ms = clock_wall_ms(app->parts.clock) / 1000 * 1000;
	int64_t expires = now_ms / 1000 + app->settings.multipart_expire_seconds;
	if (!offer_make(&app->settings, caller, &b->wish, now_ms / 1000, arena, &offer, &why)) {
		app_refuse_offer(app, x, &why);
		return false;
	}
	if (!check_type(b, &offer))
		return false;
	if (!grant_begin(app, TICKET_FORM, &offer, now_ms, expires, arena, &b->grant)) {
		s3_send_no_memory(app, x);
		return false;
	}
	b->subject = caller->subject;
	fill_id(b);
	ask_store(b);
	return true;
}

static void on_body(struct app *app, struct exchange *x, struct slice body, void *ctx UNUSED)
{
	struct beginning *b = arena_zalloc(exchange_arena(x), sizeof(*b));
	if (!b) {
		s3_send_no_memory(app, x);
		return;
	}
	b->app = app;
	b->x = x;
	const char *fault = wish_parse(body, exchange_arena(x), &b->wish);
	if (fault)
		app_send_error(app, x, 400, "invalid_request", fault);
	else
		app_admit(app, x, begin, b);
}

void s3_begin(struct app *app, struct exchange *x)
{
	app_read_body(app, x, LIMIT_GRANT_REQUEST_BYTES, on_body, NULL);
}
