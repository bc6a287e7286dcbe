/* SPDX-License-Identifier: Apache-2.0 */
#include "base/log.h"

#include <stdarg.h>
#include <stdio.h>
#include <time.h>
#include <unistd.h>

enum {
	LOG_LINE = 2048
};

static enum log_level threshold = LOG_INFO;

void log_set_level(enum log_level level)
{
	threshold = level;
}

bool log_enabled(enum log_level level)
{
	return level <= threshold;
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
	/* One write, so that lines of several threads do not mix; a lost line is not an error. */
	ssize_t written = write(STDERR_FILENO, line, len);
	(void)written;
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
