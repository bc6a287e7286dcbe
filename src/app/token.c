/* SPDX-License-Identifier: Apache-2.0 */
/*
 * GET / and GET /grant: what a browser needs to upload: a grant in the callback body, and a policy
 * with the bucket, the keys' prefix, the size and the status. Each answer has a grant of its own
 * (docs/decisions/0020-a-grant-for-each-answer.md).
 */
#include "app/app_internal.h"
#include "app/json.h"
#include "app/ledger.h"
#include "base/encode.h"
#include "oss/policy/policy_build.h"

#define CALLBACK_BYTES_MAX KIB(16)
#define TOKEN_BYTES_MAX KIB(64)

struct token {
	enum ticket_kind kind;
	const struct caller *caller;
	char id[TICKET_ID_LENGTH]; /* of the grant */
	struct slice dir;          /* what the keys begin with */
	int64_t now_ms;
	int64_t expires;        /* Unix seconds */
	struct slice grant;     /* its text; empty if there is no callback that could bring it */
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

static bool build_callback(const struct app *app, struct arena *arena, struct token *token)
{
	const struct settings *s = &app->settings;
	SCOPED_STRBUF(body, CALLBACK_BYTES_MAX);
	SCOPED_STRBUF(json, CALLBACK_BYTES_MAX);
	if (s->callback_url.len == 0)
		return true;
	strbuf_adds(&body, body_template);
	size_t start = body.len;
	if (!ticket_issue(&app->ticket_key, token->kind, token->id, token->dir,
		    token->now_ms / 1000, token->expires, &body))
		return false;
	token->grant = arena_copy(arena, slice_from(strbuf_slice(&body), start));
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
	return token->grant.ptr && !strbuf_broken(&body) && !strbuf_broken(&json) &&
	       !strbuf_broken(&token->callback);
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
		.key_prefix = token->dir,
		.max_bytes = (uint64_t)token->caller->max_size,
		.content_types = token->caller->types,
		.content_type_count = token->caller->type_count,
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

/* NULL, or why there is none for this caller. */
static const char *find_dir(const struct app *app, const struct caller *caller, struct arena *arena,
	struct token *token)
{
	SCOPED_STRBUF(dir, 2 * LIMIT_KEY_BYTES);
	const char *fault =
		key_template_expand(&app->settings.dir, caller->values, token->now_ms / 1000, &dir);
	strbuf_add_slice(&dir, caller->prefix);
	token->dir = arena_copy(arena, strbuf_slice(&dir));
	if (!fault && dir.len > LIMIT_KEY_BYTES)
		fault = "the prefix is longer than an object's name may be";
	return fault;
}

static bool build_token(
	const struct app *app, int version, struct arena *arena, struct token *token)
{
	token->expires = token->now_ms / 1000 + token->caller->expire_seconds;
	ticket_make_id(token->now_ms / 1000, token->id);
	return token->dir.ptr && build_callback(app, arena, token) &&
	       build_form(app, version, arena, token);
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
	json_add_string(json, token->dir);
	strbuf_addc(json, '}');
}

static void write_limits(const struct app *app, const struct caller *caller, struct strbuf *json)
{
	strbuf_addf(json, "\"min_size\":0,\"max_size\":%lld,\"max_uploads\":%lld,\"types\":[",
		(long long)caller->max_size, (long long)app->settings.grant_uploads);
	for (size_t i = 0; i < caller->type_count; i++) {
		if (i > 0)
			strbuf_addc(json, ',');
		json_add_string(json, caller->types[i]);
	}
	strbuf_addc(json, ']');
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
	json_add_string(json, token->dir);
	strbuf_adds(json, ",\"expires\":");
	strbuf_add_u64(json, (uint64_t)token->expires);
	if (token->grant.len > 0) {
		strbuf_adds(json, ",\"id\":");
		json_add_string(json, slice_of(token->id, TICKET_ID_LENGTH));
		strbuf_adds(json, ",\"grant\":");
		json_add_string(json, token->grant);
	}
	strbuf_addc(json, ',');
	write_limits(app, token->caller, json);
	strbuf_addc(json, '}');
}

/* ---- Sending ----------------------------------------------------------------------------------
 */

/* An answer that waits until its grant is written down. It is in the exchange's arena. */
struct answer {
	struct app *app;
	struct exchange *x;
	struct slice json;
	struct ledger_grant row;
};

static void on_issued(struct task *task)
{
	struct ledger_grant *row = CONTAINER_OF(task, struct ledger_grant, done);
	struct answer *a = CONTAINER_OF(row, struct answer, row);
	struct exchange *x = a->x;
	if (!row->recorded) {
		atomic_fetch_add(&a->app->unwritten, 1);
		exchange_note(x, "grant=unwritten");
	}
	app_send_json(a->app, x, 200, a->json);
	exchange_release(x);
}

/* False without memory. */
static bool issue(struct app *app, struct exchange *x, const struct token *token,
	const struct caller *caller, struct slice json)
{
	struct arena *arena = exchange_arena(x);
	struct answer *a = arena_zalloc(arena, sizeof(*a));
	if (!a)
		return false;
	*a = (struct answer){.app = app, .x = x, .json = arena_copy(arena, json)};
	a->row = (struct ledger_grant){
		.id = arena_copy(arena, slice_of(token->id, TICKET_ID_LENGTH)),
		.subject = caller->subject,
		.dir = token->dir,
		.issued_ms = token->now_ms,
		.expires = token->expires,
		.due = token->expires + TICKET_SLACK_SECONDS,
		.home = exchange_home(x),
		.done.run = on_issued,
	};
	if (!a->json.ptr || !a->row.id.ptr)
		return false;
	exchange_keep(x);
	ledger_issue(app->parts.ledger, &a->row);
	return true;
}

static void send_unavailable(const struct app *app, struct exchange *x)
{
	app_send_error(app, x, 503, "unavailable", "No upload can be signed now; try again.");
}

/* True: the answer waits for the ledger. */
static bool send_built(struct app *app, struct exchange *x, const struct token *token,
	const struct caller *caller, struct slice json)
{
	if (token->grant.len == 0 || app->settings.grants_max == 0) {
		app_send_json(app, x, 200, json);
		return false;
	}
	exchange_note(x, "grant=%.*s", TICKET_ID_LENGTH, token->id);
	if (issue(app, x, token, caller, json))
		return true;
	send_unavailable(app, x);
	return false;
}

static bool send_token(struct app *app, enum ticket_kind kind, int version, struct exchange *x,
	const struct caller *caller,
	void (*write)(const struct app *app, const struct token *token, struct strbuf *json))
{
	struct token token = {
		.kind = kind, .caller = caller, .callback = STRBUF_INIT(CALLBACK_BYTES_MAX)};
	struct arena *arena = exchange_arena(x);
	token.now_ms = clock_wall_ms(app->parts.clock) / 1000 * 1000;
	const char *fault = find_dir(app, caller, arena, &token);
	if (fault) {
		exchange_note(x, "refused=\"%s\"", fault);
		app_send_error(app, x, 403, "forbidden", fault);
		return false;
	}
	SCOPED_STRBUF(json, TOKEN_BYTES_MAX);
	bool built = build_token(app, version, arena, &token);
	if (built)
		write(app, &token, &json);
	strbuf_release(&token.callback);
	if (built && !strbuf_broken(&json))
		return send_built(app, x, &token, caller, strbuf_slice(&json));
	send_unavailable(app, x);
	return false;
}

bool app_send_token(struct app *app, struct exchange *x, const struct caller *caller)
{
	return send_token(app, TICKET_CLASSIC, 1, x, caller, write_classic);
}

bool app_send_grant(struct app *app, struct exchange *x, const struct caller *caller)
{
	return send_token(app, TICKET_FORM, app->settings.signature_version, x, caller, write_form);
}
