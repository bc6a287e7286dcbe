/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The callback history: the newest LIMIT_CALLBACK_HISTORY_ENTRIES callbacks that were sent
 * (docs/callbacks.md), across restarts: in a SQLite table, or in a log that all gateways of a store
 * write and read. A thread of its own reads and writes it, so no caller waits for the disk, and its
 * faults never fail an upload: a record that cannot be written is lost, and the process's log says
 * so.
 */
#ifndef CALLBACK_HISTORY_H
#define CALLBACK_HISTORY_H

#include "base/err.h"
#include "base/task.h"
#include "callback/record.h"

struct callback_history;
struct shared_log; /* documents/shared_log.h */

/*
 * Opens the file at `path`, making it (mode 0600) if it is missing, and starts the thread; without
 * a path (NULL) the log is in memory, and gone when it is closed. Blocks.
 * Logs why it fails: ERR_INTERNAL, ERR_UNAVAILABLE.
 */
enum err callback_history_open(const char *path, struct callback_history **ret) MUST_USE;
/*
 * The same in a log that outlives it: what is asked for is what all gateways have sent.
 * ERR_UNAVAILABLE.
 */
enum err callback_history_share(struct shared_log *log, struct callback_history **ret) MUST_USE;

/*
 * Adds a record, takes ownership of it, and returns its id. Later queries of the same thread find
 * it, unless it could not be written or LIMIT_CALLBACK_HISTORY_QUEUE records were waiting. From any
 * thread, never blocks.
 */
int64_t callback_history_add(struct callback_history *log, struct callback_record *record);

struct callback_history_query {
	/* ---- Set by the caller, who zeroes the rest; stays in place until `done` runs. ---- */
	int64_t before; /* only ids below this one; 0: the newest */
	size_t limit;
	struct executor *home;
	struct task done; /* done.run set by the caller; posted to `home` exactly once */

	/* ---- The result, valid when `done` runs. ---- */
	enum err err;                    /* ERR_OK, or ERR_UNAVAILABLE: the file cannot be read */
	struct callback_record *records; /* newest first; the caller frees them */
	bool more;                       /* there are older ones */

	/* ---- The log's own. ---- */
	struct callback_history *log_;
	struct task start_;
};

/* From any thread, never blocks. */
void callback_history_ask(struct callback_history *log, struct callback_history_query *query);
/* Frees the records. */
void callback_history_query_release(struct callback_history_query *query);

/* Finishes what was begun, then closes. Nobody may use it any more. NULL is allowed. */
void callback_history_close(struct callback_history *log);

#endif
