/* SPDX-License-Identifier: Apache-2.0 */
#include "base/log.h"

#include <errno.h>
#include <limits.h>
#include <poll.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/limits.h"
#include "base/log_json.h"

enum {
	LOG_LINE = 2048,
	JSON_BYTES_MAX = 8 * LIMIT_LOG_BYTES, /* of control characters alone it would be more */
};

static _Atomic(enum log_level) threshold = LOG_INFO;
static _Atomic(enum log_format) format = LOG_TEXT;

/* What is handed over to the thread that writes. */
static struct {
	pthread_mutex_t lock; /* all below but `thread` */
	pthread_cond_t filled;
	pthread_cond_t ended; /* the thread has */
	struct strbuf lines;
	uint64_t dropped;
	uint64_t dropped_said; /* of those, how many the log tells of */
	bool running;
	bool stopping;
	bool has_ended;
	int64_t give_up_ms; /* monotonic: when not to wait any more for a reader, if stopping */
	pthread_t thread;
} handed = {.lock = PTHREAD_MUTEX_INITIALIZER,
	.filled = PTHREAD_COND_INITIALIZER,
	.ended = PTHREAD_COND_INITIALIZER,
	.lines = STRBUF_INIT(LIMIT_LOG_BYTES)};

void log_set_level(enum log_level level)
{
	atomic_store(&threshold, level);
}

void log_set_format(enum log_format wanted)
{
	atomic_store(&format, wanted);
}

bool log_enabled(enum log_level level)
{
	return level <= atomic_load(&threshold);
}

/* `time level `; returns its length. `size` is enough for it. */
static size_t line_begin(char *line, size_t size, enum log_level level)
{
	static const char *const names[] = {"error", "info", "debug"};
	struct timespec now;
	struct tm tm;
	(void)clock_gettime(CLOCK_REALTIME, &now);
	(void)gmtime_r(&now.tv_sec, &tm);
	size_t len = strftime(line, size, "%Y-%m-%dT%H:%M:%S", &tm);
	return len + (size_t)snprintf(line + len, size - len, ".%03ldZ %s ", now.tv_nsec / 1000000,
			     names[level]);
}

void log_line_begin(struct strbuf *out, enum log_level level)
{
	char line[64];
	strbuf_add(out, line, line_begin(line, sizeof(line), level));
}

static void PRINTF_LIKE(2, 0) write_line(enum log_level level, const char *fmt, va_list ap)
{
	if (!log_enabled(level))
		return;
	char line[LOG_LINE];
	size_t len = line_begin(line, sizeof(line), level);
	int n = vsnprintf(line + len, sizeof(line) - len - 1, fmt, ap);
	if (n < 0)
		return;
	len += (size_t)n;
	if (len > sizeof(line) - 2)
		len = sizeof(line) - 2;
	line[len++] = '\n';
	log_lines(slice_of(line, len));
}

static size_t count_lines(struct slice text)
{
	size_t count = 0;
	for (size_t i = 0; i < text.len; i++)
		count += text.ptr[i] == '\n';
	return count;
}

/* As JSON, in `json`, if that is wanted. */
static struct slice as_wanted(struct slice lines, struct strbuf *json)
{
	if (atomic_load(&format) == LOG_TEXT)
		return lines;
	strbuf_clear(json);
	log_json_add(json, lines);
	return strbuf_broken(json) ? lines : strbuf_slice(json);
}

void log_lines(struct slice lines)
{
	(void)pthread_mutex_lock(&handed.lock);
	bool running = handed.running;
	if (running) {
		char *room = NULL;
		if (lines.len <= handed.lines.max - handed.lines.len)
			room = strbuf_extend(&handed.lines, lines.len);
		if (room)
			memcpy(room, lines.ptr, lines.len);
		else
			handed.dropped += count_lines(lines);
		(void)pthread_cond_signal(&handed.filled);
	}
	(void)pthread_mutex_unlock(&handed.lock);
	if (running)
		return;
	SCOPED_STRBUF(json, JSON_BYTES_MAX);
	lines = as_wanted(lines, &json);
	/* One write, so that lines of several threads do not mix; a lost line is not an error. */
	ssize_t written = write(STDERR_FILENO, lines.ptr, lines.len);
	(void)written;
}

/* ---- The thread that writes ------------------------------------------------------------------ */

static bool is_time_to_give_up(void)
{
	(void)pthread_mutex_lock(&handed.lock);
	bool stopping = handed.stopping;
	int64_t until = handed.give_up_ms;
	(void)pthread_mutex_unlock(&handed.lock);
	return stopping && clock_monotonic_ms() >= until;
}

/* Whether standard error takes PIPE_BUF bytes without waiting; not if it is time to give up. */
static bool wait_for_reader(void)
{
	struct pollfd fd = {.fd = STDERR_FILENO, .events = POLLOUT};
	while (poll(&fd, 1, 100) == 0)
		if (is_time_to_give_up())
			return false;
	return true;
}

enum outcome {
	WRITTEN,
	FAILED,   /* a later batch tries again: a full disk may have room by then */
	GIVEN_UP, /* the log is stopping, and its reader has stalled */
};

/* *text becomes what is left. */
static enum outcome write_all(struct slice *text)
{
	while (text->len) {
		if (!wait_for_reader())
			return GIVEN_UP;
		size_t len = text->len < PIPE_BUF ? text->len : PIPE_BUF;
		ssize_t written = write(STDERR_FILENO, text->ptr, len);
		if (written < 0 && (errno == EAGAIN || errno == EINTR) && !is_time_to_give_up())
			continue;
		if (written <= 0)
			return FAILED;
		*text = slice_from(*text, (size_t)written);
	}
	return WRITTEN;
}

/* Counts what could not be written as dropped; how many lines that were. */
static uint64_t drop(struct slice text)
{
	uint64_t lines = count_lines(text);
	(void)pthread_mutex_lock(&handed.lock);
	handed.dropped += lines;
	handed.dropped_said += lines; /* by the thread, which has the number */
	(void)pthread_mutex_unlock(&handed.lock);
	return lines;
}

static enum outcome say_dropped(uint64_t count)
{
	char line[128];
	size_t len = line_begin(line, sizeof(line), LOG_ERROR);
	len += (size_t)snprintf(line + len, sizeof(line) - len,
		"the log was not read in time: %llu lines were dropped\n",
		(unsigned long long)count);
	SCOPED_STRBUF(json, KIB(1));
	struct slice rest = as_wanted(slice_of(line, len), &json);
	return write_all(&rest);
}

/* Waits for lines, and takes them. False when there are none and the log is stopping. */
static bool take_lines(struct strbuf *ret, uint64_t *ret_dropped)
{
	(void)pthread_mutex_lock(&handed.lock);
	while (handed.lines.len == 0 && handed.dropped == handed.dropped_said && !handed.stopping)
		(void)pthread_cond_wait(&handed.filled, &handed.lock);
	struct strbuf taken = handed.lines;
	handed.lines = *ret;
	*ret = taken;
	*ret_dropped = handed.dropped - handed.dropped_said;
	handed.dropped_said = handed.dropped;
	(void)pthread_mutex_unlock(&handed.lock);
	return ret->len > 0 || *ret_dropped > 0;
}

static void *write_lines(void *arg)
{
	struct strbuf lines = STRBUF_INIT(LIMIT_LOG_BYTES);
	struct strbuf json = STRBUF_INIT(JSON_BYTES_MAX);
	enum outcome outcome = WRITTEN;
	uint64_t dropped;
	uint64_t unsaid = 0;
	(void)pthread_setname_np(pthread_self(), "log");
	while (outcome != GIVEN_UP && take_lines(&lines, &dropped)) {
		struct slice rest = as_wanted(strbuf_slice(&lines), &json);
		outcome = write_all(&rest);
		unsaid += dropped + drop(rest);
		if (outcome == WRITTEN && unsaid)
			outcome = say_dropped(unsaid);
		if (outcome == WRITTEN)
			unsaid = 0;
		strbuf_clear(&lines);
	}
	strbuf_release(&lines);
	strbuf_release(&json);
	(void)pthread_mutex_lock(&handed.lock);
	handed.has_ended = true;
	(void)pthread_cond_signal(&handed.ended);
	(void)pthread_mutex_unlock(&handed.lock);
	return arg;
}

enum err log_start(void)
{
	(void)pthread_mutex_lock(&handed.lock);
	handed.stopping = false;
	handed.has_ended = false;
	handed.running = pthread_create(&handed.thread, NULL, write_lines, NULL) == 0;
	bool running = handed.running;
	(void)pthread_mutex_unlock(&handed.lock);
	return running ? ERR_OK : ERR_UNAVAILABLE;
}

/* Waits for the thread's end until shortly after it should have given up. Under the lock. */
static bool wait_for_thread(void)
{
	int64_t until_ms = handed.give_up_ms + LIMIT_LOG_FLUSH_MS / 2;
	const struct timespec until = {
		.tv_sec = until_ms / 1000, .tv_nsec = until_ms % 1000 * 1000000};
	while (!handed.has_ended && clock_monotonic_ms() < until_ms)
		(void)pthread_cond_clockwait(&handed.ended, &handed.lock, CLOCK_MONOTONIC, &until);
	return handed.has_ended;
}

void log_stop(void)
{
	(void)pthread_mutex_lock(&handed.lock);
	bool running = handed.running;
	bool ended = false;
	handed.stopping = true;
	handed.running = false;
	handed.give_up_ms = clock_monotonic_ms() + LIMIT_LOG_FLUSH_MS;
	(void)pthread_cond_signal(&handed.filled);
	if (running)
		ended = wait_for_thread();
	(void)pthread_mutex_unlock(&handed.lock);
	if (!running)
		return;
	if (!ended) {
		/* It is in a write that does not return; what it works on is left to it. */
		(void)pthread_detach(handed.thread);
		return;
	}
	(void)pthread_join(handed.thread, NULL);
	(void)drop(strbuf_slice(&handed.lines));
	strbuf_release(&handed.lines);
}

uint64_t log_dropped(void)
{
	(void)pthread_mutex_lock(&handed.lock);
	uint64_t dropped = handed.dropped;
	(void)pthread_mutex_unlock(&handed.lock);
	return dropped;
}

#define DEFINE_LOG(function, level)         \
	void function(const char *fmt, ...) \
	{                                   \
		va_list ap;                 \
		va_start(ap, fmt);          \
		write_line(level, fmt, ap); \
		va_end(ap);                 \
	}

DEFINE_LOG(log_error, LOG_ERROR)
DEFINE_LOG(log_info, LOG_INFO)
DEFINE_LOG(log_debug, LOG_DEBUG)

const char *log_quoted(struct slice text, char *out, size_t size)
{
	static const char hex[] = "0123456789abcdef";
	size_t at = 0;
	out[at++] = '"';
	for (size_t i = 0; i < text.len; i++) {
		unsigned char c = (unsigned char)text.ptr[i];
		bool plain = c >= 0x20 && c < 0x7f && c != '"' && c != '\\';
		/* Always leave room for `..."` and the NUL. */
		if (at + (plain ? 1 : 4) + 5 > size) {
			memcpy(out + at, "...", 3);
			at += 3;
			break;
		}
		if (plain) {
			out[at++] = (char)c;
			continue;
		}
		out[at++] = '\\';
		out[at++] = 'x';
		out[at++] = hex[c >> 4];
		out[at++] = hex[c & 15];
	}
	out[at++] = '"';
	out[at] = '\0';
	return out;
}
