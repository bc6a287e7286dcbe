/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Who may ask for a grant: anybody, or who has a token (`[app] auth`). What is not admitted is
 * answered here: 401 with WWW-Authenticate (RFC 6750), 403 for a cookie from a foreign page, 503
 * if it cannot be decided now. A callback is none of this: its grant and signature speak for it.
 */
#ifndef APP_ADMISSION_H
#define APP_ADMISSION_H

#include "app/jwt.h"
#include "net/exchange.h"

struct app;

/* Who asks. Its slices live as long as the exchange. */
struct caller {
	struct slice subject;              /* empty: not known */
	struct slice values[LIMIT_CLAIMS]; /* of the claims that the settings want; or empty */
};

/*
 * Answers, or returns true if it answers later: then it has called exchange_keep(), and will call
 * exchange_release().
 */
typedef bool app_answer(struct app *app, struct exchange *x, const struct caller *caller);

/*
 * Runs `answer` once if the request is admitted, now or, when keys have to be fetched, later on the
 * exchange's loop. From service.begin; the service attaches no handler.
 */
void app_admit(struct app *app, struct exchange *x, app_answer *answer);

#endif
