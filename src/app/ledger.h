/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The ledger: an append-only SQLite table of the uploads that were confirmed by a callback
 * (docs/ledger.md has the schema). A thread of its own inserts; entries that arrive together share
 * one transaction, which is synced before they are answered. The pair (ticket id, request id) is
 * unique, which is how a repeated callback is recognised.
 */
#ifndef APP_LEDGER_H
#define APP_LEDGER_H

#include <stdbool.h>
#include <stdint.h>

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
	struct slice body; /* of the callback, as it came */
	/* Confirmed: etag, mime_type, size and the following are from the store's answer. */
	bool confirmed;
	int64_t last_modified; /* Unix seconds */
	struct slice version_id;
	/* Limits on everything recorded under the ticket; 0: none. */
	int64_t max_uploads;
	int64_t max_bytes;
	int64_t deadline_ms; /* monotonic; 0: none */
	struct executor *home;
	struct task done; /* done.run set by the caller; posted to `home` exactly once */

	/* ---- The result, valid when `done` runs. ---- */
	enum ledger_result result;

	/* ---- Private. ---- */
	struct ledger *ledger_;
	struct ledger_entry *next_;
	struct task insert_;
};

/*
 * Opens the file at `path`, creates it with mode 0600 if it is missing, and starts the thread.
 * Blocks. ERR_INTERNAL, with the reason in the log.
 */
enum err ledger_open(const char *path, struct ledger **ret) MUST_USE;

/*
 * Records an upload. From any thread, never blocks. `entry` stays in place until `done` runs. A row
 * is durable by then.
 */
void ledger_record(struct ledger *ledger, struct ledger_entry *entry);

/* Finishes what was begun, then closes. NULL is allowed. */
void ledger_close(struct ledger *ledger);

#endif
