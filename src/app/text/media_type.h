/* SPDX-License-Identifier: Apache-2.0 */
/*
 * MIME types, as in Content-Type: of type and subtype the case does not count (RFC 9110
 * section 8.3.1). What is behind a `;` is taken as it is. Pure functions: any thread.
 */
#ifndef APP_TEXT_MEDIA_TYPE_H
#define APP_TEXT_MEDIA_TYPE_H

#include <stdbool.h>

#include "base/arena.h"
#include "base/slice.h"

bool media_type_eq(struct slice one, struct slice other) MUST_USE;

/* A copy with small letters, as browsers send them. Without memory it is {NULL, 0}. */
struct slice media_type_lower(struct arena *arena, struct slice type) MUST_USE;

#endif
