/* SPDX-License-Identifier: Apache-2.0 */
/*
 * GET /grants/ID: what became of a grant. Whoever may not know is told the same as of one that
 * there is not.
 */
#include "app/app_internal.h"
#include "app/ledger/ledger.h"
#include "app/text/json.h"

#define STATE_BYTES_MAX KIB(16)
#define OPEN_RETRY_AFTER_S "2"

const struct slice app_secret_params[] = {
	SLICE_LIT("grant"), SLICE_LIT("sha256"), SLICE_LIT("postern-doctor"), SLICE_LIT("")};

/* A question under way. It is in the exchange's arena. */
struct asking {
	struct app *app;
	struct exchange *x;
	struct slice subject; /* who asks; empty: the holder, who may know */
	bool expired;         /* the holder's grant is too old for a callback */
	struct ledger_question question;
};

/* ---- The answer -------------------------------------------------------------------------------
 */

static void send_unknown(const struct app *app, struct exchange *x)
{
	app_send_error(app, x, 404, "not_found", "There is no such grant of yours.");
}

/* What is not written down, as too many were: the holder still has it from us. */
static struct slice state_of(const struct asking *a)
{
	const struct ledger_question *q = &a->question;
	if (q->found)
		return q->state;
	if (q->uploads > 0)
		return slice_str(grant_state_name(GRANT_CONFIRMED));
	return slice_str(grant_state_name(a->expired ? GRANT_EXPIRED_UNUSED : GRANT_ISSUED));
}

static void add_upload(const struct ledger_question *q, struct strbuf *json)
{
	json_member(json, "last");
	strbuf_addc(json, '{');
	json_member_string(json, "object", q->object);
	json_member_string(json, "etag", q->etag);
	json_member_string(json, "mimeType", q->mime_type);
	if (q->size >= 0)
		json_member_number(json, "size", q->size);
	json_member_bool(json, "confirmed", q->confirmed);
	json_member_number(json, "receivedMs", q->received_ms);
	strbuf_addc(json, '}');
}

static void send_state(const struct asking *a)
{
	const struct ledger_question *q = &a->question;
	struct slice state = state_of(a);
	SCOPED_STRBUF(json, STATE_BYTES_MAX);
	strbuf_addc(&json, '{');
	json_member_string(&json, "id", q->id);
	json_member_string(&json, "state", state);
	if (q->found && q->reason.len > 0)
		json_member_string(&json, "reason", q->reason);
	if (q->found) {
		json_member_number(&json, "issued", q->issued_ms / 1000);
		json_member_number(&json, "expires", q->expires);
	}
	json_member_number(&json, "uploads", q->uploads);
	if (q->uploads > 0)
		add_upload(q, &json);
	strbuf_addc(&json, '}');
	if (slice_eq(state, S("issued")) || slice_eq(state, S("pending")))
		exchange_header(a->x, "Retry-After", S(OPEN_RETRY_AFTER_S));
	app_send_json(a->app, a->x, 200, strbuf_slice(&json));
}

static void send_answer(const struct asking *a)
{
	const struct ledger_question *q = &a->question;
	bool is_holder = a->subject.len == 0;
	if (q->failed) {
		exchange_header(a->x, "Retry-After", S(OPEN_RETRY_AFTER_S));
		app_send_error(a->app, a->x, 503, "unavailable", "The ledger cannot be read now.");
	} else if (is_holder || (q->found && slice_eq(q->subject, a->subject))) {
		send_state(a);
	} else {
		send_unknown(a->app, a->x);
	}
}

static void on_answer(struct task *task)
{
	struct ledger_question *q = CONTAINER_OF(task, struct ledger_question, done);
	struct asking *a = CONTAINER_OF(q, struct asking, question);
	struct exchange *x = a->x;
	if (!exchange_is_gone(x))
		send_answer(a);
	ledger_question_release(q);
	exchange_release(x);
}

/* ---- The question -----------------------------------------------------------------------------
 */

static struct slice id_of(struct exchange *x)
{
	struct slice id = slice_from(exchange_head(x)->path, S("/grants/").len);
	return id.len == TICKET_ID_LENGTH ? id : S("");
}

/* True: it is answered later. */
static bool ask(struct app *app, struct exchange *x, struct slice subject, bool expired)
{
	struct arena *arena = exchange_arena(x);
	struct asking *a = arena_zalloc(arena, sizeof(*a));
	struct slice id = arena_copy(arena, id_of(x));
	if (!a || !id.ptr) {
		app_send_no_memory(app, x);
		return false;
	}
	*a = (struct asking){.app = app, .x = x, .subject = subject, .expired = expired};
	a->question.id = id;
	a->question.home = exchange_home(x);
	a->question.done.run = on_answer;
	exchange_keep(x);
	ledger_ask(app->parts.ledger, &a->question);
	return true;
}

static bool ask_as_caller(
	struct app *app, struct exchange *x, const struct caller *caller, void *ctx UNUSED)
{
	if (caller->subject.len > 0)
		return ask(app, x, caller->subject, false);
	send_unknown(app, x);
	return false;
}

/* A grant is good for asking for as long as anybody has it. */
static void ask_as_holder(struct app *app, struct exchange *x, struct slice grant)
{
	struct ticket parsed;
	int64_t now = clock_wall_ms(app->parts.clock) / 1000;
	if (id_of(x).len == 0 || !ticket_has_form(grant) ||
		!slice_eq(slice_head(grant, TICKET_ID_LENGTH), id_of(x)) ||
		!grant_keys_made(app_grant_keys(app), grant, now)) {
		send_unknown(app, x);
		return;
	}
	bool expired =
		grant_keys_check(app_grant_keys(app), grant, S(""), now, &parsed) == TICKET_EXPIRED;
	(void)ask(app, x, S(""), expired);
}

void app_send_grant_state(struct app *app, struct exchange *x)
{
	const struct query_param *grant = query_find(exchange_query(x), S("grant"));
	if (app->settings.grants_max == 0)
		send_unknown(app, x);
	else if (!grant)
		app_admit(app, x, ask_as_caller, NULL);
	else if (app_admit_holder(app, x))
		ask_as_holder(app, x, grant->value);
}
