/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The ledger: an append-only table of the uploads that were confirmed by a callback, and one of the
 * grants and what became of them (docs/ledger.md has the schema), in a file of SQLite or in
 * PostgreSQL. A thread of its own inserts; what comes together shares one transaction, which is
 * durable before anybody is told. The pair (grant id, request id) is unique: that is how a callback
 * that is sent a second time is noticed.
 *
 * Several copies of the server may share a ledger in PostgreSQL. One of them leads: it alone is
 * told of grants to look at and of events to deliver. While the database cannot be reached,
 * everything that is asked fails, and the ledger connects again by itself.
 */
#ifndef APP_LEDGER_LEDGER_H
#define APP_LEDGER_LEDGER_H

#include <stdbool.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/err.h"
#include "base/slice.h"
#include "base/task.h"

struct ledger;

enum ledger_result {
	LEDGER_RECORDED,
	/* Nothing changed: */
	LEDGER_REPEATED,  /* the pair (ticket id, request id) is recorded already */
	LEDGER_KNOWN,     /* this state of the object is recorded under the ticket already */
	LEDGER_EXHAUSTED, /* the ticket's uploads or bytes are used up */
	LEDGER_LATE,      /* `deadline_ms` has passed */
	LEDGER_FAILED,    /* a fault, which was logged */
};

/* Something for the ledger's thread to do; the module's own. */
struct ledger_job {
	struct ledger *ledger;
	struct ledger_job *next;
	struct task task;
	/* In a transaction; again in another one, if that fails. */
	void (*run)(struct ledger *ledger, struct ledger_job *job);
	/* After the transaction, which is durable if `synced`. */
	void (*finish)(struct ledger_job *job, bool synced);
};

struct ledger_entry {
	/* ---- Set by the caller, borrowed until `done` runs. ---- */
	int64_t received_ms; /* wall clock */
	struct slice grant_id;
	struct slice request_id;
	struct slice bucket;
	struct slice object;
	struct slice etag;
	struct slice mime_type;
	int64_t size;  /* -1 if unknown, as for the next two */
	int64_t width; /* pixels */
	int64_t height;
	struct slice client_ip;
	struct slice body;  /* of the callback, as it came */
	struct slice trace; /* its traceparent, for the event; may be empty */
	/* 64 hexadecimal digits, as the uploader has claimed; empty: not to be remembered. It is
	 * only of what is confirmed and not found, and whose grant is a subject's. */
	struct slice sha256;
	/* Confirmed: etag, mime_type, size and the following are from the store's answer. */
	bool confirmed;
	bool found;            /* no callback told of it: the store was asked */
	int64_t last_modified; /* Unix seconds */
	struct slice version_id;
	/* A JSON object that the callback has brought; empty: that of the grant, if it is written
	 * down. */
	struct slice variables;
	/* Limits on everything recorded under the ticket; 0: none. */
	int64_t max_uploads;
	int64_t max_bytes;
	int64_t deadline_ms; /* monotonic; 0: none */
	struct executor *home;
	struct task done; /* done.run set by the caller; posted to `home` exactly once */

	/* ---- The result, valid when `done` runs. ---- */
	enum ledger_result result;

	/* ---- The ledger's own. ---- */
	struct ledger_job job_;
};

/* Where a ledger is. */
struct ledger_place {
	const char *path;     /* of a file; NULL: in memory, unless there is a URL */
	const char *url;      /* of a database of PostgreSQL; NULL: none */
	const char *password; /* for it; NULL: as the URL says */
};

/*
 * Opens a ledger and starts its thread. A file is created with mode 0600 if it is missing, and
 * tables are made. In memory it has at most LIMIT_LEDGER_MEMORY_BYTES, and is gone when it is
 * closed. `place` is copied. Blocks. ERR_INTERNAL, with the reason in the log.
 */
enum err ledger_open(const struct ledger_place *place, struct ledger **ret) MUST_USE;

/* NULL, or what is wrong with a URL: a constant text that has nothing of it. */
const char *ledger_check_url(const char *url) MUST_USE;
/* Calls `add` for each file that may be read when a connection to a URL is made; `named`: by the
 * URL or the environment. */
void ledger_files(const char *url, void (*add)(void *ctx, const char *path, bool named), void *ctx);

struct ledger_stats {
	bool shared;    /* in PostgreSQL: whether it can be had is known by itself */
	bool reachable; /* false: the database of a URL cannot be had */
	bool leads;     /* of several copies this one, the last time that it mattered */
};
/* Any thread. */
void ledger_stats(const struct ledger *ledger, struct ledger_stats *ret);

/*
 * Records an upload. From any thread, never blocks. `entry` stays in place until `done` runs. A row
 * is durable by then.
 */
void ledger_record(struct ledger *ledger, struct ledger_entry *entry);

/* ---- Grants (ledger_grants.c) -----------------------------------------------------------------
 *
 * A grant begins as issued. A callback makes it pending (it could not be decided), confirmed, or
 * rejected; no callback, expired. What is confirmed stays so; a confirmed upload makes any other
 * state confirmed.
 */

enum grant_state {
	GRANT_ISSUED,
	GRANT_PENDING,
	GRANT_CONFIRMED,
	GRANT_FOUND, /* no callback came; the object is there */
	GRANT_REJECTED,
	GRANT_EXPIRED_UNUSED,
};

/* "issued", ... as in the table. */
const char *grant_state_name(enum grant_state state);

/*
 * At most so many grants without an upload are written down (0: none), and those that came to
 * nothing are deleted `keep_seconds` later. Before the first of them.
 */
void ledger_keep_grants(struct ledger *ledger, int64_t max, int64_t keep_seconds);

#define LEDGER_SLACK_SECONDS 86400

struct ledger_grant {
	/* ---- Set by the caller, borrowed until `done` runs. ---- */
	struct slice id;
	struct slice subject; /* who asked for it; may be empty */
	struct slice dir;
	struct slice key;       /* the one key; empty: any below `dir` */
	struct slice upload;    /* the store's name of an upload in parts; empty: it is none */
	struct slice profile;   /* empty: the default one */
	struct slice variables; /* a JSON object; empty: there are none */
	int64_t issued_ms;      /* wall clock: the ledger's now, too */
	int64_t expires;        /* Unix seconds */
	/* Unix seconds: when no callback for it will be believed any more, LEDGER_SLACK_SECONDS
	 * after `expires`. */
	int64_t due;
	int64_t look_at; /* Unix seconds: when the store is asked about `key`; 0: never */
	struct executor *home;
	struct task done; /* done.run set by the caller; posted to `home` exactly once */
	void *ctx;        /* the caller's */
	bool is_needed;   /* the caller's, too: without the row there is no grant */

	/* ---- The result, valid when `done` runs. ---- */
	bool recorded; /* or else there are too many already, or there was a fault */

	/* ---- The ledger's own. ---- */
	struct ledger_job job_;
};

/* Writes down a grant. From any thread, never blocks; it is durable when `done` runs. */
void ledger_issue(struct ledger *ledger, struct ledger_grant *grant);

/*
 * The same with nobody waiting: a copy is written with all others that have come meanwhile. False,
 * and nothing is done, if LIMIT_GRANTS_WAITING_BYTES of these wait already, or without memory.
 */
bool ledger_note(struct ledger *ledger, const struct ledger_grant *grant) MUST_USE;
/* How many of those were not recorded. */
uint64_t ledger_unwritten(const struct ledger *ledger);

struct ledger_change {
	struct slice id;
	enum grant_state state;
	const char *reason; /* or NULL */
	struct slice trace; /* traceparent of the callback, for the event; may be empty */
	int64_t now_ms;
};

/*
 * Notes what became of a grant, if it is written down. All of `change` is copied. From any thread,
 * never blocks; without memory nothing is noted.
 */
void ledger_set_state(struct ledger *ledger, const struct ledger_change *change);

struct ledger_hold {
	/* ---- Set by the caller, borrowed until `done` runs. ---- */
	struct slice id;
	struct slice key;
	const char *reason;
	int64_t now_ms;
	struct executor *home;
	struct task done; /* done.run set by the caller; posted to `home` exactly once */

	/* ---- The result, valid when `done` runs. ---- */
	bool held;

	/* ---- The ledger's own. ---- */
	struct ledger_job job_;
};

/*
 * Makes a grant pending, to be looked at soon (ledger_list_due()). It is not held, and nothing
 * changes, if it is not written down, is for other keys than this one, or is recorded already. From
 * any thread, never blocks; durable when `done` runs.
 */
void ledger_hold(struct ledger *ledger, struct ledger_hold *hold);

struct ledger_question {
	/* ---- Set by the caller, borrowed until `done` runs. ---- */
	struct slice id;
	struct executor *home;
	struct task done;

	/* ---- The result, valid when `done` runs, until ledger_question_release(). ---- */
	bool failed; /* a fault, which was logged */
	bool found;  /* the grant is written down: */
	struct slice subject;
	struct slice state;
	struct slice reason; /* or empty */
	int64_t issued_ms;
	int64_t expires;
	int64_t uploads; /* recorded under it; the last of them: */
	struct slice object;
	struct slice etag;
	struct slice mime_type;
	int64_t size; /* -1: not told */
	int64_t received_ms;
	bool confirmed;

	/* ---- The ledger's own. ---- */
	struct arena arena_;
	struct ledger_job job_;
};

/* Looks up a grant. From any thread, never blocks. */
void ledger_ask(struct ledger *ledger, struct ledger_question *question);
void ledger_question_release(struct ledger_question *question);

/* ---- Hashes (ledger_hashes.c) -----------------------------------------------------------------
 */

struct ledger_search {
	/* ---- Set by the caller, borrowed until `done` runs. ---- */
	struct slice subject; /* whose uploads are searched */
	struct slice profile; /* of their grants; empty: the default one */
	struct slice bucket;
	struct slice sha256;
	int64_t size;
	struct executor *home;
	struct task done; /* posted to `home` exactly once */

	/* ---- The result, valid when `done` runs, until ledger_search_release(). ---- */
	bool failed; /* a fault, which was logged */
	bool found;  /* the latest upload of that content: */
	struct slice object;
	struct slice etag;
	struct slice mime_type;
	int64_t received_ms;

	/* ---- The ledger's own. ---- */
	struct arena arena_;
	struct ledger_job job_;
};

/* Looks for a confirmed upload by its hash. From any thread, never blocks. */
void ledger_find(struct ledger *ledger, struct ledger_search *search);
void ledger_search_release(struct ledger_search *search);

/* ---- Looking at the store (ledger_look.c) -----------------------------------------------------
 */

#define LEDGER_DUE_MAX 32
#define LEDGER_ID_MAX 24

struct ledger_due_grant {
	struct slice id;
	struct slice key;
	struct slice upload;  /* empty: it is none in parts */
	struct slice profile; /* empty: the default one */
	int64_t expires;      /* Unix seconds */
	int64_t look_at;      /* as of the grant */
	bool pending;         /* a callback told of its upload, which was not decided */
};

struct ledger_due {
	/* ---- Set by the caller. ---- */
	int64_t now; /* Unix seconds */
	/* Of the last row of the page before: those behind it. All-zero: from the first. */
	int64_t after_look_at;
	char after_id[LEDGER_ID_MAX + 1]; /* NUL-terminated */
	struct executor *home;
	struct task done; /* posted to `home` exactly once */

	/* ---- The result, valid when `done` runs, until ledger_due_release(). ---- */
	bool failed; /* a fault, which was logged */
	size_t count;
	struct ledger_due_grant rows[LEDGER_DUE_MAX];

	/* ---- The ledger's own. ---- */
	struct arena arena_;
	struct ledger_job job_;
};

/*
 * The grants that are neither recorded nor rejected and whose time to look at the store has come,
 * the oldest first; none if another copy leads. Page by page each is told of once, whatever is done
 * with it.
 */
void ledger_list_due(struct ledger *ledger, struct ledger_due *due);
void ledger_due_release(struct ledger_due *due);
/* When to look again, Unix seconds; -1: never. `id` is copied. */
void ledger_look_later(struct ledger *ledger, struct slice id, int64_t look_at);

/* ---- Events (ledger_events.c) -----------------------------------------------------------------
 *
 * The outbox: an event for each upload that is recorded and for each grant that comes to nothing,
 * written in the same transaction. Events of one key are due one after another; those of different
 * keys, in any order. `docs/events.md` has their data.
 */

struct ledger_events_options {
	int64_t max; /* rows; above it what has ended goes first, then nothing is written */
	int64_t keep_seconds; /* how long one that has ended stays */
	struct slice source;  /* whose events these are; borrowed until the ledger is closed */
	bool with_target;     /* they wait for ledger_end_event(); or else they are only kept */
	/* On the ledger's thread, after events were written; NULL: nobody is told. */
	void (*written)(void *ctx);
	void *ctx;
};

/* From now on events are written. Before anything else is asked of the ledger. ERR_INTERNAL. */
enum err ledger_keep_events(
	struct ledger *ledger, const struct ledger_events_options *options) MUST_USE;
/* Events that were not written, for want of room. */
uint64_t ledger_events_dropped(const struct ledger *ledger);

#define LEDGER_EVENTS_MAX 32

struct ledger_event {
	int64_t id;        /* increases */
	struct slice name; /* as the back end knows it */
	struct slice source;
	struct slice type; /* "upload.confirmed", ... */
	struct slice key;
	struct slice data; /* JSON */
	int64_t created_ms;
	int64_t since_ms; /* when it was written, or replayed */
	int64_t tries;    /* that failed */
};

/* What the data tells of, as it was written; empty if it does not. */
struct slice ledger_event_grant_id(const struct ledger_event *event);
struct slice ledger_event_trace(const struct ledger_event *event);

struct ledger_events {
	/* ---- Set by the caller. ---- */
	int64_t now_ms;  /* wall clock */
	bool want_due;   /* the rows */
	bool want_depth; /* the numbers */
	struct executor *home;
	struct task done; /* posted to `home` exactly once */

	/* ---- The result, valid when `done` runs, until ledger_list_events_release(). ---- */
	bool failed; /* a fault, which was logged */
	size_t count;
	struct ledger_event rows[LEDGER_EVENTS_MAX];
	int64_t next_due_ms; /* of what is not due yet; INT64_MAX: there is nothing */
	int64_t waiting, dead;
	int64_t oldest_ms; /* when the oldest that waits was written; 0: none */

	/* ---- The ledger's own. ---- */
	struct arena arena_;
	struct ledger_job job_;
};

/*
 * The events that are due, the oldest first, at most one of each key; deletes old ones. Neither if
 * another copy leads.
 */
void ledger_list_events(struct ledger *ledger, struct ledger_events *page);
void ledger_list_events_release(struct ledger_events *page);

struct ledger_event_end {
	int64_t id;
	enum {
		LEDGER_EVENT_DELIVERED,
		LEDGER_EVENT_LATER, /* it waits until `due_ms` */
		LEDGER_EVENT_DEAD,
	} how;
	bool tried;
	int64_t now_ms, due_ms;
	const char *fault; /* or NULL */
};

/*
 * Notes how a delivery ended. `end` is copied. From any thread, never blocks. Without memory
 * nothing is noted: the event is delivered again.
 */
void ledger_end_event(struct ledger *ledger, const struct ledger_event_end *end);

/* Finishes what was begun, then closes. NULL is allowed. */
void ledger_close(struct ledger *ledger);

#endif
