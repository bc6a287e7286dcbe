/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A file of properties: a line is `NAME=VALUE`, with white space around either left out; lines that
 * begin with `#`, and empty ones, are none. A value is everything behind the first `=`.
 */
#ifndef APP_TEXT_PROPERTIES_H
#define APP_TEXT_PROPERTIES_H

#include <stdbool.h>
#include <stddef.h>

#include "base/compiler.h"
#include "base/slice.h"

enum property_kind {
	PROPERTY_NONE, /* the end */
	PROPERTY,
	PROPERTY_BAD, /* a line that is none of these, or has control characters */
};

/* All-zero but for the text, which is borrowed. */
struct properties {
	struct slice rest;
	size_t line; /* of the latest property, from 1 */
	struct slice name, value;
};

/* The next one, in `name` and `value`. After PROPERTY_BAD it goes on behind the line. */
enum property_kind properties_next(struct properties *properties) MUST_USE;

#endif
