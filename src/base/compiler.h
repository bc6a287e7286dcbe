/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The few compiler extensions postern uses, each behind one name, and the
 * scoped clean-up idiom: `SCOPED_FREE char *p = NULL;` frees p when it leaves
 * scope, `TAKE(p)` hands it over and leaves NULL behind.
 */
#ifndef BASE_COMPILER_H
#define BASE_COMPILER_H

#include <stddef.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/banned.h"

#define MUST_USE __attribute__((warn_unused_result))
#define PRINTF_LIKE(fmt, first) __attribute__((format(printf, fmt, first)))
#define UNUSED __attribute__((unused))
#define NORETURN __attribute__((noreturn))
#define CLEANUP(fn) __attribute__((cleanup(fn)))
#define LIKELY(x) __builtin_expect(!!(x), 1)
#define UNLIKELY(x) __builtin_expect(!!(x), 0)

#define ARRAY_LEN(a) (sizeof(a) / sizeof((a)[0]))

/* The structure of type `type` whose member `member` is at `ptr`. */
#define CONTAINER_OF(ptr, type, member) ((type *)(void *)((char *)(ptr)-offsetof(type, member)))

/* Moves a pointer out of a variable: yields it and leaves NULL behind. */
#define TAKE(ptr)                              \
	__extension__({                        \
		__typeof__(ptr) take_ = (ptr); \
		(ptr) = NULL;                  \
		take_;                         \
	})

static inline void scoped_free_(void *p)
{
	free(*(void **)p);
}

static inline void scoped_close_(const int *fd)
{
	if (*fd >= 0)
		(void)close(*fd);
}

#define SCOPED_FREE CLEANUP(scoped_free_)
#define SCOPED_FD CLEANUP(scoped_close_)

#endif
