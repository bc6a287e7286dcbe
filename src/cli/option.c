/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/option.h"

#include <ctype.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "app/app.h"
#include "base/limits.h"
#include "base/log.h"
#include "crypto/secret.h"

#define STRING_OF(x) STRING_OF_(x)
#define STRING_OF_(x) #x

/* clang-format off */
#define ROW(section, name, moment, ...) \
	{#section, #name, .when = OPTION_##moment, .offset = offsetof(struct config, section##_##name), __VA_ARGS__},
/* clang-format on */
const struct option option_table[] = {
#define TEXT(section, name, when, text, about) \
	ROW(section, name, when, .kind = OPTION_TEXT, .fallback = text, .help = about)
#define SECRET(section, name, when, about) \
	ROW(section, name, when, .kind = OPTION_SECRET, .fallback = "", .help = about)
#define PATH(section, name, when, about) \
	ROW(section, name, when, .kind = OPTION_PATH, .fallback = "", .help = about)
#define WORD(section, name, when, value, list, about) \
	ROW(section, name, when, .kind = OPTION_WORD, .min = value, .words = list, .help = about)
#define NUMBER(section, name, when, number, least, most, about)                        \
	ROW(section, name, when, .kind = OPTION_NUMBER, .fallback = STRING_OF(number), \
		.min = least, .max = (int64_t)(most), .help = about)
#define EITHER(section, name, when, number, other, about)                              \
	ROW(section, name, when, .kind = OPTION_EITHER, .fallback = STRING_OF(number), \
		.min = number, .max = other, .help = about)
#define FLAG(section, name, when, flag, about) \
	ROW(section, name, when, .kind = OPTION_FLAG, .fallback = #flag, .help = about)
#define SHORT(section, name)
#include "cli/options.def"
};
const size_t option_count = ARRAY_LEN(option_table);

static const struct {
	const char *section, *name;
} short_flags[] = {
#define TEXT(section, name, when, fallback, help)
#define SECRET(section, name, when, help)
#define PATH(section, name, when, help)
#define WORD(section, name, when, fallback, words, help)
#define NUMBER(section, name, when, fallback, min, max, help)
#define EITHER(section, name, when, fallback, other, help)
#define FLAG(section, name, when, fallback, help)
#define SHORT(section, name) {#section, #name},
#include "cli/options.def"
};

/* ---- Finding one ------------------------------------------------------------------------------
 */

bool option_has_section(struct slice section)
{
	for (size_t i = 0; i < option_count; i++)
		if (slice_eq(section, slice_str(option_table[i].section)))
			return true;
	return false;
}

const struct option *option_find(struct slice section, struct slice name)
{
	for (size_t i = 0; i < option_count; i++)
		if (slice_eq(section, slice_str(option_table[i].section)) &&
			slice_eq(name, slice_str(option_table[i].name)))
			return &option_table[i];
	return NULL;
}

const struct option *option_of_flag(struct slice flag)
{
	for (size_t i = 0; i < ARRAY_LEN(short_flags); i++)
		if (slice_eq(flag, slice_str(short_flags[i].name)))
			return option_find(slice_str(short_flags[i].section), flag);
	for (size_t i = 0; i < option_count; i++) {
		SCOPED_STRBUF(name, 128);
		strbuf_addf(&name, "%s-%s", option_table[i].section, option_table[i].name);
		for (size_t c = 0; c < name.len; c++)
			if (name.ptr[c] == '_')
				name.ptr[c] = '-';
		if (slice_eq(flag, strbuf_slice(&name)))
			return &option_table[i];
	}
	return NULL;
}

const char *option_short(const struct option *o)
{
	for (size_t i = 0; i < ARRAY_LEN(short_flags); i++)
		if (strcmp(short_flags[i].section, o->section) == 0 &&
			strcmp(short_flags[i].name, o->name) == 0)
			return short_flags[i].name;
	return NULL;
}

/* ---- Setting one ------------------------------------------------------------------------------
 */

char **option_text(struct config *config, const struct option *o)
{
	return (char **)(void *)((char *)config + o->offset);
}

static bool set_text(struct config *config, const struct option *o, const char *value)
{
	char *copy = strdup(value);
	if (!copy)
		return false;
	char **at = option_text(config, o);
	if (*at && o->kind == OPTION_SECRET)
		secret_wipe(*at, strlen(*at));
	free(*at);
	*at = copy;
	return true;
}

struct slice option_word(const struct option *o, int value)
{
	struct slice rest = slice_str(o->words), word = {NULL, 0};
	for (int i = 0; i <= value; i++)
		(void)slice_next_word(&rest, &word);
	return word;
}

static bool set_word(struct config *config, const struct option *o, const char *value)
{
	struct slice rest = slice_str(o->words), word;
	for (int i = 0; slice_next_word(&rest, &word); i++) {
		if (!slice_eq(word, slice_str(value)))
			continue;
		memcpy((char *)config + o->offset, &i, sizeof(i));
		return true;
	}
	return false;
}

/* "auto, on nor off" */
static void list_words(const struct option *o, struct strbuf *out)
{
	struct slice rest = slice_str(o->words), word;
	for (int i = 0; slice_next_word(&rest, &word); i++) {
		strbuf_adds(out, i == 0 ? "" : rest.len ? ", " : " nor ");
		strbuf_add_slice(out, word);
	}
}

static bool number_allowed(const struct option *o, int64_t number)
{
	if (o->kind == OPTION_EITHER)
		return number == o->min || number == o->max;
	return number >= o->min && number <= o->max;
}

static bool set_number(struct config *config, const struct option *o, const char *value)
{
	uint64_t number;
	if (!slice_to_u64(slice_str(value), &number) || number > INT64_MAX ||
		!number_allowed(o, (int64_t)number))
		return false;
	memcpy((char *)config + o->offset, &number, sizeof(number));
	return true;
}

static bool set_flag(struct config *config, const struct option *o, const char *value)
{
	static const char *const words[][2] = {
		{"true", "false"}, {"yes", "no"}, {"on", "off"}, {"1", "0"}};
	for (size_t i = 0; i < ARRAY_LEN(words); i++) {
		for (int no = 0; no < 2; no++) {
			if (strcmp(value, words[i][no]) == 0) {
				bool flag = !no;
				memcpy((char *)config + o->offset, &flag, sizeof(flag));
				return true;
			}
		}
	}
	return false;
}

/* Whether a text is ADDRESS:PORT, if the option is one of those. The console may be left out. */
static bool text_allowed(const struct option *o, const char *value)
{
	const char *colon = strrchr(value, ':');
	uint64_t port;
	if (strcmp(o->name, "listen") != 0)
		return true;
	if (strcmp(o->section, "console") == 0 && strcmp(value, "none") == 0)
		return true;
	return colon && slice_to_u64(slice_str(colon + 1), &port) && port <= UINT16_MAX;
}

bool option_set(
	struct config *config, const struct option *o, const char *value, struct strbuf *why)
{
	switch (o->kind) {
	case OPTION_TEXT:
		if (!text_allowed(o, value)) {
			strbuf_addf(why,
				"`%.80s` is not ADDRESS:PORT with a port from 0 to %d, such as "
				"127.0.0.1:8888",
				value, UINT16_MAX);
			return false;
		}
		if (set_text(config, o, value))
			return true;
		strbuf_adds(why, "there is no memory");
		return false;
	case OPTION_SECRET:
	case OPTION_PATH:
		if (set_text(config, o, value))
			return true;
		strbuf_adds(why, "there is no memory");
		return false;
	case OPTION_WORD:
		if (set_word(config, o, value))
			return true;
		strbuf_addf(why, "`%.80s` is neither ", value);
		list_words(o, why);
		return false;
	case OPTION_NUMBER:
		if (set_number(config, o, value))
			return true;
		strbuf_addf(why, "`%.80s` is not a number from %" PRId64 " to %" PRId64, value,
			o->min, o->max);
		return false;
	case OPTION_EITHER:
		if (set_number(config, o, value))
			return true;
		strbuf_addf(
			why, "`%.80s` is neither %" PRId64 " nor %" PRId64, value, o->min, o->max);
		return false;
	case OPTION_FLAG:
		if (set_flag(config, o, value))
			return true;
		strbuf_addf(why, "`%.80s` is neither true nor false", value);
		return false;
	}
	abort();
}

struct slice option_fallback(const struct option *o)
{
	return o->kind == OPTION_WORD ? option_word(o, (int)o->min) : slice_str(o->fallback);
}

const char *option_environment(const struct option *o, struct strbuf *name)
{
	strbuf_addf(name, "POSTERN_%s_%s", o->section, o->name);
	for (size_t c = 0; c < name->len; c++)
		name->ptr[c] = (char)toupper((unsigned char)name->ptr[c]);
	return getenv(name->ptr);
}
