/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Reading JSON when memory may run out. jansson does not always notice: it can drop a byte of a
 * text, or complain of bad JSON. So its allocations are watched while a text is read.
 */
#ifndef OSS_TEXT_JSON_LOAD_H
#define OSS_TEXT_JSON_LOAD_H

#include <jansson.h>
#include <stdbool.h>

#include "base/budget.h"
#include "base/limits.h"
#include "base/slice.h"

/* Once, before there are threads; without it a lack of memory is only noticed as jansson does. */
void json_load_init(void);
/*
 * As json_loadb(). NULL with *ret_no_memory true if there was not enough memory, whatever jansson
 * made of it. Any thread.
 */
json_t *json_load_text(struct slice text, size_t flags, json_error_t *error, bool *ret_no_memory);

/* What json_load_counted() has read. */
struct json_counted {
	json_t *value; /* NULL: it is no JSON, or refused */
	struct budget_account *account_;
	size_t bytes_;
};

/*
 * The same for a text of anybody, that can take many times its length: memory for
 * JSON_COUNTED_FACTOR times as much and JSON_COUNTED_MORE is taken from `account` until
 * json_counted_release(), and what needs more than that is refused. False: there is no memory.
 */
#define JSON_COUNTED_FACTOR 16
#define JSON_COUNTED_MORE KIB(64)
bool json_load_counted(struct slice text, size_t flags, struct budget_account *account,
	struct json_counted *ret) MUST_USE;
void json_counted_release(struct json_counted *counted);

#endif
