/* SPDX-License-Identifier: Apache-2.0 */
#include "store/local/commit/empty_lists.h"

#include <stdlib.h>

enum {
	SIZE_FIRST = 64, /* a power of two, as each size */
};

/* A hash table, at most half full. */
struct empty_lists {
	uint64_t *slots; /* 0: nothing */
	size_t size;
	size_t count;
};

void empty_lists_free(struct empty_lists *lists)
{
	if (!lists)
		return;
	free(lists->slots);
	free(lists);
}

/* Where the number is, or would be. */
static uint64_t *slot_of(const struct empty_lists *lists, uint64_t number)
{
	size_t at = (size_t)((number * UINT64_C(0x9E3779B97F4A7C15)) >> 32);
	while (lists->slots[at & (lists->size - 1)] != 0 &&
		lists->slots[at & (lists->size - 1)] != number)
		at++;
	return &lists->slots[at & (lists->size - 1)];
}

static bool grow(struct empty_lists *lists)
{
	struct empty_lists larger = {
		.size = lists->size ? lists->size * 2 : SIZE_FIRST, .count = lists->count};
	larger.slots = calloc(larger.size, sizeof(*larger.slots));
	if (!larger.slots)
		return false;
	for (size_t i = 0; i < lists->size; i++)
		if (lists->slots[i])
			*slot_of(&larger, lists->slots[i]) = lists->slots[i];
	free(lists->slots);
	*lists = larger;
	return true;
}

static bool add(struct empty_lists *lists, uint64_t number)
{
	if (2 * lists->count >= lists->size && !grow(lists))
		return false;
	uint64_t *slot = slot_of(lists, number);
	lists->count += *slot == 0;
	*slot = number;
	return true;
}

/* ---- What the index has ---------------------------------------------------------------------- */

static enum err read_kind(struct local *local, enum key_kind kind, struct empty_lists *lists)
{
	struct key prefix;
	struct slice rest;
	struct slice value;
	struct entry entry;
	enum err e = ERR_OK;
	key_kind(&prefix, kind);
	struct index_cursor *cursor = index_batch_cursor(local->batch, &prefix);
	if (!cursor)
		return ERR_UNAVAILABLE;
	for (index_cursor_seek(cursor, S(""));
		e == ERR_OK && index_cursor_at(cursor, &rest, &value); index_cursor_next(cursor))
		if (entry_parse(value, &entry) && entry.meta.place == OBJECT_PART_LIST &&
			entry.meta.object.size == 0 && !add(lists, entry.meta.file))
			e = ERR_UNAVAILABLE;
	if (e == ERR_OK)
		e = index_cursor_err(cursor);
	index_cursor_free(cursor);
	return e;
}

static enum err read_all(struct local *local)
{
	struct empty_lists *lists = calloc(1, sizeof(*lists));
	enum err e = lists && grow(lists) ? ERR_OK : ERR_UNAVAILABLE;
	if (e == ERR_OK)
		e = read_kind(local, KEY_OBJECT, lists);
	if (e == ERR_OK)
		e = read_kind(local, KEY_VERSION, lists);
	if (e == ERR_OK)
		local->empty_lists = lists;
	else
		empty_lists_free(lists);
	return e;
}

/* ---- Both ------------------------------------------------------------------------------------ */

enum err empty_lists_find(struct local *local, uint64_t number, bool *ret)
{
	enum err e = local->empty_lists ? ERR_OK : read_all(local);
	*ret = e == ERR_OK && *slot_of(local->empty_lists, number) == number;
	return e;
}

enum err empty_lists_add(struct local *local, uint64_t number)
{
	return add(local->empty_lists, number) ? ERR_OK : ERR_UNAVAILABLE;
}
