/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Looks into the outbox for somebody who must not wait, and has dead letters delivered again: for
 * the console. It has a thread and a connection to the ledger of its own, so it needs
 * nothing of the application server and does not hold up the ledger.
 */
#ifndef APP_EVENTS_DESK_H
#define APP_EVENTS_DESK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "app/ledger/event_file.h"
#include "base/arena.h"
#include "base/err.h"
#include "base/task.h"

struct desk;

/* The ledger is at `place`, which is copied; it need not be there before the first question. */
enum err desk_new(const struct ledger_place *place, struct desk **ret) MUST_USE;
/* Nobody may ask any more. NULL is allowed. */
void desk_free(struct desk *desk);

enum desk_job {
	DESK_LIST,        /* rows, the newest first */
	DESK_GET,         /* the row `id` */
	DESK_REPLAY,      /* has it delivered again, and gets it */
	DESK_REPLAY_DEAD, /* all dead letters */
};

/* All-zero but for what the caller sets. */
struct desk_question {
	/* ---- Set by the caller, borrowed until `done` runs. ---- */
	enum desk_job job;
	const char *state; /* of a list; NULL: any */
	int64_t before;    /* of a list: ids below this; 0: any */
	size_t limit;      /* of a list, at least 1 */
	int64_t id;
	struct executor *home;
	struct task done; /* done.run set by the caller; posted to `home` exactly once */

	/* ---- The result, valid when `done` runs, until desk_question_release(). ---- */
	enum err err;           /* ERR_OK, or ERR_UNAVAILABLE, which was logged */
	struct event_row *rows; /* of a list without their data; a list's texts */
	size_t count;           /* 0: there is no such event */
	bool more;              /* there are older ones */
	enum event_replay replay;
	uint64_t replayed; /* dead letters */

	/* ---- The desk's own. ---- */
	struct desk *desk_;
	struct task work_;
	struct arena arena_;
};

/* From any thread, never blocks. */
void desk_ask(struct desk *desk, struct desk_question *question);
/* One that was never asked, too. */
void desk_question_release(struct desk_question *question);

#endif
