/* SPDX-License-Identifier: Apache-2.0 */
/* What the files of the ledger share. All of it is the ledger's thread's, once that runs. */
#ifndef APP_LEDGER_LEDGER_INTERNAL_H
#define APP_LEDGER_LEDGER_INTERNAL_H

#include <sqlite3.h>
#include <stdatomic.h>

#include "app/ledger/ledger.h"
#include "base/thread_queue.h"

struct ledger_grants {
	sqlite3_stmt *insert, *set_state, *look, *count_uploads, *last_upload, *expire, *delete;
	sqlite3_stmt *count_open;
	int64_t max, keep_seconds;
	int64_t open;   /* rows that have a `due` */
	int64_t now_ms; /* when the latest grant of the batch was issued; 0: there is none */
	int64_t issued; /* in the batch */
	atomic_size_t noted_bytes; /* of rows that nobody waits for; and the next, any thread's */
	atomic_uint_fast64_t unwritten;
};

/* Without events all of it is zero. */
struct ledger_outbox {
	sqlite3_stmt *count, *due, *next, *depth, *end, *head, *delete;
	int64_t max, keep_ms;
	bool with_target;
	struct slice source;
	void (*written)(void *ctx);
	void *written_ctx;
	int64_t rows;
	bool fresh; /* rows were written in the transaction */
	atomic_uint_fast64_t dropped;
};

struct ledger {
	sqlite3 *db;
	sqlite3_stmt *begin, *look, *insert, *commit, *rollback;
	struct thread_queue *queue;
	sqlite3_stmt *due, *later, *hold; /* ledger_look.c */
	struct ledger_job *batch, **batch_last;
	struct ledger_grants grants;
	struct ledger_outbox events;
};

/* Has the job's `run` and `finish` called on the ledger's thread. */
void ledger_post(struct ledger *ledger, struct ledger_job *job);

bool ledger_prepare(struct ledger *ledger, const char *sql, sqlite3_stmt **ret) MUST_USE;
/* Runs a statement that gives no rows. */
bool ledger_step(sqlite3_stmt *statement) MUST_USE;
bool ledger_bind_text(sqlite3_stmt *statement, int at, struct slice text) MUST_USE;

/* The table, for a file that has none, and the version that has it. */
extern const char ledger_grants_schema[];
/* What version 3 had not; ledger_look.c. */
extern const char ledger_look_schema[];
/* What version 4 had not, and the rest of it; ledger_events.c. */
extern const char ledger_events_schema[];
void ledger_events_release(struct ledger *ledger);
/* After a transaction that failed. */
void ledger_events_recount(struct ledger *ledger);
/* After one that is durable: tells who waits for events. */
void ledger_events_written(struct ledger *ledger);
bool ledger_look_prepare(struct ledger *ledger) MUST_USE;
void ledger_look_release(struct ledger *ledger);
bool ledger_grants_prepare(struct ledger *ledger) MUST_USE;
void ledger_grants_release(struct ledger *ledger);
/* Changes the state in the transaction that is open. False on a fault. */
bool ledger_grants_set_state(struct ledger *ledger, struct slice id, enum grant_state state,
	const char *reason, int64_t now_ms) MUST_USE;
/* At the end of a transaction: what is due. */
bool ledger_grants_sweep(struct ledger *ledger) MUST_USE;
/* After a transaction that failed. */
void ledger_grants_recount(struct ledger *ledger);

#endif
