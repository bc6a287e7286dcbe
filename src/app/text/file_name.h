/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The name that an uploader's file has there, made fit for an object's name. It decides nothing, so
 * what is not fit is replaced rather than refused. Pure functions: any thread.
 */
#ifndef APP_TEXT_FILE_NAME_H
#define APP_TEXT_FILE_NAME_H

#include "base/slice.h"
#include "base/strbuf.h"

/*
 * Appends what is behind the last slash or backslash of `text`, without its extension, to `name`;
 * `_` stands for control characters, `$` and what is not UTF-8. It is never empty: "file" stands
 * for nothing, `.` and `..`. The extension, with its dot and in small letters, goes to `ext`:
 * letters and digits, at most FILE_EXT_BYTES, behind the last dot; else nothing, and the dot is
 * part of the name. Together they have at most LIMIT_FILE_NAME_BYTES.
 */
void file_name_split(struct slice text, struct strbuf *name, struct strbuf *ext);

#define FILE_EXT_BYTES 16

#endif
