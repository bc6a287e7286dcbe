/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A growing byte string with a ceiling. `ptr` is never NULL and always has a
 * NUL behind its `len` bytes; the bytes themselves may contain NUL.
 *
 * Every strbuf is given its ceiling when it is made. An append that would pass
 * the ceiling, or that finds no memory, appends nothing and marks the strbuf
 * broken; from then on every append is ignored. So text is built as a plain
 * list of appends with one check at the end: if (strbuf_broken(&sb)) ...
 *
 * With an account (base/budget.h) its memory is counted, and an exhausted budget is the same as no
 * memory.
 *
 *	SCOPED_STRBUF(xml, 64 * 1024);
 *	strbuf_addf(&xml, "<Size>%" PRIu64 "</Size>", size);
 *	if (strbuf_broken(&xml))
 *		return ERR_INTERNAL;
 */
#ifndef BASE_STRBUF_H
#define BASE_STRBUF_H

#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>

#include "base/budget.h"
#include "base/err.h"
#include "base/slice.h"

struct strbuf {
	char *ptr;
	size_t len;
	size_t size; /* bytes allocated; 0 while ptr is the shared empty string */
	size_t max;  /* the ceiling for len */
	bool broken;
	bool starved;                   /* broken for want of memory, not by its ceiling */
	struct budget_account *account; /* of `size`; NULL: it is not counted */
};

extern char strbuf_empty[1];

#define STRBUF_INIT(ceiling)                          \
	{                                             \
		.ptr = strbuf_empty, .max = (ceiling) \
	}
#define SCOPED_STRBUF(name, ceiling) \
	CLEANUP(strbuf_release) struct strbuf name = STRBUF_INIT(ceiling)

void strbuf_init(struct strbuf *sb, size_t max);
/* The same, counted in `account`, which has to stay until the release. */
void strbuf_init_counted(struct strbuf *sb, size_t max, struct budget_account *account);
/* Frees the contents; the strbuf can be used again, with the same ceiling and account. */
void strbuf_release(struct strbuf *sb);
/* Empties it and clears the broken mark; keeps the memory. */
void strbuf_clear(struct strbuf *sb);

void strbuf_add(struct strbuf *sb, const void *bytes, size_t len);
void strbuf_adds(struct strbuf *sb, const char *text);
void strbuf_add_slice(struct strbuf *sb, struct slice s);
void strbuf_addf(struct strbuf *sb, const char *fmt, ...) PRINTF_LIKE(2, 3);
void strbuf_vaddf(struct strbuf *sb, const char *fmt, va_list ap) PRINTF_LIKE(2, 0);
void strbuf_add_u64(struct strbuf *sb, uint64_t value);

/*
 * Room for `len` more bytes at the end, already counted in sb->len, for the
 * caller to fill. NULL, and broken, if there is none.
 */
char *strbuf_extend(struct strbuf *sb, size_t len) MUST_USE;

/* Makes room for `len` bytes in all, `max` at most; broken if there is none. */
void strbuf_reserve(struct strbuf *sb, size_t len);

/* Shortens to `len` bytes; a larger `len` changes nothing. */
void strbuf_truncate(struct strbuf *sb, size_t len);

/*
 * Hands the bytes over as a heap string that the caller frees, and leaves the
 * strbuf empty. NULL if it is broken or there is no memory.
 */
char *strbuf_detach(struct strbuf *sb, size_t *ret_len) MUST_USE;

static inline bool strbuf_broken(const struct strbuf *sb)
{
	return sb->broken;
}

/* Whether it is broken for want of memory. */
static inline bool strbuf_starved(const struct strbuf *sb)
{
	return sb->starved;
}

/* ERR_OK, ERR_UNAVAILABLE without memory, `too_long` if its ceiling was too low. */
static inline enum err strbuf_err(const struct strbuf *sb, enum err too_long)
{
	return !sb->broken ? ERR_OK : sb->starved ? ERR_UNAVAILABLE : too_long;
}

/* Marks it broken so: what was to be appended could not be made. */
static inline void strbuf_starve(struct strbuf *sb)
{
	sb->broken = true;
	sb->starved = true;
}

/* Inline, because text is escaped and encoded character by character. */
static inline void strbuf_addc(struct strbuf *sb, char c)
{
	if (sb->broken || sb->len >= sb->max || sb->len + 1 >= sb->size) {
		strbuf_add(sb, &c, 1); /* grows it, or breaks it */
		return;
	}
	sb->ptr[sb->len++] = c;
	sb->ptr[sb->len] = '\0';
}

/* Valid until the next append. */
static inline struct slice strbuf_slice(const struct strbuf *sb)
{
	return slice_of(sb->ptr, sb->len);
}

#endif
