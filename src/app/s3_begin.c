/* SPDX-License-Identifier: Apache-2.0 */
/* POST /s3/multipart: an upload begins at the store, and is written down before it is given out. */
#include "app/body.h"
#include "app/counts/part_counts.h"
#include "app/offer/wishes.h"
#include "app/s3.h"
#include "app/text/json.h"
#include "base/encode.h"
#include "base/log.h"

#define BEGIN_BYTES_MAX KIB(16)
#define UNWRITTEN_RETRY_AFTER_S "60"

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
	struct store_request abort;
	struct ledger_grant row;
};

/* ---- The answer -------------------------------------------------------------------------------
 */

static bool write_answer(struct beginning *b)
{
	const struct app *app = b->app;
	SCOPED_STRBUF(json, BEGIN_BYTES_MAX);
	SCOPED_STRBUF(id, MULTIPART_ID_MAX);
	struct ticket_key key;
	if (!grant_keys_at(app_grant_keys(app), 0, 0, &key) ||
		!multipart_id_add(&key, &b->id, b->grant.offer.key, b->subject, &id))
		return false;
	part_counts_begin(app->part_counts, strbuf_slice(&id), clock_monotonic_ms());
	strbuf_addc(&json, '{');
	json_member_string(&json, "key", b->grant.offer.key);
	json_member_string(&json, "uploadId", strbuf_slice(&id));
	json_member_string(&json, "bucket", app->settings.bucket);
	json_member_number(&json, "expires", b->id.expires);
	json_member_number(&json, "part_size", S3_PART_BYTES);
	json_member_number(&json, "max_parts", s3_max_parts(b->id.max_size));
	grant_write_limits(&b->grant, &json);
	strbuf_addc(&json, '}');
	b->json = arena_copy(exchange_arena(b->x), strbuf_slice(&json));
	return b->json.ptr && !strbuf_broken(&json);
}

/* ---- Written down -----------------------------------------------------------------------------
 */

static void send_unwritten(struct app *app, struct exchange *x)
{
	exchange_header(x, "Retry-After", S(UNWRITTEN_RETRY_AFTER_S));
	exchange_note(x, "unwritten=grant");
	app_send_error(app, x, 503, "unavailable",
		"No upload in parts can be written down now, and so none begins.");
}

static void count(const struct beginning *b, enum grant_outcome outcome)
{
	outcomes_count_grant(b->app->outcomes, b->grant.offer.profile->name, outcome);
}

static void on_given_up(struct task *task)
{
	struct store_request *r = CONTAINER_OF(task, struct store_request, done);
	struct beginning *b = CONTAINER_OF(r, struct beginning, abort);
	struct exchange *x = b->x;
	if (r->status != 204 && r->status != 404)
		log_error("multipart %.*s: an upload that is not written down could not be aborted "
			  "(status %d)",
			SLICE_FMT(exchange_id(x)), r->status);
	store_request_release(r);
	send_unwritten(b->app, x);
	exchange_release(x);
}

/* What is not written down nobody would abort later. The answer waits for it. */
static void give_up(struct beginning *b)
{
	SCOPED_STRBUF(query, KIB(4));
	count(b, OUTCOME_UNAVAILABLE);
	strbuf_adds(&query, "uploadId=");
	percent_encode(&query, slice_str(b->id.upload));
	b->abort = (struct store_request){
		.method = S("DELETE"),
		.key = b->grant.offer.key,
		.query = strbuf_slice(&query),
		.class = OUTGOING_STORE,
		.max_answer_bytes = LIMIT_PARTS_ANSWER_BYTES,
		.timeout_ms = LIMIT_STORE_MS,
		.home = exchange_home(b->x),
		.done.run = on_given_up,
	};
	store_request_send(b->app, b->app->parts.outgoing, &b->abort);
}

static void on_issued(struct task *task)
{
	struct ledger_grant *row = CONTAINER_OF(task, struct ledger_grant, done);
	struct beginning *b = CONTAINER_OF(row, struct beginning, row);
	struct exchange *x = b->x;
	if (!row->recorded) {
		give_up(b);
		return;
	}
	count(b, OUTCOME_ISSUED);
	exchange_note(x, "grant=%.*s", TICKET_ID_LENGTH, b->grant.id);
	app_send_json(b->app, x, 200, b->json);
	exchange_release(x);
}

/* The answer comes later in any case. */
static void issue(struct beginning *b)
{
	if (!write_answer(b)) {
		give_up(b);
		return;
	}
	grant_fill_row(b->app, &b->grant, b->subject, &b->row);
	b->row.upload = slice_str(b->id.upload);
	b->row.home = exchange_home(b->x);
	b->row.done.run = on_issued;
	ledger_issue(b->app->parts.ledger, &b->row);
}

static void on_begun(struct task *task)
{
	struct store_request *r = CONTAINER_OF(task, struct store_request, done);
	struct beginning *b = CONTAINER_OF(r, struct beginning, request);
	struct exchange *x = b->x;
	bool waits = false;
	if (r->status == 409) {
		count(b, OUTCOME_REFUSED);
		app_send_error(b->app, x, 409, "already_there",
			"There is an object of this name, which may not be replaced.");
	} else if (r->status != 200 ||
		   !multipart_answer_begun(strbuf_slice(&r->request.answer), b->id.upload)) {
		count(b, OUTCOME_UNAVAILABLE);
		s3_send_failed(b->app, x, "beginning", r);
	} else {
		waits = true;
	}
	store_request_release(r);
	if (waits)
		issue(b);
	else
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
	const struct offer *offer = &b->grant.offer;
	const struct profile *p = offer->profile;
	struct slice type = offer->type;
	add(b, S("Content-Type"), type.len > 0 ? type : S("application/octet-stream"));
	add(b, S("Cache-Control"), p->cache_control);
	add(b, S("Content-Disposition"), p->content_disposition);
	add(b, S("x-oss-forbid-overwrite"), p->forbid_overwrite ? S("true") : S(""));
	add(b, S("x-oss-storage-class"), p->storage_class);
	add(b, S(GRANT_META), slice_of(b->grant.id, TICKET_ID_LENGTH));
	for (size_t i = 0; i < offer->metadata_count; i++)
		add(b, offer->metadata[i].name, offer->metadata[i].value);
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
	b->id.variables_len = b->grant.offer.variables.len;
	memcpy(b->id.variables, b->id.variables_len > 0 ? b->grant.offer.variables.ptr : "",
		b->id.variables_len);
	memcpy(b->id.profile, profile->name.len > 0 ? profile->name.ptr : "", profile->name.len);
}

/* A type that is not told cannot be one of a list. */
static bool check_type(struct beginning *b, const struct offer *offer)
{
	if (offer->type_count == 0 || offer->type.len > 0)
		return true;
	outcomes_count_grant(b->app->outcomes, offer->profile->name, OUTCOME_REFUSED);
	app_send_error(b->app, b->x, 403, "type_refused",
		"This profile allows some types only: `type` must be told.");
	return false;
}

/* It goes in a header when the upload is completed. */
static bool check_callback(struct beginning *b)
{
	if (b->grant.callback.len <= LIMIT_CALLBACK_HEADER_BYTES)
		return true;
	outcomes_count_grant(b->app->outcomes, b->grant.offer.profile->name, OUTCOME_REFUSED);
	app_send_error(b->app, b->x, 403, "forbidden",
		"The object's name and the variables are too long for an upload in parts.");
	return false;
}

static bool begin(struct beginning *b, const struct caller *caller)
{
	struct app *app = b->app;
	struct offer offer;
	struct offer_refusal why;
	struct arena *arena = exchange_arena(b->x);
	int64_t now_ms = clock_wall_ms(app->parts.clock) / 1000 * 1000;
	int64_t expires = now_ms / 1000 + caller->multipart_seconds;
	SCOPED_CREDENTIALS struct credentials *credentials = app_credentials(app);
	if (!offer_make(app_rules(b->x), caller, &b->wish, now_ms / 1000, arena, &offer, &why)) {
		app_count_refusal(app, b->x, &b->wish, &why);
		app_refuse_offer(app, b->x, &why);
		return false;
	}
	if (!check_type(b, &offer))
		return false;
	/* It may outlive the credentials: what is sent later is signed later. */
	if (!grant_begin(
		    app, credentials, TICKET_FORM, &offer, now_ms, expires, arena, &b->grant)) {
		outcomes_count_grant(app->outcomes, offer.profile->name, OUTCOME_UNAVAILABLE);
		s3_send_no_memory(app, b->x);
		return false;
	}
	b->grant.credentials = NULL; /* they end here */
	b->subject = caller->subject;
	if (!check_callback(b))
		return false;
	fill_id(b);
	ask_store(b);
	return true;
}

static bool answer(struct app *app, struct exchange *x, const struct caller *caller,
	struct slice body, void *ctx UNUSED)
{
	struct beginning *b = arena_zalloc(exchange_arena(x), sizeof(*b));
	if (!b) {
		s3_send_no_memory(app, x);
		return false;
	}
	b->app = app;
	b->x = x;
	if (atomic_load(&app->parts_forbidden)) {
		exchange_note(x, "refused=\"the key may not do what parts need\"");
		app_send_error(app, x, 501, "no_parts", "There are no uploads in parts here.");
		return false;
	}
	const char *fault = wish_parse(body, exchange_arena(x), exchange_account(x), &b->wish);
	if (!fault && b->wish.profile.len == 0)
		b->wish.profile = app_query_profile(x);
	if (!fault && app->settings.grants_max > 0)
		return begin(b, caller);
	if (fault == wishes_no_memory)
		s3_send_no_memory(app, x);
	else if (fault)
		app_send_error(app, x, 400, "invalid_request", fault);
	else
		send_unwritten(app, x);
	return false;
}

void s3_begin(struct app *app, struct exchange *x)
{
	static const struct app_body how = {.max = LIMIT_UPLOAD_REQUEST_BYTES, .answer = answer};
	app_admit_body(app, x, &how, NULL);
}
