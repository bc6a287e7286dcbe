/* SPDX-License-Identifier: Apache-2.0 */
/*
 * GET / and GET /grant: what a browser needs to upload: a grant in the callback body, and a policy
 * with the bucket, the keys' prefix, the size and the status. Each answer has a grant of its own
 * (docs/decisions/0020-a-grant-for-each-answer.md).
 */
#include "app/app_internal.h"
#include "app/json.h"
#include "base/encode.h"
#include "oss/policy/policy_build.h"

#define CALLBACK_BYTES_MAX KIB(16)
#define TOKEN_BYTES_MAX KIB(64)

struct token {
	enum ticket_kind kind;
	char id[TICKET_ID_LENGTH]; /* of the grant */
	int64_t now_ms;
	int64_t expires;        /* Unix seconds */
	struct strbuf callback; /* base64; empty if there is none */
	struct policy_form form;
};

/*
 * The classic names come first: a back end written for the classic sample finds what it expects.
 * The others are what our own receiver needs (upload_message.h).
 */
static const char body_template[] =
	"filename=${object}&size=${size}&mimeType=${mimeType}&height=${imageInfo.height}"
	"&width=${imageInfo.width}&bucket=${bucket}&object=${object}&etag=${etag}"
	"&format=${imageInfo.format}&reqId=${reqId}&clientIp=${clientIp}&grant=";

static bool build_callback(const struct app *app, struct token *token)
{
	const struct settings *s = &app->settings;
	SCOPED_STRBUF(body, CALLBACK_BYTES_MAX);
	SCOPED_STRBUF(json, CALLBACK_BYTES_MAX);
	if (s->callback_url.len == 0)
		return true;
	strbuf_adds(&body, body_template);
	if (!ticket_issue(&app->ticket_key, token->kind, token->id, s->dir, token->now_ms / 1000,
		    token->expires, &body))
		return false;
	strbuf_adds(&json, "{\"callbackUrl\":");
	json_add_string(&json, s->callback_url);
	strbuf_adds(&json, ",\"callbackBody\":");
	json_add_string(&json, strbuf_slice(&body));
	strbuf_adds(&json, ",\"callbackBodyType\":\"application/x-www-form-urlencoded\"");
	/* Without it a TLS server with several names shows the wrong certificate. */
	if (slice_starts(s->callback_url, S("https://")))
		strbuf_adds(&json, ",\"callbackSNI\":true");
	strbuf_addc(&json, '}');
	base64_encode(&token->callback, strbuf_slice(&json));
	return !strbuf_broken(&body) && !strbuf_broken(&json) && !strbuf_broken(&token->callback);
}

static bool build_form(const struct app *app, int version, struct arena *arena, struct token *token)
{
	const struct settings *s = &app->settings;
	bool has_callback = token->callback.len > 0;
	bool is_bound = has_callback && s->bind_callback;
	const struct policy_field callback = {S("callback"), strbuf_slice(&token->callback)};
	struct policy_field bound[4] = {{S("success_action_status"), S("200")}};
	size_t bound_count = 1;
	if (token->kind == TICKET_FORM)
		bound[bound_count++] = (struct policy_field){S("x-oss-object-acl"), S("default")};
	if (token->kind == TICKET_FORM && has_callback)
		bound[bound_count++] =
			(struct policy_field){S(GRANT_META), slice_of(token->id, TICKET_ID_LENGTH)};
	if (is_bound)
		bound[bound_count++] = callback;
	/* A classic page sends no ACL, and OSS may not take that for none of these. */
	static const struct slice public_acls[] = {
		SLICE_LIT("public-read"), SLICE_LIT("public-read-write")};
	static const struct policy_exclusion no_public_acl = {
		SLICE_LIT("x-oss-object-acl"), public_acls, ARRAY_LEN(public_acls)};
	const struct policy_spec grant = {
		.now_ms = token->now_ms,
		.expires_ms = token->expires * 1000,
		.bucket = s->bucket,
		.key_prefix = s->dir,
		.max_bytes = (uint64_t)s->max_size,
		.content_types = s->types.words,
		.content_type_count = s->types.count,
		.bound = bound,
		.bound_count = bound_count,
		.free = &callback,
		.free_count = has_callback && !is_bound ? 1 : 0,
		.excluded = &no_public_acl,
		.excluded_count = token->kind == TICKET_CLASSIC && s->own_store ? 1 : 0,
	};
	const struct policy_signer signer = {
		.access_key_id = s->access_key_id,
		.secret = s->access_key_secret,
		.region = s->region,
		.cache = app->sign_keys,
	};
	return (version == 1 ? policy_form_v1(&grant, &signer, arena, &token->form)
			     : policy_form_v4(&grant, &signer, arena, &token->form)) == ERR_OK;
}

static bool build_token(
	const struct app *app, int version, struct arena *arena, struct token *token)
{
	int64_t second = clock_wall_ms(app->parts.clock) / 1000;
	token->now_ms = second * 1000;
	token->expires = second + app->settings.expire_seconds;
	ticket_make_id(token->id);
	return build_callback(app, token) && build_form(app, version, arena, token);
}

static void write_classic(const struct app *app, const struct token *token, struct strbuf *json)
{
	strbuf_adds(json, "{\"accessid\":");
	strbuf_add_slice(json, strbuf_slice(&app->id_json));
	strbuf_adds(json, ",\"host\":");
	strbuf_add_slice(json, strbuf_slice(&app->host_json));
	strbuf_adds(json, ",\"policy\":\"");
	strbuf_add_slice(json, token->form.policy);
	strbuf_adds(json, "\",\"signature\":\"");
	strbuf_add_slice(json, token->form.signature);
	strbuf_adds(json, "\",\"expire\":");
	strbuf_add_u64(json, (uint64_t)token->expires);
	if (token->callback.len > 0) {
		strbuf_adds(json, ",\"callback\":\"");
		strbuf_add_slice(json, strbuf_slice(&token->callback));
		strbuf_addc(json, '"');
	}
	strbuf_adds(json, ",\"dir\":");
	strbuf_add_slice(json, strbuf_slice(&app->dir_json));
	strbuf_addc(json, '}');
}

static void write_form(const struct app *app, const struct token *token, struct strbuf *json)
{
	strbuf_adds(json, "{\"url\":");
	strbuf_add_slice(json, strbuf_slice(&app->host_json));
	strbuf_adds(json, ",\"method\":\"POST\",\"fields\":{");
	for (size_t i = 0; i < token->form.field_count; i++) {
		if (i > 0)
			strbuf_addc(json, ',');
		json_add_string(json, token->form.fields[i].name);
		strbuf_addc(json, ':');
		json_add_string(json, token->form.fields[i].value);
	}
	strbuf_adds(json, "},\"dir\":");
	strbuf_add_slice(json, strbuf_slice(&app->dir_json));
	strbuf_adds(json, ",\"expires\":");
	strbuf_add_u64(json, (uint64_t)token->expires);
	strbuf_addc(json, ',');
	strbuf_add_slice(json, strbuf_slice(&app->limits_json));
	strbuf_addc(json, '}');
}

static void send_token(const struct app *app, enum ticket_kind kind, int version,
	struct exchange *x,
	void (*write)(const struct app *app, const struct token *token, struct strbuf *json))
{
	struct token token = {.kind = kind, .callback = STRBUF_INIT(CALLBACK_BYTES_MAX)};
	SCOPED_STRBUF(json, TOKEN_BYTES_MAX);
	bool built = build_token(app, version, exchange_arena(x), &token);
	if (built)
		write(app, &token, &json);
	strbuf_release(&token.callback);
	if (built && !strbuf_broken(&json))
		app_send_json(app, x, 200, strbuf_slice(&json));
	else
		app_send_error(
			app, x, 503, "unavailable", "No upload can be signed now; try again.");
}

void app_send_token(struct app *app, struct exchange *x)
{
	send_token(app, TICKET_CLASSIC, 1, x, write_classic);
}

void app_send_grant(struct app *app, struct exchange *x)
{
	send_token(app, TICKET_FORM, app->settings.signature_version, x, write_form);
}
