/* SPDX-License-Identifier: Apache-2.0 */
/* What the files of the form parser share. */
#ifndef HTTP_FORM_INTERNAL_H
#define HTTP_FORM_INTERNAL_H

#include "http/form.h"

/*
 * How many bytes of `text`, which is not empty, lie before the first delimiter of the form in it.
 * *ret_matched says how much of the delimiter is there: all of it, less if `text` ends inside it,
 * or 0 if there is none (the result is text.len then).
 */
size_t form_find_delimiter(const struct form *f, struct slice text, size_t *ret_matched) MUST_USE;

/*
 * Reads the headers of a part, lines that each end with CRLF and contain no other LF. FORM_PART,
 * FORM_BAD or FORM_NAME_TOO_LONG; *ret is undefined unless it is FORM_PART.
 */
enum form_result form_parse_part(struct slice headers, struct form_part *ret) MUST_USE;

#endif
