/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Reading JSON when memory may run out. jansson does not always notice: it can drop a byte of a
 * text, or complain of bad JSON. So its allocations are watched while a text is read.
 */
#ifndef OSS_TEXT_JSON_LOAD_H
#define OSS_TEXT_JSON_LOAD_H

#include <jansson.h>
#include <stdbool.h>

#include "base/slice.h"

/* Once, before there are threads; without it a lack of memory is only noticed as jansson does. */
void json_load_init(void);
/*
 * As json_loadb(). NULL with *ret_no_memory true if there was not enough memory, whatever jansson
 * made of it. Any thread.
 */
json_t *json_load_text(struct slice text, size_t flags, json_error_t *error, bool *ret_no_memory);

#endif
