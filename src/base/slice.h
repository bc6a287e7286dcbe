/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A slice is a borrowed sequence of bytes: a pointer and a length, passed by value. It owns nothing
 * and is not NUL-terminated. Unless a header says otherwise, a function must not keep a slice that
 * it was given. `ptr` may be NULL only if `len` is 0.
 */
#ifndef BASE_SLICE_H
#define BASE_SLICE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "base/compiler.h"

struct slice {
	const char *ptr;
	size_t len;
};

/* For printf: printf("%.*s", SLICE_FMT(s)). Only for lengths below INT_MAX. */
#define SLICE_FMT(s) (int)(s).len, (s).ptr

/* A slice of a string literal, usable as a constant initialiser. */
#define SLICE_LIT(lit)                     \
	{                                  \
		"" lit "", sizeof(lit) - 1 \
	}
/* The same as an expression. */
#define S(lit) ((struct slice)SLICE_LIT(lit))

static inline struct slice slice_of(const void *ptr, size_t len)
{
	return (struct slice){ptr, len};
}

/* The slice of a NUL-terminated string; NULL gives the empty slice. */
static inline struct slice slice_str(const char *s)
{
	return (struct slice){s, s ? strlen(s) : 0};
}

static inline bool slice_eq(struct slice a, struct slice b)
{
	return a.len == b.len && (a.len == 0 || memcmp(a.ptr, b.ptr, a.len) == 0);
}

static inline bool slice_starts(struct slice s, struct slice prefix)
{
	return s.len >= prefix.len &&
	       (prefix.len == 0 || memcmp(s.ptr, prefix.ptr, prefix.len) == 0);
}

static inline bool slice_ends(struct slice s, struct slice suffix)
{
	return s.len >= suffix.len &&
	       (suffix.len == 0 || memcmp(s.ptr + s.len - suffix.len, suffix.ptr, suffix.len) == 0);
}

/* From byte `from` to the end; `from` past the end gives the empty slice. */
static inline struct slice slice_from(struct slice s, size_t from)
{
	if (from >= s.len)
		return (struct slice){NULL, 0};
	return (struct slice){s.ptr + from, s.len - from};
}

/* The first `n` bytes, or all of it when it is shorter. */
static inline struct slice slice_head(struct slice s, size_t n)
{
	return (struct slice){s.ptr, n < s.len ? n : s.len};
}

/* ASCII only; bytes above 0x7f are left alone. */
static inline char ascii_lower(char c)
{
	return (c >= 'A' && c <= 'Z') ? (char)(c | 0x20) : c;
}

static inline bool ascii_digit(char c)
{
	return c >= '0' && c <= '9';
}

/* Equality that ignores ASCII case. */
bool slice_eq_nocase(struct slice a, struct slice b);

/* Byte-wise order as memcmp, the shorter first when one is a prefix; < 0, 0, > 0. */
int slice_cmp(struct slice a, struct slice b);

/* Without spaces and tabs at both ends (RFC 9110 OWS). */
struct slice slice_trim(struct slice s);

/* The index of the first `c`, or s.len. */
size_t slice_find(struct slice s, char c);

/* The index where `needle` first begins, or s.len. The empty needle is at 0. */
size_t slice_find_slice(struct slice s, struct slice needle);

/*
 * Splits at the first `sep`: *ret_head gets what is before it, *rest what is
 * after. Without `sep` all of it goes to *ret_head and *rest becomes empty.
 * Returns whether `sep` was there.
 */
bool slice_cut(struct slice *rest, char sep, struct slice *ret_head);

/*
 * Takes the next word of a list off the front of *rest: words are separated by commas and white
 * space. False, with *rest empty, if there is none.
 */
bool slice_next_word(struct slice *rest, struct slice *ret);

/*
 * Decimal digits only, at least one, no sign, no spaces, no more than 20. Returns false, and
 * leaves *ret alone, if it is anything else or exceeds UINT64_MAX.
 */
bool slice_to_u64(struct slice s, uint64_t *ret) MUST_USE;

/*
 * Equality in a time that depends on the lengths only, for signatures and
 * other secrets. Different lengths are unequal at once (a length is no secret).
 */
bool slice_eq_secret(struct slice a, struct slice b);

#endif
