/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Lines of the log as JSON: one object for each, with `time`, `level`, a member for each
 * `name=value` that the text begins with, and the rest of it as `message`. Whatever the bytes are,
 * it is JSON: what is not UTF-8 becomes U+FFFD. Pure: any thread.
 */
#ifndef BASE_LOG_JSON_H
#define BASE_LOG_JSON_H

#include "base/slice.h"
#include "base/strbuf.h"

/* Appends what the lines say; each ends with a newline. Broken like any strbuf if there is no room.
 */
void log_json_add(struct strbuf *out, struct slice lines);

#endif
