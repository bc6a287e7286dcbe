/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a callback says is a hint: a store signs whatever an uploader has asked it to send. So the
 * store itself is asked, by HEAD and with our own key, what object it has.
 */
#include "app/app_internal.h"
#include "base/encode.h"
#include "base/limits.h"
#include "http/date.h"

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
	return outgoing_answer_header(&c->request_.request, slice_str(name));
}

/* NULL, or what of a description is missing. */
static const char *describe(struct app_confirmation *c)
{
	c->etag = app_etag(header(c, "ETag"));
	c->mime_type = header(c, "Content-Type");
	c->version_id = header(c, "x-oss-version-id");
	c->crc64 = header(c, "x-oss-hash-crc64ecma");
	c->grant_id = header(c, GRANT_META);
	c->has_grant_id = outgoing_has_header(&c->request_.request, S(GRANT_META));
	c->size = c->request_.request.content_length;
	if (!c->request_.request.has_content_length)
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
	struct store_request *request = CONTAINER_OF(task, struct store_request, done);
	struct app_confirmation *c = CONTAINER_OF(request, struct app_confirmation, request_);
	c->status = request->status;
	if (c->status == 200)
		c->fault = describe(c);
	else if (c->status == 403)
		c->fault = "the store answered 403: the key may not read (oss:GetObject)";
	else if (c->status != 404)
		c->fault =
			request->fault ? request->fault : "the store answered neither 200 nor 404";
	c->found = c->status == 200 && !c->fault;
	c->done.run(&c->done);
}

void app_confirm(struct app *app, struct app_confirmation *c)
{
	c->app_ = app;
	c->found = false;
	c->status = 0;
	c->request_ = (struct store_request){
		.method = S("HEAD"),
		.key = c->key,
		.class = OUTGOING_CONFIRM,
		.timeout_ms = c->timeout_ms,
		.home = c->home,
		.done.run = on_answer,
	};
	store_request_send(app, app->parts.confirming, &c->request_);
}

void app_confirmation_release(struct app_confirmation *c)
{
	store_request_release(&c->request_);
}

void app_fill_found(const struct app *app, const struct app_confirmation *found,
	struct slice grant_id, const struct judging *judging, struct ledger_entry *ret)
{
	*ret = (struct ledger_entry){
		.received_ms = clock_wall_ms(app->parts.clock),
		.grant_id = grant_id,
		.request_id = S(""),
		.bucket = app->settings.bucket,
		.object = found->key,
		.etag = found->etag,
		.mime_type = found->mime_type,
		.size = (int64_t)found->size,
		.width = -1,
		.height = -1,
		.client_ip = S(""),
		.body = S(""),
		.confirmed = true,
		.found = true,
		.last_modified = found->last_modified,
		.version_id = found->version_id,
		.max_uploads = judging->rules->grant_uploads,
		.max_bytes = judging->rules->grant_uploads * judging->max_size,
	};
}

void app_reject_grant(const struct app *app, struct slice profile, struct slice grant_id,
	const char *reason, struct slice object, struct slice trace)
{
	SCOPED_STRBUF(text, KIB(2));
	outcomes_count_grant(app->outcomes, profile, OUTCOME_REJECTED);
	strbuf_addf(&text, "%s: ", reason);
	strbuf_add_slice(&text, object);
	if (app->settings.grants_max > 0)
		ledger_set_state(
			app->parts.ledger, &(const struct ledger_change){.id = grant_id,
						   .state = GRANT_REJECTED,
						   .reason = text.ptr,
						   .trace = trace,
						   .now_ms = clock_wall_ms(app->parts.clock)});
}

bool app_sums_differ(struct slice sent, struct slice stored)
{
	return sent.len > 0 && stored.len > 0 && !slice_eq(sent, stored);
}
