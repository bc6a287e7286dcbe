/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The rows of options.def as an array, and the one way to set one of them: for the files that read
 * and show the configuration.
 */
#ifndef CLI_OPTION_H
#define CLI_OPTION_H

#include "base/slice.h"
#include "base/strbuf.h"
#include "cli/config.h"

enum option_kind {
	OPTION_TEXT,
	OPTION_SECRET,
	OPTION_PATH,
	OPTION_WORD,
	OPTION_NUMBER,
	OPTION_EITHER, /* `min` or `max` */
	OPTION_FLAG
};

enum {
	OPTION_VARIABLE_BYTES = 128
};

/* When what the configuration says of it is taken. */
enum option_when {
	OPTION_START,
	OPTION_LIVE, /* by SIGHUP, too */
};

struct option {
	const char *section;
	const char *name;
	enum option_when when;
	enum option_kind kind;
	size_t offset; /* in struct config */
	const char *fallback;
	int64_t min;
	int64_t max;
	const char *words; /* of a word, separated by spaces */
	const char *help;
};

extern const struct option option_table[];
extern const size_t option_count;

bool option_has_section(struct slice section) MUST_USE;
/* NULL: there is none. */
const struct option *option_find(struct slice section, struct slice name) MUST_USE;
/* The option behind "app-callback-url", or one that has a short name; NULL: there is none. */
const struct option *option_of_flag(struct slice flag) MUST_USE;
/* The short name of the option, or NULL. */
const char *option_short(const struct option *o) MUST_USE;

/* Sets it, or appends what was expected instead of `value` to `why`. */
bool option_set(struct config *config, const struct option *o, const char *value,
	struct strbuf *why) MUST_USE;
/*
 * What the environment says of it; NULL: nothing. Adds the name of the variable to `name`, which
 * has OPTION_VARIABLE_BYTES.
 */
const char *option_environment(const struct option *o, struct strbuf *name) MUST_USE;

static inline bool option_has_text(const struct option *o)
{
	return o->kind == OPTION_TEXT || o->kind == OPTION_SECRET || o->kind == OPTION_PATH;
}

/* Where the text of a TEXT, SECRET or PATH is. */
char **option_text(struct config *config, const struct option *o);
/* The word of a WORD with that value. */
struct slice option_word(const struct option *o, int value) MUST_USE;
/* The default as text; empty for a secret. */
struct slice option_fallback(const struct option *o) MUST_USE;

#endif
