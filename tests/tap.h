/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Test Anything Protocol for the unit tests, one program a file:
 *
 *	int main(void) { OK(1 + 1 == 2, "sums"); return tap_done(); }
 *
 * Each check prints a line `ok N - name` or `not ok N - name`; tap_done()
 * prints the plan and returns the exit status.
 */
#ifndef TESTS_TAP_H
#define TESTS_TAP_H

#include <inttypes.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>

#include "base/slice.h"

/*
 * ThreadSanitizer makes a start of the store ten times as long, AddressSanitizer a change several
 * times: then fewer of many alike are tried.
 */
#if !defined(__has_feature)
#define __has_feature(name) 0
#endif
enum {
	UNDER_TSAN = __has_feature(thread_sanitizer),
	UNDER_ASAN = __has_feature(address_sanitizer),
};

static int tap_count_;
static int tap_failed_;

static inline bool PRINTF_LIKE(4, 5)
	tap_ok_(bool ok, const char *file, int line, const char *fmt, ...)
{
	va_list ap;
	printf("%s %d - ", ok ? "ok" : "not ok", ++tap_count_);
	va_start(ap, fmt);
	vprintf(fmt, ap);
	va_end(ap);
	printf("\n");
	if (!ok) {
		tap_failed_++;
		printf("# at %s:%d\n", file, line);
	}
	return ok;
}

static inline bool tap_slice_(
	struct slice got, struct slice want, const char *file, int line, const char *name)
{
	bool ok = tap_ok_(slice_eq(got, want), file, line, "%s", name);
	if (!ok)
		printf("# got  [%.*s]\n# want [%.*s]\n", SLICE_FMT(got), SLICE_FMT(want));
	return ok;
}

static inline bool tap_int_(int64_t got, int64_t want, const char *file, int line, const char *name)
{
	bool ok = tap_ok_(got == want, file, line, "%s", name);
	if (!ok)
		printf("# got  %" PRId64 "\n# want %" PRId64 "\n", got, want);
	return ok;
}

/* A condition; the rest is a printf format and its arguments that name the check. */
#define OK(condition, ...) tap_ok_((condition), __FILE__, __LINE__, __VA_ARGS__)
/* Two slices; two integers. */
#define IS(got, want, name) tap_slice_((got), (want), __FILE__, __LINE__, (name))
#define IS_INT(got, want, name) \
	tap_int_((int64_t)(got), (int64_t)(want), __FILE__, __LINE__, (name))

static inline int tap_done(void)
{
	printf("1..%d\n", tap_count_);
	return tap_failed_ ? 1 : 0;
}

#endif
