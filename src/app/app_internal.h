/* SPDX-License-Identifier: Apache-2.0 */
/* What the files of the application server share. */
#ifndef APP_APP_INTERNAL_H
#define APP_APP_INTERNAL_H

#include <pthread.h>
#include <stdatomic.h>

#include "app/admission.h"
#include "app/app.h"
#include "app/check.h"
#include "app/credentials/provider.h"
#include "app/events/events.h"
#include "app/in_flight.h"
#include "app/ledger/ledger.h"
#include "app/offer/offer.h"
#include "app/outcomes.h"
#include "app/public_keys.h"
#include "app/settings/rules_history.h"
#include "app/settings/settings.h"
#include "app/store_request.h"
#include "app/text/callback_text.h"
#include "oss/callback/ticket.h"

struct app {
	struct service service;
	struct app_parts parts;
	struct settings settings; /* as at the start; without the rules, which are: */
	struct rules_history rules;
	struct provider *provider;
	struct public_keys *keys;
	struct callback_text callback_text;
	struct jwt_source *jwt_source; /* with jwt_keys_url */
	struct jwt_cache *jwt_cache;
	struct counts *part_counts;
	struct in_flight completing; /* names of uploads */
	struct counts *grant_rates, *part_rates;
	/* What never changes in the answers to GET / and GET /grant, ready for JSON. */
	struct strbuf host_json;
	struct strbuf page_policy;  /* Content-Security-Policy of the upload page */
	struct strbuf uploads_path; /* /s3/multipart/; empty: there are none */
	atomic_bool confirms;       /* the store is asked about each callback */
	atomic_bool forbidden;      /* the store answers 403 to it */
	/* The action of RAM that the key may not do, so that there are no uploads in parts, or
	 * NULL. */
	_Atomic(const char *) parts_forbidden;
	/* Of what is above: which question counts (rights.c). */
	pthread_mutex_t rights_lock;
	uint64_t rights_asked;    /* questions so far */
	atomic_bool ledger_fails; /* it did, the last time */
	struct outcomes *outcomes;
	struct checks *checks;
	struct reconciler *reconciler;   /* NULL: it does not run */
	struct events *events;           /* NULL: none are written */
	atomic_uint_fast64_t aborted;    /* uploads, by it */
	atomic_uint_fast64_t unwritten;  /* grants */
	atomic_uint_fast64_t duplicates; /* files that were there already */
	atomic_uint duplicates_asked;    /* questions for which the store is being asked */
	_Atomic int64_t explained_ms;    /* when a refused callback was last explained in the log */
};

/* The credentials used now, to be released; NULL: there are none. */
static inline struct credentials *app_credentials(const struct app *app)
{
	return provider_get(app->provider);
}

static inline struct grant_keys *app_grant_keys(const struct app *app)
{
	return provider_grant_keys(app->provider);
}

/*
 * What the request is judged by: the rules that were in force when it began. On the exchange's
 * loop, for as long as the exchange is there.
 */
static inline struct rules *app_rules(const struct exchange *x)
{
	return exchange_held(x);
}

/* service.begin: hands a request to its handler (route.c). */
void app_begin(void *ctx, struct exchange *x);

/* ---- Answering (answer.c) ---------------------------------------------------------------------
 */

/* Adds the CORS headers that the rules allow for this request. */
void app_allow_origin(struct exchange *x);

/* Answers with JSON that must not be cached. */
void app_send_json(const struct app *app, struct exchange *x, int status, struct slice json);

/* Answers {"error": code, "message": ...}. */
void app_send_error(const struct app *app, struct exchange *x, int status, const char *code,
	const char *message);
/* Answers 503, with Retry-After: there is no memory. */
void app_send_no_memory(const struct app *app, struct exchange *x);

/* ---- The parts --------------------------------------------------------------------------------
 */

/*
 * GET /, GET /get_post_signature_for_oss_upload, GET /grant, and the last for one file (the classic
 * two are for pages of others); for whom app_admit() lets in (token.c).
 */
app_answer app_send_token, app_send_sample, app_send_grant, app_send_params;

/* The name of a profile in the query; empty: there is none. */
struct slice app_query_profile(struct exchange *x);
/* What the query asks for. False: the request was answered. */
bool app_wish_from_query(struct app *app, struct exchange *x, struct wish *ret) MUST_USE;
void app_refuse_offer(const struct app *app, struct exchange *x, const struct offer_refusal *why);
/* Counts that there was no grant; not for a profile that does not exist. */
void app_count_refusal(const struct app *app, const struct exchange *x, const struct wish *wish,
	const struct offer_refusal *why);

/* POST /grants (grants.c); from service.begin. */
void app_send_grants(struct app *app, struct exchange *x);

/* GET /duplicates (duplicate.c), for whom app_admit() lets in. */
app_answer app_send_duplicate;

/*
 * GET /grants/ID (grant_state.c), for who was given the grant: the subject of the token, or whoever
 * has the grant itself, in the query parameter `grant`, which is for no log, as the hash of GET
 * /duplicates.
 */
void app_send_grant_state(struct app *app, struct exchange *x);
extern const struct slice app_secret_params[];

/* GET /upload/ and its files (pages.c). False: the path is not one of them. */
bool app_send_page(const struct app *app, struct exchange *x) MUST_USE;

/*
 * A HEAD request to the store with postern's own key, to confirm an upload (confirm.c). All-zero
 * except for what the caller sets.
 */
struct app_confirmation {
	/* ---- Set by the caller, borrowed until `done` runs. ---- */
	struct slice key;
	int64_t timeout_ms;
	struct executor *home;
	struct task done; /* done.run set by the caller; posted to `home` exactly once */

	/* ---- The result, valid when `done` runs, as long as the structure. ---- */
	bool found;        /* the store described the object: the following */
	int status;        /* of the answer; 0: there was none */
	const char *fault; /* a constant text if not found and status is not 404 */
	struct slice etag; /* without quotes */
	struct slice mime_type;
	struct slice version_id; /* empty: none */
	struct slice crc64;      /* decimal; empty: not told */
	struct slice grant_id;   /* the object's; empty: it has none, or several */
	bool has_grant_id;       /* one or several */
	uint64_t size;
	int64_t last_modified; /* Unix seconds, by the clock of the store */
	int64_t date;          /* now by that clock; -1: unknown */

	/* ---- The module's own. ---- */
	struct app *app_;
	struct store_request request_;
};
/* Begins. From any thread, never blocks. */
void app_confirm(struct app *app, struct app_confirmation *confirmation);
/* What the key may do is asked again: it is another one, or objects go elsewhere (rights.c). */
void app_ask_rights(void *app);
/* An ETag without its quotes, if it has them. */
struct slice app_etag(struct slice text);
/* Once `done` has run, or if it was never begun. */
void app_confirmation_release(struct app_confirmation *confirmation);

/*
 * Fills a row for an object that the store has described, without a callback; all but `home` and
 * `done`. It borrows from the confirmation.
 */
void app_fill_found(const struct app *app, const struct app_confirmation *found,
	struct slice grant_id, const struct judging *judging, struct ledger_entry *ret);

/* Why an object that a store has described is not believed. */
#define APP_GONE "the object is not there any more"
#define APP_TOO_LARGE "the object is larger than was allowed"
#define APP_DAMAGED "the object is not what was sent: its CRC-64 is another one"
/*
 * Writes down and counts that an object that was uploaded with a grant is not believed; the texts
 * are copied. `trace` is the callback's traceparent, or empty.
 */
void app_reject_grant(const struct app *app, struct slice profile, struct slice grant_id,
	const char *reason, struct slice object, struct slice trace);
/* Whether both sums are told, and differ. */
bool app_sums_differ(struct slice sent, struct slice stored) MUST_USE;

/* Uploads in parts (s3.c); from service.begin. */
bool app_is_s3_path(const struct app *app, struct slice path) MUST_USE;
void app_answer_s3(struct app *app, struct exchange *x);

/* POST of a callback (callback_receive.c); from service.begin. */
void app_receive_callback(struct app *app, struct exchange *x);

#endif
