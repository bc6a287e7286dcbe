/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Writing JSON text, without a tree: for what is written for each request. (Rare answers are trees
 * of jansson's.) Brackets and braces are the caller's; commas come by themselves, because a value
 * that follows neither a bracket nor a brace follows another value. Any thread.
 */
#ifndef OSS_TEXT_JSON_TEXT_H
#define OSS_TEXT_JSON_TEXT_H

#include <stdbool.h>
#include <stdint.h>

#include "base/slice.h"
#include "base/strbuf.h"

/*
 * Appends `text`, which must be UTF-8, as a JSON string with its quotes, and nothing else. Quotes,
 * backslashes and control characters are escaped; nothing in the text can end the string.
 */
void json_add_string(struct strbuf *out, struct slice text);

/* The comma before the next element or member, unless it is the first. */
void json_comma(struct strbuf *out);

/* Members of an object: the comma, the name, a colon, and the value. */
void json_member(struct strbuf *out, const char *name); /* the value comes next */
void json_member_string(struct strbuf *out, const char *name, struct slice text);
void json_member_number(struct strbuf *out, const char *name, int64_t number);
void json_member_bool(struct strbuf *out, const char *name, bool value);
void json_member_null(struct strbuf *out, const char *name);

#endif
