/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The paths that the application server answers itself, whatever the options say. Pure functions:
 * any thread.
 */
#ifndef APP_SETTINGS_OWN_PATHS_H
#define APP_SETTINGS_OWN_PATHS_H

#include <stdbool.h>

#include "base/compiler.h"
#include "base/slice.h"

enum own_path {
	OWN_PATH_NONE,
	OWN_PATH_TOKEN,      /* GET; and POST of a callback */
	OWN_PATH_SAMPLE,     /* GET */
	OWN_PATH_GRANT,      /* GET */
	OWN_PATH_GRANTS,     /* POST */
	OWN_PATH_DUPLICATES, /* GET */
	OWN_PATH_STATE,      /* GET: what became of a grant */
	OWN_PATH_PAGE,       /* GET: where there is a page at all */
};

/* What is at the path. */
enum own_path own_path_at(struct slice path);
/* Whether a POST there, if it is one of callback_url, can be a callback. */
bool own_path_takes_callback(struct slice path) MUST_USE;
/* Whether something is there, or below it. */
bool own_path_is_taken(struct slice path) MUST_USE;
/* Whether it is behind `folder` and a slash. */
bool own_path_is_below(struct slice path, struct slice folder) MUST_USE;

#endif
