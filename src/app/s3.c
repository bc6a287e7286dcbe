/* SPDX-License-Identifier: Apache-2.0 */
#include "app/s3.h"

#include "base/encode.h"
#include "base/log.h"

#define QUERY_BYTES_MAX KIB(4)

/* ---- Answers that several have ----------------------------------------------------------------
 */

void s3_send_no_memory(struct app *app, struct exchange *x)
{
	app_send_no_memory(app, x);
}

void s3_send_failed(
	struct app *app, struct exchange *x, const char *what, const struct store_request *r)
{
	SCOPED_STRBUF(code, 256);
	multipart_answer_code(strbuf_slice(&r->request.answer), &code);
	char quoted[300];
	log_error("multipart %.*s: %s: the store answered %d %s%s", SLICE_FMT(exchange_id(x)), what,
		r->status, log_quoted(strbuf_slice(&code), quoted, sizeof(quoted)),
		r->fault ? r->fault : "");
	exchange_header(x, "Retry-After", S("2"));
	app_send_error(app, x, 503, "unavailable", "The store cannot do this now; try again.");
}

void s3_send_gone(struct app *app, struct exchange *x)
{
	app_send_error(app, x, 404, "no_such_upload",
		"There is no such upload any more: it was aborted, or has ended.");
}

/* ---- An upload --------------------------------------------------------------------------------
 */

unsigned int s3_max_parts(int64_t max_size)
{
	int64_t parts = (max_size + (S3_PART_BYTES - 1)) / S3_PART_BYTES;
	return parts < LIMIT_PARTS ? (unsigned int)parts : LIMIT_PARTS;
}

static enum err parse_id(struct s3_upload *u, const struct caller *caller, int64_t now)
{
	struct ticket_key key;
	enum err e = ERR_INVALID_ARGUMENT;
	for (size_t i = 0;
		e == ERR_INVALID_ARGUMENT && grant_keys_at(app_grant_keys(u->app), i, now, &key);
		i++)
		e = multipart_id_parse(&key, u->id_text, u->key, caller->subject, &u->id);
	return e;
}

static void let_go_of_judging(void *judging)
{
	judging_release(judging);
}

static bool find_profile(struct s3_upload *u, int64_t now)
{
	int64_t issued = ticket_id_time(slice_of(u->id.grant_id, TICKET_ID_LENGTH));
	bool known = rules_history_judge(&u->app->rules, app_rules(u->x), slice_str(u->id.profile),
		issued, now, &u->judging);
	exchange_hold(u->x, &u->judging, let_go_of_judging);
	if (!known)
		app_send_error(u->app, u->x, 404, "no_such_profile",
			"The profile of this upload is there no more.");
	return known;
}

bool s3_find(struct s3_upload *u, const struct caller *caller)
{
	int64_t now = clock_wall_ms(u->app->parts.clock) / 1000;
	enum err e = parse_id(u, caller, now);
	if (e == ERR_UNAVAILABLE) {
		s3_send_no_memory(u->app, u->x);
		return false;
	}
	if (e != ERR_OK) {
		exchange_note(u->x, "refused=\"the upload id\"");
		app_send_error(u->app, u->x, 403, "invalid_upload",
			"The upload id is not from here, or of another key or person.");
		return false;
	}
	exchange_note(u->x, "grant=%.*s", TICKET_ID_LENGTH, u->id.grant_id);
	if (now >= u->id.expires) {
		app_send_error(u->app, u->x, 410, "expired", "The time for this upload is over.");
		return false;
	}
	return find_profile(u, now);
}

void s3_ask_store(struct s3_upload *u, struct store_request *r, const char *more)
{
	SCOPED_STRBUF(query, QUERY_BYTES_MAX);
	strbuf_adds(&query, "uploadId=");
	percent_encode(&query, slice_str(u->id.upload));
	strbuf_adds(&query, more);
	struct slice text = arena_copy(exchange_arena(u->x), strbuf_slice(&query));
	r->key = u->key;
	r->query = text;
	/* One without the upload's name is another request. */
	r->incomplete = !text.ptr || strbuf_broken(&query);
	r->class = OUTGOING_STORE;
	r->max_answer_bytes = LIMIT_PARTS_ANSWER_BYTES;
	r->timeout_ms = LIMIT_STORE_MS;
	r->home = exchange_home(u->x);
	store_request_send(u->app, u->app->parts.outgoing, r);
}

/* ---- Routing ----------------------------------------------------------------------------------
 */

enum place {
	PLACE_NONE,
	PLACE_PARAMS,   /* /params */
	PLACE_UPLOADS,  /* /multipart */
	PLACE_UPLOAD,   /* /multipart/ID */
	PLACE_PART,     /* /multipart/ID/N */
	PLACE_BATCH,    /* /multipart/ID/batch */
	PLACE_COMPLETE, /* /multipart/ID/complete */
};

static enum place find_place(const struct app *app, struct slice path, struct s3_upload *ret)
{
	struct slice rest = slice_from(path, app->settings.multipart_path.len), id;
	if (slice_eq(rest, S("/params")))
		return PLACE_PARAMS;
	if (slice_eq(rest, S("/multipart")))
		return PLACE_UPLOADS;
	if (!slice_starts(rest, S("/multipart/")))
		return PLACE_NONE;
	rest = slice_from(rest, strlen("/multipart/"));
	bool more = slice_cut(&rest, '/', &id);
	ret->id_text = id;
	ret->numbers = rest;
	if (!more)
		return PLACE_UPLOAD;
	if (slice_eq(rest, S("batch")))
		return PLACE_BATCH;
	return slice_eq(rest, S("complete")) ? PLACE_COMPLETE : PLACE_PART;
}

static void send_not_allowed(struct app *app, struct exchange *x, const char *allow)
{
	exchange_header(x, "Allow", slice_str(allow));
	app_send_error(
		app, x, 405, "method_not_allowed", "This path does not answer to that method.");
}

static void route_upload(struct s3_upload *u, enum place place)
{
	enum http_method method = exchange_head(u->x)->method;
	if (place == PLACE_COMPLETE) {
		if (method == HTTP_POST)
			s3_complete(u);
		else
			send_not_allowed(u->app, u->x, "POST, OPTIONS");
	} else if (place == PLACE_UPLOAD && method == HTTP_DELETE) {
		app_admit(u->app, u->x, s3_abort, u);
	} else if (method != HTTP_GET) {
		send_not_allowed(u->app, u->x,
			place == PLACE_UPLOAD ? "GET, DELETE, OPTIONS" : "GET, OPTIONS");
	} else {
		app_admit(u->app, u->x,
			place == PLACE_UPLOAD  ? s3_send_list
			: place == PLACE_BATCH ? s3_send_urls
					       : s3_send_url,
			u);
	}
}

static void route(struct s3_upload *u, enum place place)
{
	struct app *app = u->app;
	struct exchange *x = u->x;
	enum http_method method = exchange_head(x)->method;
	const struct query_param *key = query_find(exchange_query(x), S("key"));
	if (place == PLACE_NONE) {
		app_send_error(app, x, 404, "not_found", "There is nothing at this path.");
	} else if (place == PLACE_PARAMS && method == HTTP_GET) {
		app_admit(app, x, app_send_params, NULL);
	} else if (place == PLACE_UPLOADS && method == HTTP_POST) {
		s3_begin(app, x);
	} else if (place == PLACE_PARAMS || place == PLACE_UPLOADS) {
		send_not_allowed(app, x, place == PLACE_PARAMS ? "GET, OPTIONS" : "POST, OPTIONS");
	} else if (!key || key->value.len == 0 || key->value.len > LIMIT_KEY_BYTES) {
		app_send_error(app, x, 400, "invalid_request",
			"The query must have `key`, the key of the upload.");
	} else {
		u->key = key->value;
		route_upload(u, place);
	}
}

bool app_is_s3_path(const struct app *app, struct slice path)
{
	return settings_is_multipart(&app->settings, path);
}

void app_answer_s3(struct app *app, struct exchange *x)
{
	struct s3_upload *u = arena_zalloc(exchange_arena(x), sizeof(*u));
	if (!u) {
		s3_send_no_memory(app, x);
		return;
	}
	u->app = app;
	u->x = x;
	route(u, find_place(app, exchange_head(x)->path, u));
}
