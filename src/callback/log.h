/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The log of the callbacks that were sent: the last LIMIT_CALLBACK_LOG_ENTRIES, in a SQLite table
 * (docs/callbacks.md), kept over restarts. A thread of its own reads and writes it, so nobody waits
 * for the disk, and nothing that happens to it fails an upload: what cannot be written is said in
 * the log of the process, and lost.
 */
#ifndef CALLBACK_LOG_H
#define CALLBACK_LOG_H

#include "base/err.h"
#include "base/task.h"
#include "callback/record.h"

struct callback_log;

/*
 * Opens the file at `path`, making it (mode 0600) if it is missing, and starts the thread; without
 * a path (NULL) the log is in memory, and gone when it is closed. Blocks.
 * Logs why it fails: ERR_INTERNAL, ERR_UNAVAILABLE.
 */
enum err callback_log_open(const char *path, struct callback_log **ret) MUST_USE;

/*
 * Adds a record, which it takes, and returns its id. What the same thread asks afterwards finds it,
 * unless it could not be written or LIMIT_CALLBACK_LOG_QUEUE were waiting. From any thread, never
 * blocks.
 */
int64_t callback_log_add(struct callback_log *log, struct callback_record *record);

struct callback_log_query {
	/* ---- Set by the caller, who zeroes the rest; stays in place until `done` runs. ---- */
	int64_t before; /* only ids below this one; 0: the newest */
	size_t limit;
	struct executor *home;
	struct task done; /* done.run set by the caller; posted to `home` exactly once */

	/* ---- The result, valid when `done` runs. ---- */
	enum err err;                    /* ERR_OK, or ERR_UNAVAILABLE: it cannot be read */
	struct callback_record *records; /* newest first; the caller frees them */
	bool more;                       /* there are older ones */

	/* ---- The log's own. ---- */
	struct callback_log *log_;
	struct task start_;
};

/* From any thread, never blocks. */
void callback_log_ask(struct callback_log *log, struct callback_log_query *query);
/* Frees the records. */
void callback_log_query_release(struct callback_log_query *query);

/* Finishes what was begun, then closes. Nobody may use it any more. NULL is allowed. */
void callback_log_close(struct callback_log *log);

#endif
