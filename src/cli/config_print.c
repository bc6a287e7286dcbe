/* SPDX-License-Identifier: Apache-2.0 */
/* The table of options as texts: --help, docs/configuration.md, and the start of the log. */
#include <inttypes.h>
#include <stdio.h>

#include "app/settings/options.h"
#include "base/log.h"
#include "cli/config_profile.h"
#include "cli/option.h"

void config_print_short(void)
{
	for (size_t i = 0; i < option_count; i++) {
		const struct option *o = &option_table[i];
		const char *name = option_short(o);
		if (!name)
			continue;
		bool flag = o->kind == OPTION_FLAG;
		int room = 14 - (int)strlen(name);
		printf("  --%s%-*s short for --%s-%s%s\n", name, room, flag ? "" : " VALUE",
			o->section, o->name, flag ? " true" : " VALUE");
	}
}

static void print_profile_help(const char *name, const char *help)
{
	printf("  %-22s %s\n", name, help);
}

void config_print_help(void)
{
	const char *section = "";
	for (size_t i = 0; i < option_count; i++) {
		const struct option *o = &option_table[i];
		if (strcmp(section, o->section) != 0)
			printf("\n[%s]\n", section = o->section);
		printf("  %-22s %s", o->name, o->help);
		struct slice fallback = option_fallback(o);
		if (fallback.len)
			printf(" (%.*s)", SLICE_FMT(fallback));
		printf("\n");
	}
	printf("\n[profile NAME] (in the file only)\n");
	config_profile_each(print_profile_help);
}

static void print_reference_head(void)
{
	printf("# Configuration\n\n"
	       "Made from `src/cli/options.def` by `make docs`.\n\n"
	       "An option is `name` in the section of the INI file that `--config FILE` names,\n"
	       "`POSTERN_SECTION_NAME` in the environment and `--section-name VALUE` on the "
	       "command\n"
	       "line: `callback_url` in `[app]`, `POSTERN_APP_CALLBACK_URL`, `--app-callback-url`. "
	       "The\n"
	       "command line wins over the environment, and that over the file. `--data` is short "
	       "for\n"
	       "`--server-data`, and `--ephemeral` for `--server-ephemeral true`. A value out of "
	       "range ends\n"
	       "the program with status 2 and says where it stands; so does a name that is not "
	       "known, unless\n"
	       "it is in the environment.\n\n"
	       "`POSTERN_ACCESS_KEY_ID` and `POSTERN_ACCESS_KEY_SECRET` in the environment become "
	       "the store's\n"
	       "key pair if they are set on the first start. A secret on the command line can be "
	       "read by other\n"
	       "users of the machine: use a file, or the environment.\n");
}

static void print_profile_row(const char *name, const char *help)
{
	printf("| `%s` | %s |\n", name, help);
}

void config_print_reference(void)
{
	const char *section = "";
	print_reference_head();
	for (size_t i = 0; i < option_count; i++) {
		const struct option *o = &option_table[i];
		if (strcmp(section, o->section) != 0) {
			section = o->section;
			printf("\n## [%s]\n\n| name | default | meaning |\n|---|---|---|\n",
				section);
		}
		struct slice fallback = option_fallback(o);
		const char *quote = fallback.len ? "`" : "";
		printf("| `%s` | %s%.*s%s | %s", o->name, quote, SLICE_FMT(fallback), quote,
			o->help);
		if (o->kind == OPTION_NUMBER)
			printf("; %" PRId64 " to %" PRId64, o->min, o->max);
		printf(" |\n");
	}
	printf("\n## [profile NAME]\n\nSections in the file only, of which there can be several: "
	       "see\n"
	       "[profiles](profiles.md). What one does not say is as in `[app]`, or is not "
	       "limited.\n\n"
	       "| name | meaning |\n|---|---|\n");
	config_profile_each(print_profile_row);
}

void config_log(const struct config *config)
{
	for (size_t i = 0; i < option_count; i++) {
		const struct option *o = &option_table[i];
		const char *at = (const char *)config + o->offset;
		char quoted[512];
		const char *text;
		int64_t number;
		int word;
		switch (o->kind) {
		case OPTION_TEXT:
		case OPTION_PATH:
			memcpy(&text, at, sizeof(text));
			log_debug("option %s.%s=%s", o->section, o->name,
				log_quoted(slice_str(text), quoted, sizeof(quoted)));
			break;
		case OPTION_WORD:
			memcpy(&word, at, sizeof(word));
			log_debug("option %s.%s=\"%.*s\"", o->section, o->name,
				SLICE_FMT(option_word(o, word)));
			break;
		case OPTION_NUMBER:
		case OPTION_EITHER:
			memcpy(&number, at, sizeof(number));
			log_debug("option %s.%s=%" PRId64, o->section, o->name, number);
			break;
		case OPTION_FLAG:
			log_debug("option %s.%s=%s", o->section, o->name, *at ? "true" : "false");
			break;
		case OPTION_SECRET:
			break;
		}
	}
}

/* ---- After SIGHUP -----------------------------------------------------------------------------
 */

static bool is_taken(const struct option *o)
{
	static const char *const names[][2] = {{"server", "log_level"}, {"app", "access_key_id"},
		{"app", "access_key_secret"}, {"app", "access_key_secret_file"},
		{"app", "security_token_file"}, {"app", "grant_rate"}, {"app", "part_rate"}};
	for (size_t i = 0; i < ARRAY_LEN(names); i++)
		if (strcmp(o->section, names[i][0]) == 0 && strcmp(o->name, names[i][1]) == 0)
			return true;
	return false;
}

static bool is_same(const struct option *o, const struct config *a, const struct config *b)
{
	const char *one = (const char *)a + o->offset, *two = (const char *)b + o->offset;
	const char *text, *other;
	switch (o->kind) {
	case OPTION_TEXT:
	case OPTION_PATH:
	case OPTION_SECRET:
		memcpy(&text, one, sizeof(text));
		memcpy(&other, two, sizeof(other));
		return strcmp(text, other) == 0;
	case OPTION_WORD:
		return memcmp(one, two, sizeof(int)) == 0;
	case OPTION_NUMBER:
	case OPTION_EITHER:
		return memcmp(one, two, sizeof(int64_t)) == 0;
	case OPTION_FLAG:
		return *one == *two;
	}
	return true;
}

/* A text may be NULL. */
static bool is_same_profile(
	const struct app_profile_options *a, const struct app_profile_options *b)
{
	const char *const texts[][2] = {
		{a->name, b->name},
#define PROFILE(option, help) {a->option, b->option},
#include "app/settings/profile.def"
#undef PROFILE
	};
	for (size_t i = 0; i < ARRAY_LEN(texts); i++)
		if (strcmp(texts[i][0] ? texts[i][0] : "", texts[i][1] ? texts[i][1] : "") != 0)
			return false;
	return true;
}

static bool has_same_profiles(const struct config *a, const struct config *b)
{
	if (a->profile_count != b->profile_count)
		return false;
	for (size_t i = 0; i < a->profile_count; i++)
		if (!is_same_profile(&a->profiles[i], &b->profiles[i]))
			return false;
	return true;
}

void config_log_changes(const struct config *running, const struct config *fresh)
{
	SCOPED_STRBUF(names, KIB(16));
	for (size_t i = 0; i < option_count; i++)
		if (!is_taken(&option_table[i]) && !is_same(&option_table[i], running, fresh))
			strbuf_addf(&names, "%s[%s] %s", names.len > 0 ? ", " : "",
				option_table[i].section, option_table[i].name);
	if (!has_same_profiles(running, fresh))
		strbuf_addf(&names, "%s[profile ...]", names.len > 0 ? ", " : "");
	if (names.len > 0)
		log_info("restart to use what has changed: %s", names.ptr);
}
