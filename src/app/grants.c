/* SPDX-License-Identifier: Apache-2.0 */
/*
 * POST /grants: forms for several files at once, each for one key. A file that is refused has the
 * error in its place, and the others have their forms.
 */
#include "app/body.h"
#include "app/grant.h"
#include "app/offer/wishes.h"
#include "app/text/json.h"

#define SCRATCH_BYTES_MAX MIB(1)

/* In the exchange's arena. */
struct answer {
	struct app *app;
	struct exchange *x;
	struct wishes wishes;
	struct strbuf json;     /* counted in the exchange's account */
	struct slice *profiles; /* of all grants */
	struct ledger_grant *rows;
	size_t row_count; /* of grants that are awaited */
	size_t count;     /* of all grants */
	size_t waiting;   /* for rows */
	bool failed;      /* a row that has to be there is not */
};

/* The exchange may be gone once it was answered, and `a` with it: its account is let go of before.
 */
static void finish(struct answer *a)
{
	size_t len = 0;
	SCOPED_FREE char *json = strbuf_detach(&a->json, &len);
	strbuf_release(&a->json);
	for (size_t i = 0; i < a->count; i++)
		outcomes_count_grant(a->app->outcomes, a->profiles[i],
			json && !a->failed ? OUTCOME_ISSUED : OUTCOME_UNAVAILABLE);
	if (a->failed)
		app_send_error(a->app, a->x, 503, "unavailable",
			"No upload can be signed now; try again.");
	else if (json)
		app_send_json(a->app, a->x, 200, slice_of(json, len));
	else
		app_send_error(a->app, a->x, 503, "unavailable",
			"There is no memory; ask for fewer files at once.");
}

static void write_refusal(const struct offer_refusal *why, struct strbuf *json)
{
	strbuf_addc(json, '{');
	json_member_string(json, "error", slice_str(why->code));
	json_member_string(json, "message", slice_str(why->message));
	strbuf_addc(json, '}');
}

/* `scratch` is for what stands in the answer alone. */
static bool make_grant(struct answer *a, const struct caller *caller, const struct wish *wish,
	struct arena *scratch, struct offer_refusal *why)
{
	struct arena *arena = exchange_arena(a->x);
	struct app *app = a->app;
	int64_t now_ms = clock_wall_ms(app->parts.clock) / 1000 * 1000;
	struct offer offer;
	struct grant grant;
	SCOPED_CREDENTIALS struct credentials *credentials = app_credentials(app);
	if (!offer_make(app_rules(a->x), caller, wish, now_ms / 1000, arena, &offer, why))
		return false;
	*why = (struct offer_refusal){
		503, "unavailable", "No upload can be signed now; try again."};
	if (!grant_begin(app, credentials, TICKET_FORM, &offer, now_ms,
		    credentials_until(credentials, now_ms / 1000 + caller->expire_seconds), scratch,
		    &grant) ||
		!grant_make_form(app, app->settings.signature_version, scratch, &grant))
		return false;
	if (grant_has_row(app, &grant) && !grant_note(app, &grant, caller->subject)) {
		struct ledger_grant *row = &a->rows[a->row_count++];
		grant_fill_row(app, &grant, caller->subject, row);
		row->id = arena_copy(arena, row->id);
		if (!row->id.ptr)
			return false;
	}
	a->profiles[a->count++] = offer.profile->name;
	grant_write_form(app, &grant, &a->json);
	return true;
}

static void on_issued(struct task *task)
{
	struct ledger_grant *row = CONTAINER_OF(task, struct ledger_grant, done);
	struct answer *a = row->ctx;
	struct exchange *x = a->x;
	if (!row->recorded) {
		atomic_fetch_add(&a->app->unwritten, 1);
		a->failed = a->failed || row->is_needed;
	}
	if (--a->waiting > 0)
		return;
	finish(a);
	exchange_release(x);
}

/* True: the answer waits for the ledger. */
static bool issue(struct answer *a)
{
	a->waiting = a->row_count;
	if (a->row_count == 0 || strbuf_broken(&a->json)) {
		finish(a);
		return false;
	}
	exchange_keep(a->x);
	for (size_t i = 0; i < a->row_count; i++) {
		a->rows[i].ctx = a;
		a->rows[i].home = exchange_home(a->x);
		a->rows[i].done.run = on_issued;
		ledger_issue(a->app->parts.ledger, &a->rows[i]);
	}
	return true;
}

static bool send_no_memory(struct app *app, struct exchange *x)
{
	app_send_no_memory(app, x);
	return false;
}

static bool send_grants(struct answer *a, const struct caller *caller)
{
	a->rows = arena_zalloc(exchange_arena(a->x), a->wishes.count * sizeof(*a->rows));
	a->profiles = arena_zalloc(exchange_arena(a->x), a->wishes.count * sizeof(*a->profiles));
	if (!a->rows || !a->profiles)
		return send_no_memory(a->app, a->x);
	strbuf_init_counted(&a->json, MIB(2), exchange_account(a->x));
	strbuf_addc(&a->json, '{');
	json_member(&a->json, "grants");
	strbuf_addc(&a->json, '[');
	for (size_t i = 0; i < a->wishes.count; i++) {
		struct offer_refusal why;
		struct arena scratch;
		json_comma(&a->json);
		arena_init(&scratch, NULL, 0, SCRATCH_BYTES_MAX);
		if (!make_grant(a, caller, &a->wishes.list[i], &scratch, &why)) {
			app_count_refusal(a->app, a->x, &a->wishes.list[i], &why);
			write_refusal(&why, &a->json);
		}
		arena_reset(&scratch);
	}
	strbuf_adds(&a->json, "]}");
	exchange_note(a->x, "grants=%zu", a->count);
	return issue(a);
}

static bool answer(struct app *app, struct exchange *x, const struct caller *caller,
	struct slice body, void *ctx UNUSED)
{
	struct answer *a = arena_zalloc(exchange_arena(x), sizeof(*a));
	if (!a)
		return send_no_memory(app, x);
	a->app = app;
	a->x = x;
	const char *fault = wishes_parse(body, exchange_arena(x), exchange_account(x), &a->wishes);
	if (!fault)
		return send_grants(a, caller);
	if (fault == wishes_no_memory)
		return send_no_memory(app, x);
	app_send_error(app, x, 400, "invalid_request", fault);
	return false;
}

void app_send_grants(struct app *app, struct exchange *x)
{
	static const struct app_body how = {.max = LIMIT_GRANT_REQUEST_BYTES, .answer = answer};
	app_admit_body(app, x, &how, NULL);
}
