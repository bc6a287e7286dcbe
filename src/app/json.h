/* SPDX-License-Identifier: Apache-2.0 */
/* Writing JSON text, and recognising it. */
#ifndef APP_JSON_H
#define APP_JSON_H

#include "base/slice.h"
#include "base/strbuf.h"

/* Appends `text`, which is UTF-8, as a JSON string with its quotes. */
void json_add_string(struct strbuf *out, struct slice text);

/* Whether `text` is one JSON value of any kind. */
bool json_is_valid(struct slice text) MUST_USE;

#endif
