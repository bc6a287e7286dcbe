/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Makes grants: the ticket in the callback body, and the policy with everything that the offer
 * allows. Each grant has a ticket of its own (docs/decisions/0020-a-grant-for-each-answer.md).
 */
#ifndef APP_GRANT_H
#define APP_GRANT_H

#include "app/app_internal.h"
#include "app/ledger/ledger.h"
#include "app/offer/offer.h"
#include "oss/policy/policy_build.h"

/* In an arena. */
struct grant {
	const struct credentials *credentials; /* the caller's, for as long as it is signed */
	enum ticket_kind kind;
	struct offer offer;
	char id[TICKET_ID_LENGTH];
	int64_t now_ms;
	int64_t expires;       /* Unix seconds */
	struct slice ticket;   /* its text; empty if there is no callback that could bring it */
	struct slice callback; /* base64; empty if there is none */
	struct policy_form form;
};

/*
 * A new id, the ticket and the callback; `now_ms` is a whole second. False without memory, or if
 * `credentials` is NULL: there are none now.
 */
bool grant_begin(const struct app *app, const struct credentials *credentials,
	enum ticket_kind kind, const struct offer *offer, int64_t now_ms, int64_t expires,
	struct arena *arena, struct grant *ret) MUST_USE;

/*
 * One that was made before, with the id it had. Its time is in the id.
 */
bool grant_resume(const struct app *app, const struct credentials *credentials,
	const struct offer *offer, const char id[TICKET_ID_LENGTH], int64_t expires,
	struct arena *arena, struct grant *ret) MUST_USE;

/* And the form, by signature `version` 1 or 4. False without memory. */
bool grant_make_form(
	const struct app *app, int version, struct arena *arena, struct grant *grant) MUST_USE;

/* Appends {"url":..., "method":"POST", "fields":{...}, ...}. */
void grant_write_form(const struct app *app, const struct grant *grant, struct strbuf *json);
/* Appends `"id":...,"grant":...,`, if there is a callback, and what else is said of an offer. */
void grant_write_limits(const struct grant *grant, struct strbuf *json);

/* Fills a row of the ledger from a grant, all but `home` and `done`. It borrows from the grant. */
void grant_fill_row(const struct app *app, const struct grant *grant, struct slice subject,
	struct ledger_grant *ret);
/* Whether the row is on its way, and the answer need not wait for it. */
bool grant_note(const struct app *app, const struct grant *grant, struct slice subject) MUST_USE;
/* Whether it is one that is written down. */
bool grant_has_row(const struct app *app, const struct grant *grant);

#endif
