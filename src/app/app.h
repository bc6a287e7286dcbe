/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The application server: it signs what a browser may upload, receives the store's callback,
 * keeps the ledger of uploads, and serves the upload page.
 *
 * Who may ask for the first two is told by `auth` (admission.h).
 *
 *	GET /              the classic token (signature V1)
 *	GET /get_post_signature_for_oss_upload   the same for pages of the newer samples (V4)
 *	GET /grant         a form ready to post (signature V4, or V1 if so configured)
 *	POST /grants       the same for each of several files
 *	/s3/...            uploads in parts (s3.h)
 *	GET /grants/ID     what became of a grant
 *	POST /, and POST to the path of callback_url   the callback
 *	GET /upload/...    the page and the JS library
 *
 * Several copies can run side by side: only the ledger is state.
 */
#ifndef APP_APP_H
#define APP_APP_H

#include <stdbool.h>
#include <stdint.h>

#include "app/credentials/provider.h"
#include "app/events/events.h"
#include "app/settings/options.h"
#include "base/clock.h"
#include "base/err.h"
#include "base/slice.h"
#include "net/exchange.h"
#include "net/outgoing.h"

struct app;
struct ledger;
struct settings;

/* What the application server uses; all of it outlives the server. */
struct app_parts {
	struct outgoing *outgoing;
	/* For confirmations and credentials only, so that nothing else can take their places. */
	struct outgoing *confirming;
	struct ledger *ledger;
	const struct clock *clock;
	const struct allow_list *allow; /* for fetching public keys */
};

/*
 * ERR_INVALID_ARGUMENT if an option is not valid, with a sentence that names it in `why` (of
 * `why_size` bytes).
 */
enum err app_new(const struct app_options *options, const struct app_parts *parts, struct app **ret,
	char *why, size_t why_size) MUST_USE;

/* To be given to a listener; lives as long as `app`. */
const struct service *app_service(const struct app *app);

/*
 * Trusts the key at exactly `url`, whose PEM is given so that nothing is fetched: `serve` does
 * this for its own store. Before the first request.
 */
enum err app_trust_key(struct app *app, struct slice url, struct slice pem) MUST_USE;

/*
 * Asks the store what the key may do (docs/credentials.md), by requests about what does not exist.
 * With APP_CONFIRM_AUTO a 403 to a HEAD turns confirming off, and a 403 about an upload turns
 * uploads in parts off. Call it once, when the store can be reached. Asks nothing about what the
 * settings have off.
 */
struct app_probe {
	/* Set by the caller. */
	struct executor *home;
	struct task done; /* posted to `home` exactly once */
	/* The result, when `done` runs. */
	bool forbidden; /* the store answered 403 to a HEAD */
};
enum err app_probe_store(struct app *app, struct app_probe *probe) MUST_USE;

/* How often each check came to each verdict. */
struct app_check_verdicts {
	uint64_t passed, refused, unknown, late;
};
struct app_check_stats {
	struct app_check_verdicts object, type, virus;
};

struct app_stats {
	struct provider_stats credentials;
	bool confirms;  /* callbacks are confirmed by the store */
	bool forbidden; /* the store answers 403 to a HEAD: the key may not read */
	const char
		*parts_forbidden; /* what the key may not do for uploads in parts; NULL: nothing */
	bool ledger_fails;        /* the last upload could not be recorded */
	struct ledger_stats ledger;
	const struct outcomes *outcomes; /* as long as the application server */
	uint64_t aborted;                /* uploads in parts that were not finished in time */
	uint64_t unwritten;              /* grants that were given and not written down */
	uint64_t duplicates;             /* files that were asked for and there already */
	struct events_stats events;
	bool checks; /* a profile has some, or had: */
	struct app_check_stats checked;
};
void app_stats(const struct app *app, struct app_stats *ret);

/*
 * Begins to get the credentials, if they have to be got, and waits for the first attempt
 * (credentials/provider.h). Once its servers can be reached, and before all that follows here.
 */
enum err app_begin_credentials(struct app *app) MUST_USE;
/* Nothing more is begun for them. */
void app_end_credentials(struct app *app);
/*
 * The pair (provider_replace()) and the rules of `settings`, which are taken out of it, are used
 * for all requests that begin from now on. All else that the settings say must be as it was given
 * to app_new(). By the thread that starts and stops the server. ERR_UNAVAILABLE without memory or a
 * thread, or with the reason in the log: then nothing has changed.
 */
enum err app_take(struct app *app, struct settings *settings) MUST_USE;

/*
 * Begins what the application server does by itself: it looks for uploads whose callbacks never
 * came (reconciler.h), if there are grants that are written down, and delivers events
 * (events/events.h). Once the store can be reached.
 */
enum err app_begin_work(struct app *app) MUST_USE;
/* Nothing more of it is begun; before `outgoing` is stopped. NULL is allowed. */
void app_stop_work(struct app *app);
/* Waits for its end; after `outgoing` is stopped, with the ledger still open. NULL is allowed. */
void app_end_work(struct app *app);

/* No exchange may be left, and the `outgoing` of `parts` must be stopped and, with events, the
 * ledger closed. NULL is allowed. */
void app_free(struct app *app);

#endif
