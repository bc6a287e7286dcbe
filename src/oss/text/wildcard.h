/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The wildcards of RAM's policies: `*` stands for any text, also none and also one with slashes,
 * `?` for one character (of UTF-8). Everything else stands for itself.
 */
#ifndef OSS_TEXT_WILDCARD_H
#define OSS_TEXT_WILDCARD_H

#include <stdbool.h>

#include "base/slice.h"

/*
 * Whether the pattern describes the whole text. Needs no memory but 70 KiB of the stack. All
 * places of the pattern are looked at in one step, 64 at a time, so no pattern takes longer than
 * the length of the text times a 64th of its own. One of more than LIMIT_RAM_POLICY_BYTES behind
 * its plain beginning describes nothing.
 */
bool wildcard_match(struct slice pattern, struct slice text);

/* The same for the patterns of CORS rules: only the first `*` is one, and ASCII case does not
 * count. */
bool wildcard_match_star(struct slice pattern, struct slice text);

#endif
