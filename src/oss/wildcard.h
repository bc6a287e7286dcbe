/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The wildcards of RAM's policies: `*` stands for any text, also none and also one with slashes,
 * `?` for one character (of UTF-8). Everything else stands for itself.
 */
#ifndef OSS_WILDCARD_H
#define OSS_WILDCARD_H

#include <stdbool.h>

#include "base/slice.h"

/*
 * Whether the pattern describes the whole text. Needs no memory; takes at most the product of the
 * two lengths, and usually their sum.
 */
bool wildcard_match(struct slice pattern, struct slice text);

#endif
