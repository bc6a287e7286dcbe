/* SPDX-License-Identifier: Apache-2.0 */
#include "oss/text/json_load.h"

#include <stdlib.h>

static _Thread_local bool failed;

static void *allocate(size_t size)
{
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
