/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Who may ask for a grant (`[app] auth`): anybody, or who has a token, or whom a back end admits.
 * What is not admitted is answered here: 401 with WWW-Authenticate (RFC 6750), 403 for a cookie
 * from a foreign page, 503 if it cannot be decided now. A callback is none of this: its grant and
 * signature speak for it.
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

/* Whoever shows a grant may ask about it: `part_rate` of the address is all. False: it was
 * answered. */
bool app_admit_holder(struct app *app, struct exchange *x);

/*
 * Runs `answer`, unless its subject has asked too often: then it is answered with 429. For those
 * who admit.
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
bool app_is_from_our_page(const struct settings *settings, const struct request_head *head);

#endif
