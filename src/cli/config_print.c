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
	       "it is in the environment, and an option that stands twice in a section of the "
	       "file. On the\n"
	       "command line the last one counts. A value is in one line, which may be long; a "
	       "comment begins\n"
	       "with `;` or `#`, and behind a value with a space and `;`.\n\n"
	       "`POSTERN_ACCESS_KEY_ID` and `POSTERN_ACCESS_KEY_SECRET` in the environment become "
	       "the store's\n"
	       "key pair if they are set on the first start. A secret on the command line can be "
	       "read by other\n"
	       "users of the machine: use a file, or the environment.\n\n"
	       "SIGHUP has the file read again, and takes the options that are marked `yes`, and "
	       "the\n"
	       "profiles; what others say is taken by a restart, and the log names those that "
	       "have\n"
	       "changed. See [reload](operating.md#reload).\n");
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
			printf("\n## [%s]\n\n| name | default | SIGHUP | meaning "
			       "|\n|---|---|---|---|\n",
				section);
		}
		struct slice fallback = option_fallback(o);
		const char *quote = fallback.len ? "`" : "";
		printf("| `%s` | %s%.*s%s | %s | %s", o->name, quote, SLICE_FMT(fallback), quote,
			o->when == OPTION_LIVE ? "yes" : "", o->help);
		if (o->kind == OPTION_NUMBER)
			printf("; %" PRId64 " to %" PRId64, o->min, o->max);
		printf(" |\n");
	}
	printf("\n## [profile NAME]\n\nSections in the file only, of which there can be several: "
	       "see\n"
	       "[profiles](profiles.md). What one does not say is as in `[app]`, or is not "
	       "limited. SIGHUP takes\nall of it.\n\n"
	       "| name | meaning |\n|---|---|\n");
	config_profile_each(print_profile_row);
}

/* The query of a URL may have a token, and is left out; a value may have several URLs. */
static void log_text(const struct option *o, struct slice text)
{
	SCOPED_STRBUF(shown, 4 * text.len + 1);
	char quoted[512];
	bool in_url = false, in_query = false;
	for (size_t i = 0; i < text.len; i++) {
		char c = text.ptr[i];
		in_url = c != ' ' && (in_url || slice_starts(slice_from(text, i), S("://")));
		in_query = in_url && (in_query || c == '?');
		if (!in_query)
			strbuf_addc(&shown, c);
		else if (c == '?')
			strbuf_adds(&shown, "?***");
	}
	log_debug("option %s.%s=%s", o->section, o->name,
		log_quoted(strbuf_slice(&shown), quoted, sizeof(quoted)));
}

void config_log(const struct config *config)
{
	for (size_t i = 0; i < option_count; i++) {
		const struct option *o = &option_table[i];
		const char *at = (const char *)config + o->offset;
		const char *text;
		int64_t number;
		int word;
		switch (o->kind) {
		case OPTION_TEXT:
		case OPTION_PATH:
			memcpy(&text, at, sizeof(text));
			log_text(o, slice_str(text));
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
