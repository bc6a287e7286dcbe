/* SPDX-License-Identifier: Apache-2.0 */
/* The SHA-256 of a content, as clients say it. A pure function: any thread. */
#ifndef APP_TEXT_CONTENT_HASH_H
#define APP_TEXT_CONTENT_HASH_H

#include <stdbool.h>

#include "base/compiler.h"
#include "base/slice.h"

/* Whether it is 64 hexadecimal digits, with small letters: there is one text for each. */
bool content_hash_is_valid(struct slice text) MUST_USE;

#endif
