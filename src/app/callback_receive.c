/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A callback, from its head to our answer. It is believed only if the URL of its public key is
 * one we trust, its ticket is ours, and the signature verifies over path and body as they came.
 * What is cheap, and what needs no network, is checked first: nobody can make us fetch a key
 * without having been given a grant.
 */
#include <stdio.h>
#include <stdlib.h>

#include "app/app_internal.h"
#include "app/key_url.h"
#include "app/ledger/ledger.h"
#include "app/text/content_hash.h"
#include "app/text/json.h"
#include "app/webhook.h"
#include "base/encode.h"
#include "base/log.h"
#include "oss/callback/callback_signature.h"
#include "oss/callback/upload_message.h"

/*
 * A webhook is sent for every recorded upload, even if the time is over, but then with this limit.
 */
#define WEBHOOK_MS_MIN 250
/* How far the clocks of store and application server may be apart in what they call a second. */
#define CLOCK_TOLERANCE_S 2
#define KEY_URL_BYTES_MAX KIB(2)
/* The one refusal that a new grant helps against; the uploader sees no more of it than this. */
#define GRANT_EXHAUSTED_STATUS 429
#define EXPLAIN_PAUSE_MS 1000

/*
 * The state of one callback. It lives until the exchange is gone and nothing it waits for is
 * outstanding; all of it on the loop of the exchange.
 */
struct receive {
	struct app *app;
	struct exchange *x;     /* NULL once it is gone */
	struct rules *rules;    /* the request's; a reference, because it outlives that */
	struct judging judging; /* from when the message has been read */
	struct budget_account memory;
	bool waiting;                /* for a key, the store, the ledger or the webhook */
	bool verified;               /* it is a store's, and its ticket is ours */
	enum callback_verdict stage; /* what it is if it is refused now */
	int64_t deadline_ms;         /* monotonic; all of them draw on it */
	struct strbuf body;
	struct arena arena;
	struct slice key_url;
	struct upload_message message;
	struct ticket ticket;
	struct public_key_wait key;
	struct public_key *stale; /* under which the callback did not verify */
	struct app_confirmation confirmation;
	struct check check;
	struct ledger_hold hold;
	struct ledger_entry entry;
	struct webhook webhook;
};

static void receive_free(struct receive *r)
{
	strbuf_release(&r->body);
	webhook_release(&r->webhook);
	app_confirmation_release(&r->confirmation);
	public_key_release(r->key.key);
	public_key_release(r->stale);
	judging_release(&r->judging);
	rules_release(r->rules);
	arena_reset(&r->arena);
	budget_close(&r->memory);
	free(r);
}

/* First in each task: nothing is waited for any more. Whether there is still somebody to answer. */
static bool client_is_there(struct receive *r)
{
	r->waiting = false;
	return r->x != NULL;
}

static int64_t time_left_ms(const struct receive *r)
{
	return r->deadline_ms - clock_monotonic_ms();
}

static const struct profile *profile_of(const struct receive *r)
{
	return r->judging.profile;
}

static void count(const struct receive *r, enum callback_verdict verdict)
{
	outcomes_count_callback(r->app->outcomes, verdict);
}

/* What anybody may have sent says nothing about a grant. `reason` is a constant text. */
static void set_state(struct receive *r, int status, const char *reason)
{
	const struct app *app = r->app;
	if (r->verified && status < 500 && r->stage != CALLBACK_REPEATED)
		outcomes_count_grant(app->outcomes, profile_of(r)->name, OUTCOME_REJECTED);
	if (r->verified && app->settings.grants_max > 0)
		ledger_set_state(app->parts.ledger,
			&(const struct ledger_change){
				.id = slice_of(r->ticket.id, TICKET_ID_LENGTH),
				.state = status >= 500 ? GRANT_PENDING : GRANT_REJECTED,
				.reason = reason,
				.trace = webhook_trace(&r->webhook),
				.now_ms = clock_wall_ms(app->parts.clock)});
}

static void send_refusal(struct receive *r, int status, const char *reason)
{
	count(r, status >= 500 ? CALLBACK_UNDECIDED : r->stage);
	SCOPED_STRBUF(json, KIB(4));
	strbuf_addc(&json, '{');
	json_member_string(&json, "Status", S("verify not ok"));
	json_member_string(&json, "reason", slice_str(reason));
	strbuf_addc(&json, '}');
	exchange_note(r->x, "refused=\"%s\"", reason);
	app_send_json(r->app, r->x, status, strbuf_slice(&json));
}

static void refuse(struct receive *r, int status, const char *reason)
{
	set_state(r, status, reason);
	send_refusal(r, status, reason);
}

/* The ledger names the object, which is there and should not be: a grant may be for many. */
static void refuse_object(struct receive *r, const char *reason)
{
	if (r->verified)
		app_reject_grant(r->app, profile_of(r)->name,
			slice_of(r->ticket.id, TICKET_ID_LENGTH), reason, r->message.object,
			webhook_trace(&r->webhook));
	send_refusal(r, 400, reason);
}

/* ---- After the upload was recorded ------------------------------------------------------------
 */

static void answer_webhook(struct receive *r, bool ok)
{
	exchange_note(r->x, ok ? "webhook=200" : "webhook=failed");
	if (ok)
		app_send_json(r->app, r->x, 200, strbuf_slice(&r->webhook.request.answer));
	else
		app_send_json(r->app, r->x, 502,
			S("{\"Status\":\"webhook failed\",\"reason\":\"the upload was recorded, "
			  "but the back end did not answer with 200 and JSON\"}"));
}

static void on_webhook(struct task *task)
{
	struct webhook *webhook = webhook_of(task);
	struct receive *r = CONTAINER_OF(webhook, struct receive, webhook);
	bool ok = webhook_is_answered(webhook);
	if (client_is_there(r))
		answer_webhook(r, ok);
	else
		receive_free(r);
}

/* It is sent for each upload that is recorded, even if the store does not wait any more. */
static void send_webhook(struct receive *r)
{
	int64_t left_ms = time_left_ms(r);
	r->webhook.request.timeout_ms = left_ms > WEBHOOK_MS_MIN ? left_ms : WEBHOOK_MS_MIN;
	r->webhook.request.home = r->key.home;
	r->webhook.request.done.run = on_webhook;
	if (webhook_send(r->app, r->rules, &r->webhook, &r->entry, &r->message))
		r->waiting = true;
	else if (r->x)
		answer_webhook(r, false);
	else
		receive_free(r);
}

static void on_recorded(struct task *task)
{
	struct ledger_entry *entry = CONTAINER_OF(task, struct ledger_entry, done);
	struct receive *r = CONTAINER_OF(entry, struct receive, entry);
	bool present = client_is_there(r);
	atomic_store(&r->app->ledger_fails, entry->result == LEDGER_FAILED);
	if (entry->result == LEDGER_RECORDED) {
		count(r, CALLBACK_RECORDED);
		outcomes_count_grant(r->app->outcomes, profile_of(r)->name, OUTCOME_CONFIRMED);
	}
	if (entry->result == LEDGER_RECORDED && r->rules->webhook_url.len > 0) {
		send_webhook(r);
		return;
	}
	if (!present) {
		receive_free(r);
		return;
	}
	switch (entry->result) {
	case LEDGER_RECORDED:
		app_send_json(r->app, r->x, 200, profile_of(r)->callback_answer);
		break;
	case LEDGER_REPEATED:
		r->stage = CALLBACK_REPEATED;
		refuse(r, 400, "this callback was received before");
		break;
	case LEDGER_KNOWN:
		/* Nothing is new, and nothing untrue: the same file was sent twice in a second. */
		exchange_note(r->x, "recorded=before");
		count(r, CALLBACK_KNOWN);
		app_send_json(r->app, r->x, 200, profile_of(r)->callback_answer);
		break;
	case LEDGER_EXHAUSTED:
		r->stage = CALLBACK_EXHAUSTED;
		refuse(r, GRANT_EXHAUSTED_STATUS, "the grant is used up");
		break;
	case LEDGER_LATE:
		refuse(r, 503, "there is no time left to record the upload");
		break;
	case LEDGER_FAILED:
		refuse(r, 503, "the upload could not be recorded");
		break;
	}
}

/* What is to be remembered of what the uploader has claimed. */
static struct slice hash_of(const struct receive *r)
{
	struct slice sha256 = r->message.sent_sha256;
	return profile_of(r)->duplicates && content_hash_is_valid(sha256) ? sha256 : S("");
}

static void record(struct receive *r)
{
	const struct upload_message *m = &r->message;
	const struct app_confirmation *c = &r->confirmation;
	const struct app *app = r->app;
	const struct settings *s = &app->settings;
	r->entry = (struct ledger_entry){
		.received_ms = clock_wall_ms(app->parts.clock),
		.grant_id = m->ticket.len > 0 ? slice_of(r->ticket.id, TICKET_ID_LENGTH) : S(""),
		.request_id = m->request_id,
		.bucket = m->bucket.len > 0 ? m->bucket : s->bucket,
		.object = m->object,
		.etag = c->found ? c->etag : m->etag,
		.mime_type = c->found ? c->mime_type : m->mime_type,
		.size = c->found ? (int64_t)c->size : m->size,
		.width = m->width,
		.height = m->height,
		.client_ip = m->client_ip,
		.body = strbuf_slice(&r->body),
		.trace = webhook_trace(&r->webhook),
		.sha256 = hash_of(r),
		.confirmed = c->found,
		.last_modified = c->last_modified,
		.version_id = c->found ? c->version_id : S(""),
		.variables = slice_of(r->ticket.variables, r->ticket.variables_len),
		.max_uploads = r->judging.rules->grant_uploads,
		.max_bytes = r->judging.rules->grant_uploads * r->judging.max_size,
		.deadline_ms = r->deadline_ms,
		.home = r->key.home,
		.done.run = on_recorded,
	};
	r->waiting = true;
	ledger_record(app->parts.ledger, &r->entry);
}

/* ---- What cannot be decided now --------------------------------------------------------------
 */

static void on_held(struct task *task)
{
	struct ledger_hold *hold = CONTAINER_OF(task, struct ledger_hold, done);
	struct receive *r = CONTAINER_OF(hold, struct receive, hold);
	if (!client_is_there(r)) {
		receive_free(r);
		return;
	}
	if (!hold->held) {
		refuse(r, 503, hold->reason);
		return;
	}
	SCOPED_STRBUF(json, KIB(1));
	strbuf_addc(&json, '{');
	json_member_string(&json, "Status", S("Pending"));
	json_member_string(&json, "grant", hold->id);
	strbuf_addc(&json, '}');
	exchange_note(r->x, "pending=\"%s\"", hold->reason);
	count(r, CALLBACK_PENDING);
	app_send_json(r->app, r->x, 200, strbuf_slice(&json));
}

/* The reconciler decides. `reason` is a constant text. */
static void hold(struct receive *r, const char *reason)
{
	r->hold = (struct ledger_hold){
		.id = slice_of(r->ticket.id, TICKET_ID_LENGTH),
		.key = r->message.object,
		.reason = reason,
		.now_ms = clock_wall_ms(r->app->parts.clock),
		.home = r->key.home,
		.done.run = on_held,
	};
	r->waiting = true;
	ledger_hold(r->app->parts.ledger, &r->hold);
}

/* ---- The checks of the profile ----------------------------------------------------------------
 */

static void end_unknown(struct receive *r, const char *reason)
{
	switch (profile_of(r)->on_unknown) {
	case PROFILE_UNKNOWN_ACCEPT:
		exchange_note(r->x, "unchecked=\"%s\"", reason);
		record(r);
		break;
	case PROFILE_UNKNOWN_PENDING:
		hold(r, reason);
		break;
	case PROFILE_UNKNOWN_REJECT:
		r->confirmation.found = false;
		refuse_object(r, reason);
		break;
	}
}

static void on_checked(struct task *task)
{
	struct check *check = CONTAINER_OF(task, struct check, done);
	struct receive *r = CONTAINER_OF(check, struct receive, check);
	if (!client_is_there(r)) {
		receive_free(r);
		return;
	}
	switch (check->verdict) {
	case CHECK_PASSED:
		record(r);
		break;
	case CHECK_REFUSED:
		r->confirmation.found = false;
		refuse_object(r, check->reason);
		break;
	case CHECK_UNKNOWN:
		end_unknown(r, check->reason);
		break;
	case CHECK_LATE:
		hold(r, check->reason);
		break;
	}
}

/* What the store has described is believed if it passes. */
static void check_then_record(struct receive *r)
{
	const struct profile *profile = profile_of(r);
	if (!check_is_needed(profile)) {
		record(r);
		return;
	}
	r->check = (struct check){
		.rules = r->judging.rules,
		.profile = profile,
		.object = &r->confirmation,
		.deadline_ms = r->deadline_ms - LIMIT_CHECK_RESERVE_MS,
		.home = r->key.home,
		.done.run = on_checked,
	};
	r->waiting = true;
	check_begin(r->app, &r->check);
}

/* ---- What the store says ----------------------------------------------------------------------
 */

/* Whether the object is still what the callback told of. */
static const char *check_told(const struct receive *r)
{
	const struct upload_message *m = &r->message;
	const struct app_confirmation *c = &r->confirmation;
	bool same = slice_eq_nocase(app_etag(m->etag), c->etag) && m->size >= 0 &&
		    (uint64_t)m->size == c->size;
	return same ? NULL : "the object in the store is another one";
}

/*
 * A classic token's objects carry no id: they must be as the callback says, and not older than the
 * grant. The store's Date header shows how its clock differs.
 */
static const char *check_classic(const struct receive *r)
{
	const struct app_confirmation *c = &r->confirmation;
	int64_t now = clock_wall_ms(r->app->parts.clock) / 1000;
	int64_t modified = c->last_modified + (c->date >= 0 ? now - c->date : 0);
	if (c->has_grant_id)
		return "the object was uploaded with another grant";
	if (check_told(r))
		return check_told(r);
	if (modified < r->ticket.issued - CLOCK_TOLERANCE_S)
		return "the object is older than the grant";
	return NULL;
}

/* What it has, whatever grant it is of. */
static const char *check_content(const struct receive *r)
{
	const struct app_confirmation *c = &r->confirmation;
	if (c->size > (uint64_t)r->judging.max_size)
		return APP_TOO_LARGE;
	if (profile_of(r)->checks.object) {
		const char *other = check_told(r);
		checks_count_object(r->app->checks, other == NULL);
		if (other)
			return other;
	}
	return app_sums_differ(r->message.sent_crc64, c->crc64) ? APP_DAMAGED : NULL;
}

static const char *check_object(const struct receive *r)
{
	const struct app_confirmation *c = &r->confirmation;
	if (r->ticket.kind == TICKET_CLASSIC)
		return check_classic(r);
	if (!slice_eq(c->grant_id, slice_of(r->ticket.id, TICKET_ID_LENGTH)))
		return "the object was not uploaded with this grant";
	return NULL;
}

static void on_confirmed(struct task *task)
{
	struct app_confirmation *c = CONTAINER_OF(task, struct app_confirmation, done);
	struct receive *r = CONTAINER_OF(c, struct receive, confirmation);
	if (!client_is_there(r)) {
		receive_free(r);
		return;
	}
	const char *reason = c->found ? check_object(r) : NULL;
	const char *content = c->found && !reason ? check_content(r) : NULL;
	if (c->status == 404) {
		refuse(r, 400, "the store has no such object");
	} else if (!c->found) {
		log_error("callback %.*s: the store could not be asked: %s (status %d)",
			SLICE_FMT(exchange_id(r->x)), c->fault, c->status);
		if (profile_of(r)->checks.any)
			hold(r, "the store cannot be asked about the object");
		else
			refuse(r, 503, "the store cannot be asked about the object");
	} else if (reason) {
		c->found = false;
		refuse(r, 400, reason);
	} else if (content) {
		c->found = false;
		refuse_object(r, content);
	} else {
		check_then_record(r);
	}
}

/* The callback is a store's. What it says becomes true by what the store says when it is asked. */
static void confirm(struct receive *r)
{
	int64_t left_ms = time_left_ms(r);
	r->verified = r->message.ticket.len > 0;
	r->stage = CALLBACK_OBJECT;
	if (r->verified)
		exchange_note(r->x, "grant=%.*s", TICKET_ID_LENGTH, r->ticket.id);
	if (app_sums_differ(r->message.sent_crc64, r->message.crc64)) {
		refuse_object(r, APP_DAMAGED);
		return;
	}
	if ((!atomic_load(&r->app->confirms) && !profile_of(r)->checks.any) ||
		r->message.ticket.len == 0) {
		record(r);
		return;
	}
	if (left_ms <= 0) {
		refuse(r, 503, "there is no time left to ask the store about the object");
		return;
	}
	r->confirmation.key = r->message.object;
	r->confirmation.timeout_ms = profile_of(r)->checks.any && left_ms > LIMIT_CHECK_RESERVE_MS
					     ? left_ms - LIMIT_CHECK_RESERVE_MS
					     : left_ms;
	r->confirmation.home = r->key.home;
	r->confirmation.done.run = on_confirmed;
	r->waiting = true;
	app_confirm(r->app, &r->confirmation);
}

/* ---- The signature ----------------------------------------------------------------------------
 */

static struct slice header(const struct receive *r, const char *name)
{
	return request_head_get(exchange_head(r->x), slice_str(name));
}

/* For the log; the many attempts that it takes are made at most once a second. */
static void explain(struct receive *r, const struct public_key *key)
{
	int64_t now = clock_monotonic_ms();
	int64_t before = atomic_load(&r->app->explained_ms);
	if (now - before < EXPLAIN_PAUSE_MS ||
		!atomic_compare_exchange_strong(&r->app->explained_ms, &before, now))
		return;
	SCOPED_STRBUF(why, KIB(4));
	const struct settings_list *own = &r->app->settings.callback_targets;
	(void)callback_verify_explain(public_key_rsa(key), exchange_head(r->x)->target,
		header(r, "Authorization"), strbuf_slice(&r->body), own->words, own->count, &why);
	log_info("callback %.*s did not verify: %s", SLICE_FMT(exchange_id(r->x)), why.ptr);
}

static void verify(struct receive *r);

static void on_key(struct task *task)
{
	struct public_key_wait *wait = CONTAINER_OF(task, struct public_key_wait, done);
	struct receive *r = CONTAINER_OF(wait, struct receive, key);
	if (client_is_there(r))
		verify(r);
	else
		receive_free(r);
}

/* With a key, or none, in r->key. */
static void verify(struct receive *r)
{
	struct public_key *key = r->key.key;
	if (!key) {
		refuse(r, 503, "the public key cannot be had");
		return;
	}
	if (key != r->stale && callback_verify(public_key_rsa(key), exchange_head(r->x)->target,
				       header(r, "Authorization"), strbuf_slice(&r->body))) {
		confirm(r);
		return;
	}
	if (r->stale) {
		explain(r, key);
		refuse(r, 400, "the signature does not verify");
		return;
	}
	/* Once more, in case the store has a new key. */
	r->stale = TAKE(r->key.key);
	if (public_keys_get(r->app->keys, r->key_url, r->stale, &r->key))
		verify(r);
	else
		r->waiting = true;
}

/* ---- What is checked before -------------------------------------------------------------------
 */

static const char *check_key_url(struct receive *r)
{
	SCOPED_STRBUF(url, KEY_URL_BYTES_MAX);
	struct slice encoded = header(r, "x-oss-pub-key-url");
	r->stage = CALLBACK_MALFORMED;
	if (encoded.len == 0)
		return "there is no x-oss-pub-key-url header";
	if (!base64_decode(&url, encoded))
		return "x-oss-pub-key-url is not base64";
	r->stage = CALLBACK_KEY_URL;
	if (!key_url_is_trusted(r->app, r->rules, strbuf_slice(&url))) {
		char quoted[200];
		log_info("callback %.*s: key URL %s is not one of key_urls",
			SLICE_FMT(exchange_id(r->x)),
			log_quoted(strbuf_slice(&url), quoted, sizeof(quoted)));
		return "the public key's URL is not trusted";
	}
	r->key.pinned = key_url_is_pinned(r->app, r->rules, strbuf_slice(&url));
	r->key_url = arena_copy(&r->arena, strbuf_slice(&url));
	return r->key_url.ptr ? NULL : upload_message_no_memory;
}

static const char *check_ticket(struct receive *r)
{
	static const char *const reasons[] = {
		[TICKET_VALID] = NULL,
		[TICKET_MALFORMED] = "the grant is malformed",
		[TICKET_FORGED] = "the grant is not from this server",
		[TICKET_EXPIRED] = "the grant has expired",
		[TICKET_OTHER_OBJECT] = "the grant is for other object names",
	};
	const struct upload_message *m = &r->message;
	r->stage = CALLBACK_GRANT;
	if (m->ticket.len == 0)
		return r->rules->require_grant ? "there is no grant in the body" : NULL;
	if (m->request_id.len == 0)
		return "there is no reqId in the body";
	int64_t now = clock_wall_ms(r->app->parts.clock) / 1000;
	return reasons[grant_keys_check(
		app_grant_keys(r->app), m->ticket, m->object, now, &r->ticket)];
}

static const char *check_body(struct receive *r)
{
	const struct upload_message *m = &r->message;
	const char *fault = upload_message_parse(
		header(r, "Content-Type"), strbuf_slice(&r->body), &r->arena, &r->message);
	if (fault && (r->rules->require_grant || fault == upload_message_no_memory))
		return fault;
	/* Whoever asks for no grant may use any template; OSS does not care what comes of it. */
	if (fault)
		r->message = (struct upload_message){.size = -1, .width = -1, .height = -1};
	if (m->bucket.len > 0 && !slice_eq(m->bucket, r->app->settings.bucket))
		return "the upload went to another bucket";
	return check_ticket(r);
}

/* Without a grant, by the default profile as it is. */
static void find_profile(struct receive *r)
{
	int64_t now = clock_wall_ms(r->app->parts.clock) / 1000;
	bool has_ticket = r->message.ticket.len > 0;
	(void)rules_history_judge(&r->app->rules, r->rules, slice_str(r->ticket.profile),
		has_ticket ? r->ticket.issued : now, now, &r->judging);
}

/* ---- The exchange -----------------------------------------------------------------------------
 */

static void on_body(struct exchange *x, void *state, struct slice piece)
{
	struct receive *r = state;
	strbuf_add_slice(&r->body, piece);
	if (strbuf_starved(&r->body))
		app_send_no_memory(r->app, x);
	else if (strbuf_broken(&r->body))
		app_send_error(r->app, x, 413, "too_large", "A callback has at most 64 KiB.");
}

static void on_end(struct exchange *x, void *state)
{
	struct receive *r = state;
	(void)x;
	const char *reason = check_key_url(r);
	if (!reason)
		r->stage = CALLBACK_MALFORMED;
	if (!reason && header(r, "Authorization").len == 0)
		reason = "there is no Authorization header";
	if (!reason)
		reason = check_body(r);
	if (reason) {
		refuse(r, reason == upload_message_no_memory ? 503 : 400, reason);
		return;
	}
	find_profile(r);
	r->stage = CALLBACK_SIGNATURE;
	if (public_keys_get(r->app->keys, r->key_url, NULL, &r->key))
		verify(r);
	else
		r->waiting = true;
}

static void on_gone(struct exchange *x, void *state)
{
	struct receive *r = state;
	(void)x;
	r->x = NULL;
	if (!r->waiting)
		receive_free(r);
}

static void on_starved(struct exchange *x, void *state)
{
	struct receive *r = state;
	app_send_no_memory(r->app, x);
}

static const struct exchange_handler handler = {
	.body = on_body, .end = on_end, .gone = on_gone, .starved = on_starved};

void app_receive_callback(struct app *app, struct exchange *x)
{
	const struct request_head *head = exchange_head(x);
	if (head->body == HTTP_BODY_LENGTH && head->content_length > LIMIT_APP_BODY_BYTES) {
		app_send_error(app, x, 413, "too_large", "A callback has at most 64 KiB.");
		return;
	}
	/* The body, and what is read of it; it may outlive the exchange. */
	struct budget_account memory = {.pool = BUDGET_APP};
	size_t body = head->body == HTTP_BODY_LENGTH ? (size_t)head->content_length
						     : LIMIT_APP_BODY_BYTES;
	struct receive *r = NULL;
	if (budget_take(&memory, sizeof(*r) + 2 * body) && !(r = calloc(1, sizeof(*r))))
		budget_close(&memory);
	if (!r) {
		app_send_no_memory(app, x);
		return;
	}
	r->app = app;
	r->memory = memory;
	r->x = x;
	r->rules = rules_share(app_rules(x));
	r->deadline_ms = clock_monotonic_ms() + LIMIT_APP_CALLBACK_MS;
	r->key.deadline_ms = r->deadline_ms;
	r->key.home = exchange_home(x);
	r->key.done.run = on_key;
	strbuf_init(&r->body, LIMIT_APP_BODY_BYTES);
	webhook_init(&r->webhook);
	webhook_set_trace(&r->webhook, exchange_head(x));
	arena_init(&r->arena, NULL, 0, 4 * LIMIT_APP_BODY_BYTES);
	exchange_attach(x, &handler, r);
}
