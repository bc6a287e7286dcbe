/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The characters of HTTP's grammar, one table for all of them, and tests on whole slices that read
 * eight bytes at a time.
 */
#ifndef HTTP_SYNTAX_H
#define HTTP_SYNTAX_H

#include <stdbool.h>
#include <stddef.h>

#include "base/slice.h"

enum syntax_class {
	SYNTAX_TOKEN = 1, /* tchar, RFC 9110 section 5.6.2 */
	SYNTAX_HOST = 2,  /* letters, digits, `-`, `.`, `_`, `~` */
	SYNTAX_IPV6 = 4,  /* hexadecimal digits, `:` and `.` */
};

extern const unsigned char syntax_table[256];

static inline bool syntax_is(char c, enum syntax_class class)
{
	return (syntax_table[(unsigned char)c] & class) != 0;
}

/* How many bytes at the front of `s` are tchars. */
size_t syntax_token_len(struct slice s);

/* Whether `s` is a token: at least one tchar and nothing else. */
bool syntax_is_token(struct slice s);

/* Whether there is a byte below 0x20 but HTAB, or 0x7f. */
bool syntax_has_control(struct slice s);

/* Whether there is a byte below 0x21, or 0x7f. */
bool syntax_has_space_or_control(struct slice s);

#endif
