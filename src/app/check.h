/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The checks that `[app]` or a profile asks for before an upload is believed (docs/profiles.md).
 * The object is read from the store that the settings name, with our own key, and only while it has
 * the ETag that the store has described: what is checked is what is recorded. Threads of their own
 * wait for it.
 */
#ifndef APP_CHECK_H
#define APP_CHECK_H

#include <stdbool.h>
#include <stdint.h>

#include "app/app.h"
#include "base/compiler.h"
#include "base/err.h"
#include "base/task.h"

struct app;
struct app_confirmation;
struct checks;
struct profile;
struct rules;

enum check_verdict {
	CHECK_PASSED,
	CHECK_REFUSED,
	CHECK_UNKNOWN, /* it could not be judged */
	CHECK_LATE,    /* there was no time for it */
};

/* All-zero except for what the caller sets. */
struct check {
	/* ---- Set by the caller, borrowed until `done` runs. ---- */
	const struct rules *rules;             /* which say where clamd is */
	const struct profile *profile;         /* one of theirs */
	const struct app_confirmation *object; /* as the store has described it */
	int64_t deadline_ms;                   /* monotonic */
	struct executor *home;
	struct task done; /* done.run set by the caller; posted to `home` exactly once */

	/* ---- The result, valid when `done` runs. ---- */
	enum check_verdict verdict;
	const char *reason; /* a constant text, unless it passed */

	/* ---- The module's own. ---- */
	struct app *app_;
	struct task task_;
};

/* What of a profile's checks needs the object itself: only then is there anything to begin. */
bool check_is_needed(const struct profile *profile) MUST_USE;

/* NULL without memory. */
struct checks *checks_new(void) MUST_USE;
/*
 * Opens what the checks of the profiles need and is not open yet, before anybody has these rules.
 * By the thread that starts and stops the server. ERR_UNAVAILABLE, with the reason in the log.
 */
enum err checks_prepare(struct checks *checks, const struct rules *rules) MUST_USE;
/* From any thread, never blocks. */
void check_begin(struct app *app, struct check *check);
/* Those that run, and all later ones, end soon, as late ones. NULL is allowed. */
void checks_stop(struct checks *checks);
/* Waits until none runs, after checks_stop(). NULL is allowed. */
void checks_drain(struct checks *checks);
/* When none runs any more. NULL is allowed. */
void checks_free(struct checks *checks);
/* Adds up what was judged. False if no profile has checks, or had any. Any thread. */
bool checks_stats(const struct checks *checks, struct app_check_stats *ret);
/* One more verdict of the check of the object's description, which is the caller's. */
void checks_count_object(struct checks *checks, bool passed);

#endif
