/* SPDX-License-Identifier: Apache-2.0 */
/*
 * GET /, GET /get_post_signature_for_oss_upload and GET /grant: what a browser needs to upload, one
 * grant for each answer. The first two are for pages of the classic samples, which send what they
 * send: they are for the default profile and any key.
 */
#include "app/grant.h"
#include "app/text/json.h"

#define TOKEN_BYTES_MAX KIB(64)
#define USUAL_BYTES KIB(4)

typedef void write_answer(const struct app *app, const struct grant *grant, struct strbuf *json);

/* What is last in all of them. */
static void write_rest(const struct grant *g, struct strbuf *json)
{
	if (g->callback.len > 0)
		json_member_string(json, "callback", g->callback);
	json_member_string(json, "dir", g->offer.dir);
	strbuf_addc(json, '}');
}

static void write_classic(const struct app *app, const struct grant *g, struct strbuf *json)
{
	strbuf_addc(json, '{');
	json_member(json, "accessid");
	strbuf_add_slice(json, g->credentials->id_json);
	json_member(json, "host");
	strbuf_add_slice(json, strbuf_slice(&app->host_json));
	json_member_string(json, "policy", g->form.policy);
	json_member_string(json, "signature", g->form.signature);
	json_member_number(json, "expire", g->expires);
	if (g->credentials->values.token.len > 0)
		json_member_string(json, "security_token", g->credentials->values.token);
	write_rest(g, json);
}

/* One sample reads `version`, the others the longer name; the token is always posted. */
static void write_sample(const struct app *app, const struct grant *g, struct strbuf *json)
{
	strbuf_addc(json, '{');
	json_member_string(json, "version", S("OSS4-HMAC-SHA256"));
	json_member_string(json, "x_oss_signature_version", S("OSS4-HMAC-SHA256"));
	json_member_string(json, "policy", g->form.policy);
	json_member_string(json, "x_oss_credential", g->form.credential);
	json_member_string(json, "x_oss_date", g->form.date);
	json_member_string(json, "signature", g->form.signature);
	json_member_string(json, "security_token", g->credentials->values.token);
	json_member(json, "host");
	strbuf_add_slice(json, strbuf_slice(&app->host_json));
	write_rest(g, json);
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

static void send_unavailable(const struct app *app, struct exchange *x)
{
	app_send_error(app, x, 503, "unavailable", "No upload can be signed now; try again.");
}

static void on_issued(struct task *task)
{
	struct ledger_grant *row = CONTAINER_OF(task, struct ledger_grant, done);
	struct answer *a = CONTAINER_OF(row, struct answer, row);
	struct exchange *x = a->x;
	if (!row->recorded) {
		atomic_fetch_add(&a->app->unwritten, 1);
		exchange_note(x, "unwritten=grant");
	}
	bool issued = row->recorded || !row->is_needed;
	outcomes_count_grant(
		a->app->outcomes, row->profile, issued ? OUTCOME_ISSUED : OUTCOME_UNAVAILABLE);
	if (issued)
		app_send_json(a->app, x, 200, a->json);
	else
		send_unavailable(a->app, x);
	exchange_release(x);
}

/* False without memory. */
static bool issue(struct app *app, struct exchange *x, const struct grant *grant,
	struct slice subject, struct slice json)
{
	struct arena *arena = exchange_arena(x);
	struct answer *a = arena_zalloc(arena, sizeof(*a));
	if (!a)
		return false;
	*a = (struct answer){.app = app, .x = x, .json = arena_copy(arena, json)};
	if (!a->json.ptr)
		return false;
	grant_fill_row(app, grant, subject, &a->row);
	a->row.id = arena_copy(arena, a->row.id);
	if (!a->row.id.ptr)
		return false;
	a->row.home = exchange_home(x);
	a->row.done.run = on_issued;
	exchange_keep(x);
	ledger_issue(app->parts.ledger, &a->row);
	return true;
}

/* True: the answer waits for the ledger. */
static bool send_built(struct app *app, struct exchange *x, const struct grant *grant,
	struct slice subject, struct slice json)
{
	struct slice profile = grant->offer.profile->name;
	bool has_row = grant_has_row(app, grant);
	if (has_row)
		exchange_note(x, "grant=%.*s", TICKET_ID_LENGTH, grant->id);
	if (!has_row || grant_note(app, grant, subject)) {
		outcomes_count_grant(app->outcomes, profile, OUTCOME_ISSUED);
		app_send_json(app, x, 200, json);
		return false;
	}
	if (issue(app, x, grant, subject, json))
		return true;
	outcomes_count_grant(app->outcomes, profile, OUTCOME_UNAVAILABLE);
	send_unavailable(app, x);
	return false;
}

void app_count_refusal(const struct app *app, const struct exchange *x, const struct wish *wish,
	const struct offer_refusal *why)
{
	const struct profile *profile = rules_profile(app_rules(x), wish->profile);
	if (profile)
		outcomes_count_grant(app->outcomes, profile->name,
			why->status >= 500 ? OUTCOME_UNAVAILABLE : OUTCOME_REFUSED);
}

void app_refuse_offer(const struct app *app, struct exchange *x, const struct offer_refusal *why)
{
	exchange_note(x, "refused=\"%s\"", why->message);
	app_send_error(app, x, why->status, why->code, why->message);
}

static bool send_token(struct app *app, struct exchange *x, const struct caller *caller,
	enum ticket_kind kind, int version, const struct wish *wish, write_answer *write)
{
	struct arena *arena = exchange_arena(x);
	struct offer offer;
	struct offer_refusal why;
	int64_t now_ms = clock_wall_ms(app->parts.clock) / 1000 * 1000;
	if (!offer_make(app_rules(x), caller, wish, now_ms / 1000, arena, &offer, &why)) {
		app_count_refusal(app, x, wish, &why);
		app_refuse_offer(app, x, &why);
		return false;
	}
	struct grant grant;
	SCOPED_CREDENTIALS struct credentials *credentials = app_credentials(app);
	SCOPED_STRBUF(json, TOKEN_BYTES_MAX);
	if (grant_begin(app, credentials, kind, &offer, now_ms,
		    credentials_until(credentials, now_ms / 1000 + caller->expire_seconds), arena,
		    &grant) &&
		grant_make_form(app, version, arena, &grant)) {
		strbuf_reserve(&json, USUAL_BYTES);
		write(app, &grant, &json);
	}
	if (json.len > 0 && !strbuf_broken(&json))
		return send_built(app, x, &grant, caller->subject, strbuf_slice(&json));
	outcomes_count_grant(app->outcomes, offer.profile->name, OUTCOME_UNAVAILABLE);
	send_unavailable(app, x);
	return false;
}

bool app_send_token(
	struct app *app, struct exchange *x, const struct caller *caller, void *ctx UNUSED)
{
	const struct wish any = {.size = -1, .own_dir = app_rules(x)->dir_per_token};
	return send_token(app, x, caller, TICKET_CLASSIC, 1, &any, write_classic);
}

bool app_send_sample(
	struct app *app, struct exchange *x, const struct caller *caller, void *ctx UNUSED)
{
	const struct wish any = {.size = -1, .own_dir = app_rules(x)->dir_per_token};
	return send_token(app, x, caller, TICKET_CLASSIC, 4, &any, write_sample);
}

static struct slice param(struct exchange *x, const char *name)
{
	const struct query_param *p = query_find(exchange_query(x), slice_str(name));
	return p ? p->value : S("");
}

struct slice app_query_profile(struct exchange *x)
{
	struct slice name = param(x, "profile");
	return name.len > 0 ? name : param(x, "metadata[profile]");
}

bool app_wish_from_query(struct app *app, struct exchange *x, struct wish *ret)
{
	struct slice size = param(x, "size");
	uint64_t number = 0;
	*ret = (struct wish){
		.profile = app_query_profile(x),
		.has_file = param(x, "filename").len > 0,
		.file_name = param(x, "filename"),
		.type = param(x, "type"),
		.size = -1,
	};
	if (size.len == 0)
		return true;
	if (!slice_to_u64(size, &number) || number > INT64_MAX) {
		app_send_error(app, x, 400, "invalid_request", "`size` is not a number of bytes.");
		return false;
	}
	ret->size = (int64_t)number;
	return true;
}

bool app_send_grant(
	struct app *app, struct exchange *x, const struct caller *caller, void *ctx UNUSED)
{
	struct wish wish;
	return app_wish_from_query(app, x, &wish) &&
	       send_token(app, x, caller, TICKET_FORM, app->settings.signature_version, &wish,
		       grant_write_form);
}

bool app_send_params(
	struct app *app, struct exchange *x, const struct caller *caller, void *ctx UNUSED)
{
	struct wish wish;
	if (!app_wish_from_query(app, x, &wish))
		return false;
	wish.has_file = true;
	return send_token(app, x, caller, TICKET_FORM, app->settings.signature_version, &wish,
		grant_write_form);
}
