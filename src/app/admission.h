/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Decides who may ask for a grant (`[app] auth`): anybody, callers with a valid token, or callers
 * that a back end admits. A request that is not admitted is answered here: 401 with
 * WWW-Authenticate (RFC 6750), 403 for a cookie from a foreign page, 503 if it cannot be decided
 * now. Callbacks are not admitted here: their grant and signature are checked instead.
 */
#ifndef APP_ADMISSION_H
#define APP_ADMISSION_H

#include "app/auth/caller.h"
#include "net/exchange.h"

struct app;

/*
 * Answers, or returns true if it answers later: then it has called exchange_keep(), and will call
 * exchange_release().
 */
typedef bool app_answer(
	struct app *app, struct exchange *x, const struct caller *caller, void *ctx);

/*
 * Runs `answer` once if the request is admitted, now or, when keys have to be fetched, later on the
 * exchange's loop. From service.begin, or when the body is there (body.h). `ctx` stays as long as
 * the exchange.
 */
void app_admit(struct app *app, struct exchange *x, app_answer *answer, void *ctx);

/*
 * For a caller that shows a grant and asks about it: counts against `part_rate` of its address, and
 * checks nothing else. False: it was answered.
 */
bool app_admit_holder(struct app *app, struct exchange *x);

/*
 * Runs `answer`, unless the caller's subject has asked too often: then the request is answered with
 * 429. For the code that has admitted the caller.
 */
bool app_answer_admitted(struct app *app, struct exchange *x, const struct caller *caller,
	app_answer *answer, void *ctx);

/* The ways of deciding that need an answer of others (app_admit() calls them). */
/* jwt */
void app_admit_token(struct app *app, struct exchange *x, app_answer *answer, void *ctx);
/* forward */
void app_admit_forward(struct app *app, struct exchange *x, app_answer *answer, void *ctx);

/*
 * Whether a request with a cookie comes from a page of ours. A browser sends a cookie with the
 * requests of any page.
 */
bool app_is_from_our_page(const struct rules *rules, const struct request_head *head);

#endif
