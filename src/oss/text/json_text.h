/* SPDX-License-Identifier: Apache-2.0 */
/* Writing JSON strings. Any thread. */
#ifndef OSS_TEXT_JSON_TEXT_H
#define OSS_TEXT_JSON_TEXT_H

#include "base/slice.h"
#include "base/strbuf.h"

/*
 * Appends `text`, which must be UTF-8, as a JSON string with its quotes. Quotes, backslashes and
 * control characters are escaped; nothing in the text can end the string.
 */
void json_text_add(struct strbuf *out, struct slice text);

#endif
