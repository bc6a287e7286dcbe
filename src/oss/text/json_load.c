/* SPDX-License-Identifier: Apache-2.0 */
#include "oss/text/json_load.h"

#include <stdint.h>
#include <stdlib.h>

static _Thread_local bool failed;
static _Thread_local size_t room = SIZE_MAX; /* for what is being read */
static _Thread_local bool exceeded;          /* it would have needed more */

static void *allocate(size_t size)
{
	if (size > room) {
		exceeded = true;
		return NULL;
	}
	if (room != SIZE_MAX)
		room -= size;
	void *ptr = malloc(size);
	if (!ptr)
		failed = true;
	return ptr;
}

/* A function of ours: the linker may have put another in the place of the C library's. */
static void release(void *ptr)
{
	free(ptr);
}

void json_load_init(void)
{
	json_set_alloc_funcs(allocate, release);
}

json_t *json_load_text(struct slice text, size_t flags, json_error_t *error, bool *ret_no_memory)
{
	failed = false;
	json_t *value = json_loadb(text.ptr, text.len, flags, error);
	*ret_no_memory = failed;
	if (!failed)
		return value;
	json_decref(value);
	return NULL;
}

bool json_load_counted(
	struct slice text, size_t flags, struct budget_account *account, struct json_counted *ret)
{
	size_t bytes = JSON_COUNTED_FACTOR * text.len + JSON_COUNTED_MORE;
	bool no_memory = false;
	*ret = (struct json_counted){.account_ = account};
	if (!budget_take(account, bytes))
		return false;
	ret->bytes_ = bytes;
	room = bytes;
	exceeded = false;
	ret->value = json_load_text(text, flags, NULL, &no_memory);
	room = SIZE_MAX;
	/* What jansson makes of a text for which there was no room is nothing to rely on. */
	if (exceeded)
		json_decref(TAKE(ret->value));
	return !no_memory;
}

void json_counted_release(struct json_counted *counted)
{
	json_decref(TAKE(counted->value));
	budget_give(counted->account_, counted->bytes_);
	counted->bytes_ = 0;
}
