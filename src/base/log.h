/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The log: one line for each event on standard error, `time level text`. A request is logged once,
 * at its end, by the layer that answered it; low-level modules do not log. Text from outside is
 * quoted with log_quoted(). Secrets are never logged. Any thread may log; lines are written whole.
 *
 * Once log_start() was called a thread of its own writes: whoever logs only hands lines over and
 * never waits for the reader of standard error. If that reader stalls, LIMIT_LOG_BYTES are kept,
 * then lines are dropped, as are those that cannot be written; how many is said in the log as soon
 * as it is read again, and by log_dropped().
 */
#ifndef BASE_LOG_H
#define BASE_LOG_H

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"
#include "base/slice.h"
#include "base/strbuf.h"

enum log_level {
	LOG_ERROR, /* a fault that needs attention */
	LOG_INFO,  /* starts, stops, one line for each request */
	LOG_DEBUG,
};

/* Lines above `level` are dropped. Default LOG_INFO. Any thread. */
void log_set_level(enum log_level level);
bool log_enabled(enum log_level level);

enum log_format {
	LOG_TEXT,
	LOG_JSON, /* log_json.h */
};

/* How lines are written from now on. Any thread. */
void log_set_format(enum log_format wanted);

void log_error(const char *fmt, ...) PRINTF_LIKE(1, 2);
void log_info(const char *fmt, ...) PRINTF_LIKE(1, 2);
void log_debug(const char *fmt, ...) PRINTF_LIKE(1, 2);

/*
 * Begins a line (time and level) in the caller's buffer, for threads that write many lines at once.
 * The caller appends text and a newline.
 */
void log_line_begin(struct strbuf *out, enum log_level level);
/* Writes such lines; each ends with a newline. */
void log_lines(struct slice lines);

/* Starts the writing thread. After ERR_UNAVAILABLE the logging threads still write themselves. */
enum err log_start(void) MUST_USE;
/*
 * Writes what has been handed over, waiting little more than LIMIT_LOG_FLUSH_MS at most for a
 * reader that has stalled, and ends the thread. A thread whose write does not return, as to a
 * terminal that was stopped, is left alone: then the process should end. Nobody may log meanwhile.
 * Does nothing without log_start().
 */
void log_stop(void);
/* Lines that were dropped since the start. */
uint64_t log_dropped(void);

/*
 * Writes `text` into `out` (of `size` bytes, at least 8) between double quotes, with control
 * bytes, quotes, backslashes and bytes over 0x7e as \xHH, cut with `...` when too long. Returns
 * `out`.
 */
const char *log_quoted(struct slice text, char *out, size_t size);

#endif
