/* SPDX-License-Identifier: Apache-2.0 */
#include "app/grant.h"

#include "app/text/json.h"
#include "base/encode.h"

#define CALLBACK_BYTES_MAX KIB(32)
#define USUAL_BYTES KIB(1)
#define BOUND_FIELDS_MAX (10 + LIMIT_PROFILE_METADATA)

/* ---- The callback -----------------------------------------------------------------------------
 */

static bool make_callback(const struct app *app, struct arena *arena, struct grant *g)
{
	struct slice prefix = g->offer.key.len > 0 ? g->offer.key : g->offer.dir;
	SCOPED_STRBUF(ticket, TICKET_TEXT_MAX);
	SCOPED_STRBUF(base64, CALLBACK_BYTES_MAX);
	if (app->settings.callback_url.len == 0)
		return true;
	strbuf_reserve(&ticket, USUAL_BYTES / 4);
	strbuf_reserve(&base64, USUAL_BYTES);
	const struct ticket_terms terms = {.kind = g->kind,
		.id = g->id,
		.profile = g->offer.profile->name,
		.prefix = prefix,
		.variables = g->offer.variables,
		.issued = g->now_ms / 1000,
		.expires = g->expires};
	if (!credentials_issue(g->credentials, &terms, &ticket))
		return false;
	callback_text_add(&app->callback_text, strbuf_slice(&ticket), &base64);
	g->ticket = arena_copy(arena, strbuf_slice(&ticket));
	g->callback = arena_copy(arena, strbuf_slice(&base64));
	return g->ticket.ptr && g->callback.ptr && !strbuf_broken(&base64);
}

bool grant_begin(const struct app *app, const struct credentials *credentials,
	enum ticket_kind kind, const struct offer *offer, int64_t now_ms, int64_t expires,
	struct arena *arena, struct grant *ret)
{
	*ret = (struct grant){.credentials = credentials,
		.kind = kind,
		.offer = *offer,
		.now_ms = now_ms,
		.expires = expires};
	if (!credentials)
		return false;
	ticket_make_id(now_ms + clock_wall_ms(app->parts.clock) % 1000, ret->id);
	return make_callback(app, arena, ret);
}

bool grant_resume(const struct app *app, const struct credentials *credentials,
	const struct offer *offer, const char id[TICKET_ID_LENGTH], int64_t expires,
	struct arena *arena, struct grant *ret)
{
	int64_t issued = ticket_id_time(slice_of(id, TICKET_ID_LENGTH));
	if (!credentials || issued < 0)
		return false;
	*ret = (struct grant){.credentials = credentials,
		.kind = TICKET_FORM,
		.offer = *offer,
		.now_ms = issued * 1000,
		.expires = expires};
	memcpy(ret->id, id, TICKET_ID_LENGTH);
	return make_callback(app, arena, ret);
}

/* ---- The form ---------------------------------------------------------------------------------
 */

struct fields {
	struct policy_field list[BOUND_FIELDS_MAX];
	size_t count;
};

static void add(struct fields *fields, struct slice name, struct slice value)
{
	if (value.len > 0)
		fields->list[fields->count++] = (struct policy_field){name, value};
}

/* What a classic page does not send, its policy cannot ask for. */
static void add_offer(const struct offer *offer, struct fields *fields)
{
	const struct profile *p = offer->profile;
	add(fields, S("x-oss-object-acl"), p->acl);
	add(fields, S("x-oss-forbid-overwrite"), p->forbid_overwrite ? S("true") : S(""));
	add(fields, S("x-oss-storage-class"), p->storage_class);
	add(fields, S("Cache-Control"), p->cache_control);
	add(fields, S("Content-Disposition"), p->content_disposition);
	for (size_t i = 0; i < offer->metadata_count; i++)
		add(fields, offer->metadata[i].name, offer->metadata[i].value);
}

bool grant_make_form(const struct app *app, int version, struct arena *arena, struct grant *g)
{
	const struct settings *s = &app->settings;
	const struct offer *offer = &g->offer;
	bool has_callback = g->callback.len > 0;
	bool is_bound = has_callback && s->bind_callback;
	const struct policy_field callback = {S("callback"), g->callback};
	struct fields bound = {.count = 0};
	add(&bound, S("success_action_status"), S("200"));
	if (g->kind == TICKET_FORM)
		add_offer(offer, &bound);
	/* It wins over what the browser says of the file. */
	add(&bound, S("x-oss-content-type"), offer->type);
	if (g->kind == TICKET_FORM && has_callback)
		add(&bound, S(GRANT_META), slice_of(g->id, TICKET_ID_LENGTH));
	if (is_bound)
		bound.list[bound.count++] = callback;
	/* A classic page sends no ACL, and OSS may not take that for none of these. */
	static const struct slice public_acls[] = {
		SLICE_LIT("public-read"), SLICE_LIT("public-read-write")};
	static const struct policy_exclusion no_public_acl = {
		SLICE_LIT("x-oss-object-acl"), public_acls, ARRAY_LEN(public_acls)};
	const struct policy_spec spec = {
		.now_ms = g->now_ms,
		.expires_ms = g->expires * 1000,
		.bucket = s->bucket,
		.key = offer->key,
		.key_prefix = offer->key.len > 0 ? S("") : offer->dir,
		.min_bytes = (uint64_t)offer->min_size,
		.max_bytes = (uint64_t)offer->max_size,
		.content_types = offer->types,
		.content_type_count = offer->type.len > 0 ? 0 : offer->type_count,
		.bound = bound.list,
		.bound_count = bound.count,
		.free = &callback,
		.free_count = has_callback && !is_bound ? 1 : 0,
		.excluded = &no_public_acl,
		.excluded_count = g->kind == TICKET_CLASSIC && s->own_store ? 1 : 0,
	};
	const struct policy_signer signer = {
		.access_key_id = g->credentials->values.id,
		.secret = g->credentials->values.secret,
		.security_token = g->credentials->values.token,
		.region = s->region,
		.cache = g->credentials->keys_v4,
		.keyed = &g->credentials->key_v1,
	};
	return (version == 1 ? policy_form_v1(&spec, &signer, arena, &g->form)
			     : policy_form_v4(&spec, &signer, arena, &g->form)) == ERR_OK;
}

/* ---- As JSON ----------------------------------------------------------------------------------
 */

static void write_list(
	const char *name, const struct slice *words, size_t count, struct strbuf *json)
{
	json_member(json, name);
	strbuf_addc(json, '[');
	for (size_t i = 0; i < count; i++) {
		json_comma(json);
		json_add_string(json, words[i]);
	}
	strbuf_addc(json, ']');
}

void grant_write_limits(const struct grant *g, struct strbuf *json)
{
	const struct offer *offer = &g->offer;
	const struct profile *profile = offer->profile;
	if (g->ticket.len > 0) {
		json_member_string(json, "id", slice_of(g->id, TICKET_ID_LENGTH));
		json_member_string(json, "grant", g->ticket);
	}
	json_member_string(json, "profile", profile->name.len > 0 ? profile->name : S("default"));
	json_member_number(json, "min_size", offer->min_size);
	json_member_number(json, "max_size", offer->max_size);
	json_member_number(json, "max_uploads", offer->rules->grant_uploads);
	write_list("types", offer->types, offer->type_count, json);
	write_list("extensions", profile->extensions.words, profile->extensions.count, json);
}

void grant_write_form(const struct app *app, const struct grant *g, struct strbuf *json)
{
	strbuf_addc(json, '{');
	json_member(json, "url");
	strbuf_add_slice(json, strbuf_slice(&app->host_json));
	json_member_string(json, "method", S("POST"));
	json_member(json, "fields");
	strbuf_addc(json, '{');
	for (size_t i = 0; i < g->form.field_count; i++) {
		json_comma(json);
		json_add_string(json, g->form.fields[i].name);
		strbuf_addc(json, ':');
		json_add_string(json, g->form.fields[i].value);
	}
	strbuf_addc(json, '}');
	json_member_string(json, "dir", g->offer.dir);
	json_member_number(json, "expires", g->expires);
	grant_write_limits(g, json);
	strbuf_addc(json, '}');
}

/* ---- In the ledger ----------------------------------------------------------------------------
 */

_Static_assert(LEDGER_SLACK_SECONDS == TICKET_SLACK_SECONDS, "a row lives as long as a ticket");

bool grant_has_row(const struct app *app, const struct grant *g)
{
	return g->ticket.len > 0 && app->settings.grants_max > 0;
}

/* What a check cannot judge at once is decided later, and found by its row. */
static bool needs_row(const struct grant *g)
{
	return g->offer.rules->grants_awaited || g->offer.profile->checks.any;
}

void grant_fill_row(const struct app *app, const struct grant *g, struct slice subject,
	struct ledger_grant *ret)
{
	bool looks = g->offer.key.len > 0 && app->settings.reconcile_seconds > 0;
	*ret = (struct ledger_grant){
		.id = slice_of(g->id, TICKET_ID_LENGTH),
		.subject = subject,
		.dir = g->offer.dir,
		.key = g->offer.key,
		.profile = g->offer.profile->name,
		.variables = g->offer.variables,
		.issued_ms = g->now_ms,
		.expires = g->expires,
		.due = g->expires + LEDGER_SLACK_SECONDS,
		.look_at = looks ? g->expires + app->settings.reconcile_seconds : 0,
		.is_needed = needs_row(g),
	};
}

bool grant_note(const struct app *app, const struct grant *g, struct slice subject)
{
	struct ledger_grant row;
	if (needs_row(g))
		return false;
	grant_fill_row(app, g, subject, &row);
	return ledger_note(app->parts.ledger, &row);
}
