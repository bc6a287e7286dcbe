/* SPDX-License-Identifier: Apache-2.0 */
#include "base/strbuf.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>

enum {
	FIRST_BYTES = 128 /* the first block on the heap */
};

char strbuf_empty[1] = "";

void strbuf_init(struct strbuf *sb, size_t max)
{
	*sb = (struct strbuf)STRBUF_INIT(max);
}

void strbuf_init_counted(struct strbuf *sb, size_t max, struct budget_account *account)
{
	strbuf_init(sb, max);
	sb->account = account;
}

void strbuf_release(struct strbuf *sb)
{
	if (sb->size)
		free(sb->ptr);
	if (sb->account)
		budget_give(sb->account, sb->size);
	strbuf_init_counted(sb, sb->max, sb->account);
}

void strbuf_clear(struct strbuf *sb)
{
	sb->len = 0;
	sb->broken = false;
	sb->starved = false;
	if (sb->size)
		sb->ptr[0] = '\0';
}

/* Reallocates to `size` bytes, which are more than there are. */
static bool resize(struct strbuf *sb, size_t size)
{
	size_t more = size - sb->size;
	char *ptr = NULL;
	bool counted = !sb->account || budget_take(sb->account, more);
	if (counted)
		ptr = realloc(sb->size ? sb->ptr : NULL, size);
	if (!ptr) {
		if (counted && sb->account)
			budget_give(sb->account, more);
		sb->broken = true;
		sb->starved = true;
		return false;
	}
	sb->ptr = ptr;
	sb->size = size;
	return true;
}

/* Makes room for `extra` bytes and the NUL; on failure marks the strbuf broken. */
static bool grow(struct strbuf *sb, size_t extra)
{
	if (sb->broken)
		return false;
	if (extra > sb->max || sb->len > sb->max - extra) {
		sb->broken = true;
		return false;
	}
	size_t need = sb->len + extra + 1;
	if (need <= sb->size)
		return true;
	size_t size = sb->size ? sb->size : FIRST_BYTES;
	while (size < need)
		size *= 2;
	return resize(sb, size);
}

void strbuf_reserve(struct strbuf *sb, size_t len)
{
	size_t size = (len < sb->max ? len : sb->max) + 1;
	if (sb->broken || size <= sb->size || !resize(sb, size))
		return;
	sb->ptr[sb->len] = '\0';
}

char *strbuf_extend(struct strbuf *sb, size_t len)
{
	if (!grow(sb, len))
		return NULL;
	char *room = sb->ptr + sb->len;
	sb->len += len;
	sb->ptr[sb->len] = '\0';
	return room;
}

void strbuf_add(struct strbuf *sb, const void *bytes, size_t len)
{
	if (len == 0)
		return;
	char *room = strbuf_extend(sb, len);
	if (room)
		memcpy(room, bytes, len);
}

void strbuf_adds(struct strbuf *sb, const char *text)
{
	strbuf_add(sb, text, strlen(text));
}

void strbuf_add_slice(struct strbuf *sb, struct slice s)
{
	strbuf_add(sb, s.ptr, s.len);
}

void strbuf_vaddf(struct strbuf *sb, const char *fmt, va_list ap)
{
	va_list again;
	va_copy(again, ap);
	int len = vsnprintf(NULL, 0, fmt, again);
	va_end(again);
	assert(len >= 0);
	if (!grow(sb, (size_t)len) || len == 0)
		return;
	(void)vsnprintf(sb->ptr + sb->len, (size_t)len + 1, fmt, ap);
	sb->len += (size_t)len;
}

void strbuf_addf(struct strbuf *sb, const char *fmt, ...)
{
	va_list ap;
	va_start(ap, fmt);
	strbuf_vaddf(sb, fmt, ap);
	va_end(ap);
}

void strbuf_add_u64(struct strbuf *sb, uint64_t value)
{
	char digits[20];
	size_t at = sizeof(digits);
	do {
		digits[--at] = (char)('0' + value % 10);
		value /= 10;
	} while (value);
	strbuf_add(sb, digits + at, sizeof(digits) - at);
}

void strbuf_truncate(struct strbuf *sb, size_t len)
{
	if (len >= sb->len)
		return;
	sb->len = len;
	sb->ptr[len] = '\0';
}

char *strbuf_detach(struct strbuf *sb, size_t *ret_len)
{
	if (sb->broken || !grow(sb, 0))
		return NULL;
	char *ptr = sb->ptr;
	ptr[sb->len] = '\0';
	*ret_len = sb->len;
	if (sb->account)
		budget_give(sb->account, sb->size);
	strbuf_init_counted(sb, sb->max, sb->account);
	return ptr;
}
