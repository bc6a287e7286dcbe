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
 * Whether the pattern describes the whole text. Needs no memory; takes about the sum of the two
 * lengths. (Their product is possible with a `?` behind a `*`; what has patterns bounds them to
 * LIMIT_RAM_POLICY_BYTES in all.)
 */
bool wildcard_match(struct slice pattern, struct slice text);

/* The same for the patterns of CORS rules: only the first `*` is one, and ASCII case does not
 * count. */
bool wildcard_match_star(struct slice pattern, struct slice text);

#endif
