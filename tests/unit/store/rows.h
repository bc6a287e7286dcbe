/* SPDX-License-Identifier: Apache-2.0 */
/* The rows of an index, to be compared with those of one that was made anew from the log. */
#ifndef TESTS_STORE_ROWS_H
#define TESTS_STORE_ROWS_H

#include <stdio.h>
#include <stdlib.h>

#include "base/clock.h"
#include "store/local/disk/bytes.h"
#include "store/local/rebuild/rebuild.h"
#include "store/local/state/local_internal.h"
#include "unit/store/folder.h"

struct rows_text {
	char *bytes;
	size_t len;
	size_t size;
};

static inline void rows_add(struct rows_text *rows, const void *bytes, size_t len)
{
	if (rows->len + len > rows->size) {
		rows->size = (rows->len + len) * 2 + 4096;
		rows->bytes = realloc(rows->bytes, rows->size);
		if (!rows->bytes)
			abort();
	}
	if (len)
		memcpy(rows->bytes + rows->len, bytes, len);
	rows->len += len;
}

/* One line for each row: its key and value in hexadecimal. */
static inline void rows_add_line(
	struct rows_text *rows, enum key_kind kind, struct slice rest, struct slice value)
{
	char hex[4];
	char first[2] = {(char)kind, ' '};
	rows_add(rows, first, sizeof(first));
	for (size_t i = 0; i < rest.len; i++) {
		(void)snprintf(hex, sizeof(hex), "%02x", (unsigned char)rest.ptr[i]);
		rows_add(rows, hex, 2);
	}
	rows_add(rows, " ", 1);
	for (size_t i = 0; i < value.len; i++) {
		(void)snprintf(hex, sizeof(hex), "%02x", (unsigned char)value.ptr[i]);
		rows_add(rows, hex, 2);
	}
	rows_add(rows, "\n", 2);
	rows->len--;
}

/*
 * All that does not say where the log ends, or what is garbage: how much of that there is depends
 * on what the collector has done.
 */
static inline struct rows_text rows_of(struct index *index)
{
	static const enum key_kind kinds[] = {KEY_BUCKET, KEY_BUCKET_RECORD, KEY_COUNTS, KEY_ENDED,
		KEY_FILE, KEY_MOVED, KEY_NULL, KEY_OBJECT, KEY_SEGMENT, KEY_MULTIPART, KEY_VERSION,
		KEY_PART};
	struct rows_text rows = {.bytes = NULL};
	struct slice rest;
	struct slice value;
	for (size_t i = 0; i < ARRAY_LEN(kinds); i++) {
		struct key prefix;
		key_kind(&prefix, kinds[i]);
		struct index_cursor *cursor = index_cursor_new(index, NULL, &prefix);
		if (!cursor)
			abort();
		for (index_cursor_seek(cursor, S("")); index_cursor_at(cursor, &rest, &value);
			index_cursor_next(cursor)) {
			bool nothing = kinds[i] == KEY_SEGMENT && le64_get(value.ptr) == 0;
			if (!nothing)
				rows_add_line(&rows, kinds[i], rest, value);
		}
		index_cursor_free(cursor);
	}
	rows_add(&rows, "", 1);
	return rows;
}

static inline struct rows_text rows_in(const char *path)
{
	char name[2 * FOLDER_PATH_MAX];
	struct index *index;
	(void)snprintf(name, sizeof(name), "%s/index", path);
	if (index_open(name, &index) != ERR_OK)
		abort();
	struct rows_text rows = rows_of(index);
	index_close(index);
	return rows;
}

static inline bool rows_none(struct index *index, enum key_kind kind)
{
	struct key prefix;
	struct slice rest;
	struct slice value;
	key_kind(&prefix, kind);
	struct index_cursor *cursor = index_cursor_new(index, NULL, &prefix);
	if (!cursor)
		abort();
	index_cursor_seek(cursor, S(""));
	bool none = !index_cursor_at(cursor, &rest, &value);
	index_cursor_free(cursor);
	return none;
}

/* Waits until the collector has taken apart all sets of parts that nothing has. */
static inline bool rows_settle(struct store *s)
{
	struct index *index = local_of(s)->index;
	for (int64_t end = clock_monotonic_ms() + 60000; clock_monotonic_ms() < end;) {
		if (rows_none(index, KEY_DEAD_PART_LIST) && rows_none(index, KEY_TRASH))
			return true;
		(void)usleep(2000);
	}
	return false;
}

/* Says where two differ. */
static inline void rows_tell(const char *a, const char *b)
{
	while (*a && *b) {
		size_t x = strcspn(a, "\n");
		size_t y = strcspn(b, "\n");
		if (x != y || memcmp(a, b, x) != 0)
			break;
		a += x + 1;
		b += y + 1;
	}
	printf("# was %.*s\n# is  %.*s\n", (int)strcspn(a, "\n"), a, (int)strcspn(b, "\n"), b);
}

/* Makes the index of a closed store anew without the old one: whether it has the same rows. */
static inline bool rows_same_after_rebuild(const char *path)
{
	char name[2 * FOLDER_PATH_MAX];
	struct rebuild_result result;
	struct rows_text before = rows_in(path);
	(void)snprintf(name, sizeof(name), "%s/index", path);
	folder_remove(name);
	if (rebuild_index(&(struct rebuild_options){.path = path}, &result) != ERR_OK)
		return false;
	struct rows_text after = rows_in(path);
	bool same = result.lost == 0 && strcmp(before.bytes, after.bytes) == 0;
	if (!same)
		rows_tell(before.bytes, after.bytes);
	free(before.bytes);
	free(after.bytes);
	return same;
}

#endif
