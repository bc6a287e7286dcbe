/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Requests with a short body, which is read for those who are admitted and nobody else, and waited
 * for before anything is decided by it.
 */
#ifndef APP_BODY_H
#define APP_BODY_H

#include "app/admission.h"

struct app_body {
	/*
	 * Optional: decides by who asks how long the body may be, before any of it is read. False:
	 * the request was answered.
	 */
	bool (*begin)(struct app *app, struct exchange *x, const struct caller *caller, void *ctx,
		size_t *ret_max);
	size_t max; /* without `begin` */
	/* As an app_answer. `body` is valid during the call only. */
	bool (*answer)(struct app *app, struct exchange *x, const struct caller *caller,
		struct slice body, void *ctx);
};

/*
 * Runs how->answer once if the request is admitted (app_admit()) and its body is there; if that is
 * too long the request is answered with 413. From service.begin. `how` is constant, `ctx` stays as
 * long as the exchange.
 */
void app_admit_body(struct app *app, struct exchange *x, const struct app_body *how, void *ctx);

#endif
