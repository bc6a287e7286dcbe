/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a callback says is a hint: a store signs whatever an uploader has asked it to send. So the
 * store itself is asked, by HEAD and with our own key, what object it has.
 */
#include <stdlib.h>

#include "app/app_internal.h"
#include "base/encode.h"
#include "base/limits.h"
#include "base/log.h"
#include "crypto/random.h"
#include "http/date.h"
#include "oss/sign/sign_v1.h"
#include "oss/sign/sign_v4.h"
#include "oss/text/iso8601.h"

#define TEXT_BYTES_MAX KIB(32)
#define PROBE_NAME_LENGTH 32

/* ---- The question -----------------------------------------------------------------------------
 */

/* NUL-terminated; NULL without memory. */
static const char *keep(struct app_confirmation *c, const struct strbuf *text)
{
	return strbuf_broken(text) ? NULL : arena_copy(&c->arena_, strbuf_slice(text)).ptr;
}

static bool add_line(struct app_confirmation *c, const char *name, struct slice value)
{
	SCOPED_STRBUF(line, TEXT_BYTES_MAX);
	strbuf_addf(&line, "%s: ", name);
	strbuf_add_slice(&line, value);
	c->lines_[c->line_count_] = keep(c, &line);
	return c->lines_[c->line_count_++] != NULL;
}

static bool sign_v1(struct app_confirmation *c, struct sign_request *r, int64_t now_ms)
{
	const struct settings *s = &c->app_->settings;
	char date[DATE_SIZE];
	SCOPED_STRBUF(authorization, TEXT_BYTES_MAX);
	date_format(now_ms / 1000, date);
	const struct http_header headers[] = {{S("Date"), slice_str(date)}};
	r->headers = headers;
	r->header_count = ARRAY_LEN(headers);
	return sign_v1_header(r, s->access_key_id, s->access_key_secret, &authorization) &&
	       add_line(c, "Date", slice_str(date)) &&
	       add_line(c, "Authorization", strbuf_slice(&authorization));
}

static bool sign_v4(struct app_confirmation *c, struct sign_request *r, int64_t now_ms)
{
	const struct settings *s = &c->app_->settings;
	const struct sign_v4_signer signer = {
		.access_key_id = s->access_key_id,
		.secret = s->access_key_secret,
		.region = s->region,
		.product = S("oss"),
	};
	SCOPED_STRBUF(date, 32);
	SCOPED_STRBUF(authorization, TEXT_BYTES_MAX);
	iso8601_add_basic(&date, now_ms);
	const struct http_header headers[] = {
		{S("x-oss-content-sha256"), S(SIGN_V4_PAYLOAD)},
		{S("x-oss-date"), strbuf_slice(&date)},
	};
	r->headers = headers;
	r->header_count = ARRAY_LEN(headers);
	return sign_v4_header(r, &signer, now_ms, &authorization) &&
	       add_line(c, "x-oss-content-sha256", S(SIGN_V4_PAYLOAD)) &&
	       add_line(c, "x-oss-date", strbuf_slice(&date)) &&
	       add_line(c, "Authorization", strbuf_slice(&authorization));
}

static bool build(struct app_confirmation *c, const char **ret_url)
{
	const struct settings *s = &c->app_->settings;
	int64_t now_ms = clock_wall_ms(c->app_->parts.clock);
	struct sign_request r = {.method = S("HEAD"), .bucket = s->bucket, .key = c->key};
	SCOPED_STRBUF(url, TEXT_BYTES_MAX);
	strbuf_add_slice(&url, s->store_url);
	strbuf_addc(&url, '/');
	percent_encode_path(&url, c->key);
	*ret_url = keep(c, &url);
	return *ret_url &&
	       (s->signature_version == 1 ? sign_v1(c, &r, now_ms) : sign_v4(c, &r, now_ms));
}

/* ---- The answer -------------------------------------------------------------------------------
 */

struct slice app_etag(struct slice text)
{
	if (text.len >= 2 && text.ptr[0] == '"' && text.ptr[text.len - 1] == '"')
		return slice_of(text.ptr + 1, text.len - 2);
	return text;
}

static struct slice header(const struct app_confirmation *c, const char *name)
{
	return outgoing_answer_header(&c->request_, slice_str(name));
}

/* NULL, or what of a description is missing. */
static const char *describe(struct app_confirmation *c)
{
	c->etag = app_etag(header(c, "ETag"));
	c->mime_type = header(c, "Content-Type");
	c->version_id = header(c, "x-oss-version-id");
	c->grant_id = header(c, GRANT_META);
	c->has_grant_id = outgoing_has_header(&c->request_, S(GRANT_META));
	c->size = c->request_.content_length;
	if (!c->request_.has_content_length)
		return "the store's answer has no Content-Length";
	if (c->etag.len == 0)
		return "the store's answer has no ETag";
	if (!date_parse(header(c, "Last-Modified"), &c->last_modified))
		return "the store's answer has no Last-Modified";
	if (!utf8_valid(c->etag) || !utf8_valid(c->mime_type) || !utf8_valid(c->version_id))
		return "the store's answer is not UTF-8";
	if (!date_parse(header(c, "Date"), &c->date))
		c->date = -1;
	return NULL;
}

static void on_answer(struct task *task)
{
	struct outgoing_request *request = CONTAINER_OF(task, struct outgoing_request, done);
	struct app_confirmation *c = CONTAINER_OF(request, struct app_confirmation, request_);
	c->status = request->kind == OUTGOING_ANSWERED ? request->status : 0;
	if (c->status == 200)
		c->fault = describe(c);
	else if (c->status != 404)
		c->fault =
			request->fault ? request->fault : "the store answered neither 200 nor 404";
	c->found = c->status == 200 && !c->fault;
	c->done.run(&c->done);
}

void app_confirm(struct app *app, struct app_confirmation *c)
{
	const char *url = NULL;
	c->app_ = app;
	c->found = false;
	c->status = 0;
	c->line_count_ = 0;
	c->request_ = (struct outgoing_request){
		.answer = STRBUF_INIT(0), .answer_headers = STRBUF_INIT(0)};
	arena_init(&c->arena_, NULL, 0, 8 * TEXT_BYTES_MAX);
	if (!build(c, &url)) {
		c->fault = "there is no memory";
		executor_post(c->home, &c->done);
		return;
	}
	c->request_ = (struct outgoing_request){
		.class = OUTGOING_CONFIRM,
		.url = url,
		.head = true,
		.headers = c->lines_,
		.header_count = c->line_count_,
		.sni = true,
		.timeout_ms = c->timeout_ms,
		.any_address = true, /* the operator's own choice */
		.any_certificate = app->settings.any_certificate,
		.keep_headers = true,
		.home = c->home,
		.done.run = on_answer,
	};
	outgoing_send(app->parts.confirming, &c->request_);
}

void app_confirmation_release(struct app_confirmation *c)
{
	if (!c->app_)
		return;
	outgoing_request_release(&c->request_);
	arena_reset(&c->arena_);
}

/* ---- At start ---------------------------------------------------------------------------------
 */

struct probing {
	struct app_confirmation confirmation;
	struct app_probe *probe;
	struct strbuf key;
};

static void note_forbidden(struct app *app)
{
	atomic_store(&app->forbidden, true);
	if (app->settings.confirm != APP_CONFIRM_AUTO)
		return;
	atomic_store(&app->confirms, false);
	log_error(
		"[app] confirm: uploads are NOT confirmed: the store answers 403 to a HEAD of an "
		"object, "
		"so the key may not read (oss:GetObject). What callbacks say is recorded as it is");
}

static void on_probed(struct task *task)
{
	struct app_confirmation *c = CONTAINER_OF(task, struct app_confirmation, done);
	struct probing *probing = CONTAINER_OF(c, struct probing, confirmation);
	struct app_probe *probe = probing->probe;
	probe->forbidden = c->status == 403;
	if (probe->forbidden)
		note_forbidden(c->app_);
	else if (c->status != 404)
		log_error("[app] confirm: the store could not be asked: %s (status %d)",
			c->fault ? c->fault : "an object of a made-up name exists", c->status);
	app_confirmation_release(c);
	strbuf_release(&probing->key);
	free(probing);
	executor_post(probe->home, &probe->done);
}

/* On whatever thread the answer comes: it takes no time. */
static void run_at_once(struct executor *executor UNUSED, struct task *task)
{
	task->run(task);
}

static struct executor at_once = {run_at_once};

enum err app_probe_store(struct app *app, struct app_probe *probe)
{
	char name[PROBE_NAME_LENGTH];
	if (app->settings.confirm == APP_CONFIRM_OFF || app->settings.callback_url.len == 0) {
		executor_post(probe->home, &probe->done);
		return ERR_OK;
	}
	struct probing *probing = calloc(1, sizeof(*probing));
	if (!probing)
		return ERR_UNAVAILABLE;
	random_alnum(name, sizeof(name));
	strbuf_init(&probing->key, LIMIT_KEY_BYTES + PROBE_NAME_LENGTH);
	strbuf_add_slice(&probing->key, key_template_start(&app->settings.profiles->dir));
	strbuf_add(&probing->key, name, sizeof(name));
	probing->probe = probe;
	probing->confirmation.key = strbuf_slice(&probing->key);
	probing->confirmation.timeout_ms = LIMIT_APP_CALLBACK_MS;
	probing->confirmation.home = &at_once;
	probing->confirmation.done.run = on_probed;
	app_confirm(app, &probing->confirmation);
	return ERR_OK;
}
