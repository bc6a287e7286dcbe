/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The ledger: an append-only SQLite table of the uploads that were confirmed by a callback
 * (docs/ledger.md has the schema). A thread of its own inserts; entries that come together share
 * one transaction, which is synced before anybody is told. The pair (grant id, request id) is
 * unique: that is how a callback that is sent a second time is noticed.
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
	LEDGER_REPEATED,  /* the pair (grant id, request id) is there already */
	LEDGER_KNOWN,     /* the grant has this state of the object already */
	LEDGER_EXHAUSTED, /* the grant's uploads or bytes are used up */
	LEDGER_LATE,      /* `deadline_ms` was over */
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
	int64_t size;  /* -1 if not told, as for the next two */
	int64_t width; /* pixels */
	int64_t height;
	struct slice client_ip;
	struct slice body; /* of the callback, as it came */
	/* The store has described the object: etag, mime_type and size are its words, and these. */
	bool confirmed;
	int64_t last_modified; /* Unix seconds */
	struct slice version_id;
	/* Counted over all that is recorded under the grant; 0: no bound. */
	int64_t max_uploads;
	int64_t max_bytes;
	int64_t deadline_ms; /* monotonic; 0: none */
	struct executor *home;
	struct task done; /* done.run set by the caller; posted to `home` exactly once */

	/* ---- The result, valid when `done` runs. ---- */
	enum ledger_result result;

	/* ---- The ledger's own. ---- */
	struct ledger *ledger_;
	struct ledger_entry *next_;
	struct task insert_;
};

/*
 * Opens the file at `path`, making it (mode 0600) if it is missing, and starts the thread; without
 * a path (NULL) the ledger is in memory, at most LIMIT_LEDGER_MEMORY_BYTES, and gone when it is
 * closed. Blocks. Logs why it fails: ERR_INTERNAL.
 */
enum err ledger_open(const char *path, struct ledger **ret) MUST_USE;

/*
 * Records an upload. From any thread, never blocks. `entry` stays in place until `done` runs,
 * which means that the row survives power loss.
 */
void ledger_record(struct ledger *ledger, struct ledger_entry *entry);

/* Finishes what was begun, then closes. NULL is allowed. */
void ledger_close(struct ledger *ledger);

#endif
