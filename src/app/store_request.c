/* SPDX-License-Identifier: Apache-2.0 */
#include "app/store_request.h"

#include "app/app_internal.h"
#include "base/encode.h"
#include "base/limits.h"
#include "http/date.h"
#include "oss/sign/sign_v1.h"
#include "oss/sign/sign_v4.h"
#include "oss/text/iso8601.h"

#define TEXT_BYTES_MAX KIB(64)

/* NUL-terminated; NULL without memory. */
static const char *keep(struct store_request *r, const struct strbuf *text)
{
	return strbuf_broken(text) ? NULL : arena_copy(&r->arena_, strbuf_slice(text)).ptr;
}

static bool add_line(struct store_request *r, struct slice name, struct slice value)
{
	SCOPED_STRBUF(line, TEXT_BYTES_MAX);
	strbuf_add_slice(&line, name);
	strbuf_adds(&line, ": ");
	strbuf_add_slice(&line, value);
	r->lines_[r->line_count_] = keep(r, &line);
	return r->lines_[r->line_count_++] != NULL;
}

static struct sign_v4_signer signer_of(const struct settings *s, const struct credentials *c)
{
	return (struct sign_v4_signer){
		.access_key_id = c->values.id,
		.secret = c->values.secret,
		.region = s->region,
		.product = S("oss"),
	};
}

/* ---- A request of ours ------------------------------------------------------------------------
 */

struct signing {
	struct store_request *request;
	const struct settings *settings;
	const struct credentials *credentials;
	struct sign_request text;
	struct http_header headers[STORE_REQUEST_HEADERS_MAX + 3];
	int64_t now_ms;
};

static void add_header(struct signing *s, struct slice name, struct slice value)
{
	s->headers[s->text.header_count++] = (struct http_header){name, value};
	s->text.headers = s->headers;
}

static bool sign_v1(struct signing *s)
{
	char date[DATE_SIZE];
	SCOPED_STRBUF(authorization, TEXT_BYTES_MAX);
	date_format(s->now_ms / 1000, date);
	add_header(s, S("Date"), slice_str(date));
	return sign_v1_header(&s->text, s->credentials->values.id, s->credentials->values.secret,
		       &authorization) &&
	       add_line(s->request, S("Date"), slice_str(date)) &&
	       add_line(s->request, S("Authorization"), strbuf_slice(&authorization));
}

static bool sign_v4(struct signing *s)
{
	const struct sign_v4_signer signer = signer_of(s->settings, s->credentials);
	SCOPED_STRBUF(date, 32);
	SCOPED_STRBUF(authorization, TEXT_BYTES_MAX);
	iso8601_add_basic(&date, s->now_ms);
	add_header(s, S("x-oss-content-sha256"), S(SIGN_V4_PAYLOAD));
	add_header(s, S("x-oss-date"), strbuf_slice(&date));
	return sign_v4_header(&s->text, &signer, s->now_ms, &authorization) &&
	       add_line(s->request, S("x-oss-content-sha256"), S(SIGN_V4_PAYLOAD)) &&
	       add_line(s->request, S("x-oss-date"), strbuf_slice(&date)) &&
	       add_line(s->request, S("Authorization"), strbuf_slice(&authorization));
}

/* Adds a header that is signed as it is sent. */
static bool add_signed(struct signing *s, struct slice name, struct slice value)
{
	add_header(s, name, value);
	return add_line(s->request, name, value);
}

static bool build(const struct app *app, const struct credentials *credentials,
	struct store_request *r, const char **ret_url)
{
	struct slice token = credentials->values.token;
	struct signing s = {.request = r,
		.settings = &app->settings,
		.credentials = credentials,
		.now_ms = clock_wall_ms(app->parts.clock)};
	s.text.method = r->method;
	s.text.bucket = app->settings.bucket;
	s.text.key = r->key;
	SCOPED_STRBUF(url, TEXT_BYTES_MAX);
	strbuf_add_slice(&url, app->settings.store_url);
	strbuf_addc(&url, '/');
	percent_encode_path(&url, r->key);
	strbuf_adds(&url, r->query.len > 0 ? "?" : "");
	strbuf_add_slice(&url, r->query);
	*ret_url = r->incomplete ? NULL : keep(r, &url);
	if (!*ret_url || !query_parse(r->query, &r->arena_, &s.text.query))
		return false;
	for (size_t i = 0; i < r->header_count; i++)
		if (!add_signed(&s, r->headers[i].name, r->headers[i].value))
			return false;
	if (token.len > 0 && !add_signed(&s, S("x-oss-security-token"), token))
		return false;
	return app->settings.signature_version == 1 ? sign_v1(&s) : sign_v4(&s);
}

static void on_answer(struct task *task)
{
	struct outgoing_request *request = CONTAINER_OF(task, struct outgoing_request, done);
	struct store_request *r = CONTAINER_OF(request, struct store_request, request);
	r->status = request->kind == OUTGOING_ANSWERED ? request->status : 0;
	r->fault = request->fault;
	r->done.run(&r->done);
}

void store_request_send(struct app *app, struct outgoing *outgoing, struct store_request *r)
{
	const char *url = NULL;
	SCOPED_CREDENTIALS struct credentials *credentials = app_credentials(app);
	r->status = 0;
	r->fault = NULL;
	r->line_count_ = 0;
	r->begun_ = true;
	r->request = (struct outgoing_request){
		.answer = STRBUF_INIT(0), .answer_headers = STRBUF_INIT(0)};
	arena_init(&r->arena_, NULL, 0, 8 * TEXT_BYTES_MAX);
	if (!credentials || !build(app, credentials, r, &url)) {
		r->fault = credentials ? "there is no memory" : "there are no valid credentials";
		executor_post(r->home, &r->done);
		return;
	}
	r->request = (struct outgoing_request){
		.class = r->class,
		.url = url,
		.method = outgoing_method_of(r->method),
		.body = r->body,
		.headers = r->lines_,
		.header_count = r->line_count_,
		.timeout_ms = r->timeout_ms,
		.max_answer_bytes = r->max_answer_bytes,
		/* Any address: it is the operator's own choice. */
		.flags = OUTGOING_SNI | OUTGOING_ANY_ADDRESS | OUTGOING_KEEP_HEADERS |
			 (app->settings.any_certificate ? OUTGOING_ANY_CERTIFICATE : 0),
		.home = r->home,
		.done.run = on_answer,
	};
	outgoing_send(outgoing, &r->request);
}

void store_request_release(struct store_request *r)
{
	if (!r->begun_)
		return;
	r->begun_ = false;
	outgoing_request_release(&r->request);
	arena_reset(&r->arena_);
}

/* ---- A URL for others -------------------------------------------------------------------------
 */

static bool add_signed_query(const struct app *app, const struct credentials *c,
	struct sign_request *text, int64_t size, int64_t expires_seconds, struct strbuf *out)
{
	static const struct slice additional[] = {SLICE_LIT("content-length")};
	const struct settings *s = &app->settings;
	int64_t now_ms = clock_wall_ms(app->parts.clock);
	struct sign_v4_signer signer = signer_of(s, c);
	SCOPED_STRBUF(length, 32);
	if (s->signature_version == 1)
		return sign_v1_url(text, c->values.id, c->values.secret,
			now_ms / 1000 * 1000 + expires_seconds * 1000, out);
	strbuf_addf(&length, "%lld", (long long)size);
	const struct http_header header = {S("content-length"), strbuf_slice(&length)};
	if (size >= 0) {
		text->headers = &header;
		text->header_count = 1;
		signer.additional = additional;
		signer.additional_count = ARRAY_LEN(additional);
	}
	return sign_v4_url(text, &signer, now_ms, (uint32_t)expires_seconds, out);
}

bool store_part_url(const struct app *app, const struct credentials *c, struct slice key,
	struct slice upload_id, unsigned int number, int64_t size, int64_t expires_seconds,
	struct strbuf *out)
{
	struct arena arena;
	struct sign_request text = {.method = S("PUT"), .bucket = app->settings.bucket, .key = key};
	SCOPED_STRBUF(query, TEXT_BYTES_MAX);
	strbuf_addf(&query, "partNumber=%u&uploadId=", number);
	percent_encode(&query, upload_id);
	if (c->values.token.len > 0) {
		strbuf_adds(&query, app->settings.signature_version == 1
					    ? "&security-token="
					    : "&x-oss-security-token=");
		percent_encode(&query, c->values.token);
	}
	strbuf_add_slice(out, app->settings.host);
	strbuf_addc(out, '/');
	percent_encode_path(out, key);
	strbuf_addc(out, '?');
	arena_init(&arena, NULL, 0, TEXT_BYTES_MAX);
	bool ok = !strbuf_broken(&query) &&
		  query_parse(strbuf_slice(&query), &arena, &text.query) &&
		  add_signed_query(app, c, &text, size, expires_seconds, out);
	arena_reset(&arena);
	return ok && !strbuf_broken(out);
}
