/* SPDX-License-Identifier: Apache-2.0 */
/*
 * GET /duplicates: whether the caller has uploaded these bytes before. The hash is what somebody
 * has claimed, so it is believed for that subject alone; and the store is asked whether the object
 * is still the one that was recorded. Whatever cannot be found out is answered as if it were not
 * there: then the file is uploaded, which is never wrong.
 */
#include "app/app_internal.h"
#include "app/text/content_hash.h"
#include "app/text/json.h"
#include "base/limits.h"

#define ANSWER_BYTES_MAX KIB(16)

/* A question under way. It is in the exchange's arena. */
struct asking {
	struct app *app;
	struct exchange *x;
	struct slice start; /* what the keys begin with that the caller may have */
	struct ledger_search search;
	struct app_confirmation confirmation;
};

/* ---- The answer -------------------------------------------------------------------------------
 */

static void send_upload(struct app *app, struct exchange *x, const struct ledger_search *search)
{
	SCOPED_STRBUF(json, ANSWER_BYTES_MAX);
	strbuf_adds(&json, "{\"upload\":{");
	json_member_string(&json, "object", search->object);
	json_member_string(&json, "etag", search->etag);
	json_member_string(&json, "mimeType", search->mime_type);
	json_member_number(&json, "size", search->size);
	json_member_bool(&json, "confirmed", true);
	json_member_number(&json, "receivedMs", search->received_ms);
	strbuf_adds(&json, "}}");
	atomic_fetch_add(&app->duplicates, 1);
	exchange_note(x, "duplicate=yes");
	app_send_json(app, x, 200, strbuf_slice(&json));
}

/* `why` is for the log. */
static void send_none(const struct app *app, struct exchange *x, const char *why)
{
	exchange_note(x, "duplicate=%s", why);
	app_send_json(app, x, 200, S("{\"upload\":null}"));
}

static void end(struct asking *a)
{
	struct exchange *x = a->x;
	app_confirmation_release(&a->confirmation);
	ledger_search_release(&a->search);
	exchange_release(x);
}

/* ---- What the store has -----------------------------------------------------------------------
 */

static bool is_still_there(const struct asking *a)
{
	const struct app_confirmation *c = &a->confirmation;
	return c->found && c->size == (uint64_t)a->search.size &&
	       slice_eq_nocase(c->etag, a->search.etag);
}

static void on_confirmed(struct task *task)
{
	struct app_confirmation *c = CONTAINER_OF(task, struct app_confirmation, done);
	struct asking *a = CONTAINER_OF(c, struct asking, confirmation);
	bool known = c->found || c->status == 404;
	atomic_fetch_sub(&a->app->duplicates_asked, 1);
	if (!exchange_is_gone(a->x) && is_still_there(a))
		send_upload(a->app, a->x, &a->search);
	else if (!exchange_is_gone(a->x))
		send_none(a->app, a->x, known ? "gone" : "unknown");
	end(a);
}

/* Callbacks that ask the store have the other places. */
static bool take_place(struct app *app)
{
	if (atomic_fetch_add(&app->duplicates_asked, 1) < LIMIT_DUPLICATES_ASKED)
		return true;
	atomic_fetch_sub(&app->duplicates_asked, 1);
	return false;
}

static void on_found(struct task *task)
{
	struct ledger_search *search = CONTAINER_OF(task, struct ledger_search, done);
	struct asking *a = CONTAINER_OF(search, struct asking, search);
	bool found = search->found && !search->failed && slice_starts(search->object, a->start);
	bool asks = found && !exchange_is_gone(a->x) && take_place(a->app);
	if (asks) {
		a->confirmation = (struct app_confirmation){.key = search->object,
			.timeout_ms = LIMIT_APP_CALLBACK_MS,
			.home = exchange_home(a->x),
			.done.run = on_confirmed};
		app_confirm(a->app, &a->confirmation);
		return;
	}
	if (!exchange_is_gone(a->x))
		send_none(a->app, a->x, search->failed || found ? "unknown" : "no");
	end(a);
}

/* ---- The question -----------------------------------------------------------------------------
 */

/*
 * What all folders of this caller and profile begin with: what follows differs from time to time.
 * Who may have only what is below a prefix finds only that. False: it was answered.
 */
static bool find_start(struct app *app, struct exchange *x, const struct caller *caller,
	const struct offer *offer, struct slice *ret)
{
	struct key_template start = offer->profile->dir;
	const struct key_values values = {.claims = caller->values};
	SCOPED_STRBUF(text, 4 * LIMIT_KEY_BYTES);
	*ret = offer->dir;
	if (caller->prefix.len > 0)
		return true;
	size_t count = 0;
	while (count < start.count &&
		(start.pieces[count].kind == KEY_LITERAL || start.pieces[count].kind == KEY_CLAIM))
		count++;
	start.count = count;
	const char *fault = key_template_expand(&start, &values, &text);
	*ret = arena_copy(exchange_arena(x), strbuf_slice(&text));
	if (!fault && !strbuf_broken(&text) && ret->ptr)
		return true;
	app_send_no_memory(app, x);
	return false;
}

/* True: it is answered later. */
static bool search(struct app *app, struct exchange *x, const struct caller *caller,
	const struct offer *offer, const struct wish *wish, struct slice sha256)
{
	struct asking *a = arena_zalloc(exchange_arena(x), sizeof(*a));
	if (!a) {
		app_send_no_memory(app, x);
		return false;
	}
	*a = (struct asking){.app = app, .x = x};
	if (!find_start(app, x, caller, offer, &a->start))
		return false;
	a->search = (struct ledger_search){.subject = caller->subject,
		.profile = offer->profile->name,
		.bucket = app->settings.bucket,
		.sha256 = sha256,
		.size = wish->size,
		.home = exchange_home(x),
		.done.run = on_found};
	exchange_keep(x);
	ledger_find(app->parts.ledger, &a->search);
	return true;
}

static bool refuse(
	struct app *app, struct exchange *x, int status, const char *code, const char *message)
{
	app_send_error(app, x, status, code, message);
	return false;
}

bool app_send_duplicate(
	struct app *app, struct exchange *x, const struct caller *caller, void *ctx UNUSED)
{
	const struct query_param *sha256 = query_find(exchange_query(x), S("sha256"));
	struct wish wish;
	struct offer offer;
	struct offer_refusal why;
	int64_t now = clock_wall_ms(app->parts.clock) / 1000;
	if (!app_wish_from_query(app, x, &wish))
		return false;
	if (!sha256 || !content_hash_is_valid(sha256->value))
		return refuse(app, x, 400, "invalid_request",
			"`sha256` is not 64 hexadecimal digits with small letters.");
	if (wish.size < 0)
		return refuse(app, x, 400, "invalid_request", "There is no `size`.");
	if (!offer_make(app_rules(x), caller, &wish, now, exchange_arena(x), &offer, &why)) {
		app_refuse_offer(app, x, &why);
		return false;
	}
	if (!offer.profile->duplicates)
		return refuse(app, x, 404, "not_offered",
			"`duplicates` is off here: no hashes of uploads are known.");
	if (caller->subject.len > 0)
		return search(app, x, caller, &offer, &wish, sha256->value);
	send_none(app, x, "no");
	return false;
}
