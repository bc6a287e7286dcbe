/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The callback history: the newest LIMIT_CALLBACK_LOG_ENTRIES callbacks that were sent, in a SQLite
 * table (docs/callbacks.md) that survives restarts. A thread of its own reads and writes it, so no
 * caller waits for the disk, and its faults never fail an upload: a record that cannot be written
 * is lost, and the process's log says so.
 */
#ifndef CALLBACK_LOG_H
#define CALLBACK_LOG_H

#include "base/err.h"
#include "base/task.h"
#include "callback/record.h"

struct callback_log;

/*
 * Opens the file at `path`, making it (mode 0600) if it is missing, and starts the thread. Blocks.
 * Logs why it fails: ERR_INTERNAL, ERR_UNAVAILABLE.
 */
enum err callback_log_open(const char *path, struct callback_log **ret) MUST_USE;

/*
 * Adds a record, takes ownership of it, and returns its id. Later queries of the same thread find
 * it, unless it could not be written or LIMIT_CALLBACK_LOG_QUEUE records were waiting. From any
 * thread, never blocks.
 */
int64_t callback_log_add(struct callback_log *log, struct callback_record *record);

struct callback_log_query {
	/* ---- Set by the caller, who zeroes the rest; stays in place until `done` runs. ---- */
	int64_t before; /* only ids below this one; 0: the newest */
	size_t limit;
	struct executor *home;
	struct task done; /* done.run set by the caller; posted to `home` exactly once */

	/* ---- The result, valid when `done` runs. ---- */
	enum err err;                    /* ERR_OK, or ERR_UNAVAILABLE: the file cannot be read */
	struct callback_record *records; /* newest first; the caller frees them */
	bool more;                       /* there are older ones */

	/* ---- Private. ---- */
	struct callback_log *log_;
	struct task start_;
};

/* From any thread, never blocks. */
void callback_log_ask(struct callback_log *log, struct callback_log_query *query);
/* Frees the records. */
void callback_log_query_release(struct callback_log_query *query);

/* Finishes what was begun, then closes. No thread may use it any more. NULL is allowed. */
void callback_log_close(struct callback_log *log);

#endif
