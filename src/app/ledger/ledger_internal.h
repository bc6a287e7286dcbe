/* SPDX-License-Identifier: Apache-2.0 */
/* What the files of the ledger share. All of it is the ledger's thread's, once that runs. */
#ifndef APP_LEDGER_LEDGER_INTERNAL_H
#define APP_LEDGER_LEDGER_INTERNAL_H

#include <stdatomic.h>

#include "app/ledger/ledger.h"
#include "app/ledger/sql/sql.h"
#include "base/strbuf.h"
#include "base/thread_queue.h"

/* A statement and the text that it is prepared from, or NULL for all that are behind it. */
struct ledger_statement {
	struct sql_statement **at;
	const char *text;
};

struct ledger_uploads {
	struct sql_statement *look, *insert, *insert_known;
};

struct ledger_grants {
	struct sql_statement *insert, *set_state, *reject, *look, *count_uploads, *last_upload,
		*expire, *delete, *count_open;
	int64_t max, keep_seconds;
	int64_t open;   /* rows that have a `due` */
	int64_t now_ms; /* when the latest grant of the batch was issued; 0: there is none */
	int64_t issued; /* in the batch */
	atomic_size_t noted_bytes; /* of rows that nobody waits for; and the next, any thread's */
	atomic_uint_fast64_t unwritten;
};

struct ledger_hashes {
	struct sql_statement *insert, *find;
};

struct ledger_looks {
	struct sql_statement *due, *later, *hold;
};

/* Without events all of it is zero. */
struct ledger_outbox {
	struct sql_statement *insert, *count, *due, *next, *depth, *end, *head, *delete;
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
	struct sql *sql;
	struct thread_queue *queue;
	struct ledger_job *batch, **batch_last;
	struct ledger_uploads uploads;
	struct ledger_grants grants;
	struct ledger_looks looks;
	struct ledger_hashes hashes;
	struct ledger_outbox events;
	bool broken;        /* the transaction must not be committed */
	int64_t counted_ms; /* monotonic: when the rows were counted; others write, too */
	atomic_bool fails;  /* the latest transaction could not be made durable */
	atomic_bool leads;  /* when it was asked for the last time */
};

/* ---- For all (ledger.c) ---- */

/* Has the job's `run` and `finish` called on the ledger's thread. */
void ledger_post(struct ledger *ledger, struct ledger_job *job);
/* The same for one that nobody waits for: it shares the transaction of the next that comes, or of
 * all that come within LIMIT_GRANT_NOTE_MS. */
void ledger_post_later(struct ledger *ledger, struct ledger_job *job);
/* Prepares all of a table. */
bool ledger_prepare(struct ledger *ledger, const struct ledger_statement *statements) MUST_USE;
void ledger_release(const struct ledger_statement *statements);
/* Logs why the latest statement failed, unless that was done. Returns false. */
bool ledger_fault(struct ledger *ledger, const char *what);
/* In a transaction: whether this copy does what one alone should do. */
bool ledger_leads(struct ledger *ledger) MUST_USE;

/* ---- Uploads ---- */

bool ledger_uploads_prepare(struct ledger *ledger) MUST_USE;
void ledger_uploads_release(struct ledger *ledger);

/* ---- Grants ---- */

bool ledger_grants_prepare(struct ledger *ledger) MUST_USE;
void ledger_grants_release(struct ledger *ledger);
/* Changes the state in the transaction that is open. False on a fault. */
bool ledger_grants_set_state(struct ledger *ledger, const struct ledger_change *change) MUST_USE;
/* At the end of a transaction: what is due. */
bool ledger_grants_sweep(struct ledger *ledger) MUST_USE;
/* In a transaction, or after one that failed: counts the rows. */
void ledger_grants_recount(struct ledger *ledger);

/* ---- What the store is to be asked about ---- */

bool ledger_look_prepare(struct ledger *ledger) MUST_USE;
void ledger_look_release(struct ledger *ledger);

/* ---- Hashes ---- */

bool ledger_hashes_prepare(struct ledger *ledger) MUST_USE;
void ledger_hashes_release(struct ledger *ledger);
/* Remembers the hash of the upload `id` in the transaction that is open, if there is something to
 * remember. False on a fault. `subject` and `profile` are the grant's. */
bool ledger_hashes_remember(struct ledger *ledger, int64_t id, const struct ledger_entry *entry,
	struct slice subject, struct slice profile) MUST_USE;

/* ---- Events ---- */

/* A grant as its events tell of it; `key` empty: it is for no one key. */
struct ledger_event_grant {
	struct slice id, state, reason, subject, profile, dir, key, trace, variables;
	int64_t issued_ms, expires, changed_ms;
};

static inline bool ledger_events_are_kept(const struct ledger *ledger)
{
	return ledger->events.insert != NULL;
}

/* What an upload's event tells of its grant; all of it may be empty. */
struct ledger_upload_grant {
	struct slice subject, profile, variables;
};

/* Write an event in the transaction that is open, if there are events. False on a fault. */
bool ledger_events_of_upload(struct ledger *ledger, int64_t id, const struct ledger_entry *entry,
	const struct ledger_upload_grant *grant) MUST_USE;
bool ledger_events_of_grant(struct ledger *ledger, const struct ledger_event_grant *grant) MUST_USE;

void ledger_events_release(struct ledger *ledger);
/* As ledger_grants_recount(). */
void ledger_events_recount(struct ledger *ledger);
/* After a transaction that is durable: tells who waits for events. */
void ledger_events_written(struct ledger *ledger);

/* The data of an event, JSON (ledger_event_data.c). */
void ledger_event_data_of_upload(struct strbuf *out, int64_t id, const struct ledger_entry *entry,
	const struct ledger_upload_grant *grant);
void ledger_event_data_of_grant(struct strbuf *out, const struct ledger_event_grant *grant);

#endif
