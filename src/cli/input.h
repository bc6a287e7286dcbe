/* SPDX-License-Identifier: Apache-2.0 */
/* Files that a command is given by name, with `-` for standard input. */
#ifndef CLI_INPUT_H
#define CLI_INPUT_H

#include <stdbool.h>

#include "base/strbuf.h"

/*
 * Appends the whole of `path` to `out`. False, with a message of `command` on standard error, if
 * it cannot be read or is longer than the ceiling of `out`.
 */
bool input_read(const char *command, const char *path, struct strbuf *out) MUST_USE;
/* The same; *ret_why says what is wrong with the file. */
bool input_read_whole(const char *path, struct strbuf *out, struct strbuf *ret_why) MUST_USE;
/* Takes line breaks off the end: an editor puts one behind a secret. */
void input_trim(struct strbuf *text);

#endif
