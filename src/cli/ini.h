/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A configuration file: a line is `[section]`, `name = value` (or `name: value`), a comment that
 * begins with `;` or `#`, or empty. White space around each is left out, and so is what is behind a
 * `;` that has white space before it. A line is as long as it likes. Pure functions: any thread.
 */
#ifndef CLI_INI_H
#define CLI_INI_H

#include <stdbool.h>

#include "base/compiler.h"
#include "base/slice.h"

enum ini_kind {
	INI_END,
	INI_SECTION, /* in `section` */
	INI_OPTION,  /* `name` and `value`, in `section` */
	INI_BAD,     /* none of these: `why` says so, a constant text */
};

/* All-zero but for the text, which is borrowed. */
struct ini {
	struct slice rest;
	int line; /* that was read last, from 1 */
	struct slice section, name, value;
	bool has_option; /* of this section: what is indented could go on with its value */
	const char *why;
};

/* What the next line that says something says. */
enum ini_kind ini_next(struct ini *ini) MUST_USE;

#endif
