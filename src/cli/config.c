/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/config.h"

#include <ctype.h>
#include <errno.h>
#include <ini.h>
#include <inttypes.h>
#include <stdio.h>

#include "app/app.h"
#include "base/limits.h"
#include "base/log.h"
#include "base/slice.h"
#include "base/strbuf.h"
#include "crypto/secret.h"

enum kind {
	KIND_TEXT,
	KIND_SECRET,
	KIND_NUMBER,
	KIND_EITHER, /* `min` or `max` */
	KIND_FLAG
};

struct option {
	const char *section;
	const char *name;
	enum kind kind;
	size_t offset; /* in struct config */
	const char *fallback;
	int64_t min;
	int64_t max;
	const char *help;
};

#define STRING_OF(x) STRING_OF_(x)
#define STRING_OF_(x) #x

static const struct option options[] = {
#define AT(section, name) offsetof(struct config, section##_##name)
#define TEXT(section, name, fallback, help) \
	{#section, #name, KIND_TEXT, AT(section, name), fallback, 0, 0, help},
#define SECRET(section, name, help) \
	{#section, #name, KIND_SECRET, AT(section, name), "", 0, 0, help},
#define NUMBER(section, name, fallback, min, max, help)                             \
	{#section, #name, KIND_NUMBER, AT(section, name), STRING_OF(fallback), min, \
		(int64_t)(max), help},
#define EITHER(section, name, fallback, other, help)                                            \
	{#section, #name, KIND_EITHER, AT(section, name), STRING_OF(fallback), fallback, other, \
		help},
#define FLAG(section, name, fallback, help) \
	{#section, #name, KIND_FLAG, AT(section, name), #fallback, 0, 0, help},
#include "cli/options.def"
#undef TEXT
#undef SECRET
#undef NUMBER
#undef EITHER
#undef FLAG
};

static char **text_at(struct config *config, const struct option *o)
{
	return (char **)(void *)((char *)config + o->offset);
}

/* ---- Setting one option -----------------------------------------------------------------------
 */

static bool set_text(struct config *config, const struct option *o, const char *value)
{
	char *copy = strdup(value);
	if (!copy)
		return false;
	char **at = text_at(config, o);
	if (*at && o->kind == KIND_SECRET)
		secret_wipe(*at, strlen(*at));
	free(*at);
	*at = copy;
	return true;
}

static bool number_allowed(const struct option *o, int64_t number)
{
	if (o->kind == KIND_EITHER)
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

/* Appends what was expected instead of `value` to `why`. */
static bool set(
	struct config *config, const struct option *o, const char *value, struct strbuf *why)
{
	switch (o->kind) {
	case KIND_TEXT:
	case KIND_SECRET:
		if (set_text(config, o, value))
			break;
		strbuf_adds(why, "there is no memory");
		return false;
	case KIND_NUMBER:
		if (set_number(config, o, value))
			break;
		strbuf_addf(why, "`%s` is not a number from %" PRId64 " to %" PRId64, value, o->min,
			o->max);
		return false;
	case KIND_EITHER:
		if (set_number(config, o, value))
			break;
		strbuf_addf(why, "`%s` is neither %" PRId64 " nor %" PRId64, value, o->min, o->max);
		return false;
	case KIND_FLAG:
		if (set_flag(config, o, value))
			break;
		strbuf_addf(why, "`%s` is neither true nor false", value);
		return false;
	}
	if (o->offset == offsetof(struct config, console_listen))
		config->console_listen_given = true;
	if (o->offset == offsetof(struct config, server_data))
		config->server_data_given = true;
	return true;
}

/* ---- Sections [profile NAME] ------------------------------------------------------------------
 */

struct profile_option {
	const char *name;
	size_t offset; /* in struct app_profile_options */
	const char *help;
};

static const struct profile_option profile_options[] = {
#define PROFILE(name, help) {#name, offsetof(struct app_profile_options, name), help},
#include "app/profile.def"
#undef PROFILE
};

static const char **profile_text_at(
	struct app_profile_options *profile, const struct profile_option *o)
{
	return (const char **)(void *)((char *)profile + o->offset);
}

/* The section of that name, a new one if there is none; NULL: there are too many, or no memory. */
static struct app_profile_options *profile_of(struct config *config, const char *name)
{
	for (size_t i = 0; i < config->profile_count; i++)
		if (strcmp(config->profiles[i].name, name) == 0)
			return &config->profiles[i];
	if (!config->profiles)
		config->profiles = calloc(LIMIT_PROFILES, sizeof(*config->profiles));
	if (!config->profiles || config->profile_count == LIMIT_PROFILES)
		return NULL;
	struct app_profile_options *profile = &config->profiles[config->profile_count];
	profile->name = strdup(name);
	config->profile_count += profile->name != NULL;
	return profile->name ? profile : NULL;
}

/* Appends what is wrong to `why`. */
static bool set_profile(struct config *config, const char *section, const char *name,
	const char *value, struct strbuf *why)
{
	struct slice wanted = slice_trim(slice_from(slice_str(section), strlen("profile")));
	struct app_profile_options *profile = profile_of(config, wanted.ptr ? wanted.ptr : "");
	if (!profile) {
		strbuf_addf(why, "there are more than %d sections [profile NAME]", LIMIT_PROFILES);
		return false;
	}
	for (size_t i = 0; i < ARRAY_LEN(profile_options); i++) {
		const struct profile_option *o = &profile_options[i];
		if (strcmp(o->name, name) != 0)
			continue;
		const char **at = profile_text_at(profile, o);
		free((void *)(uintptr_t)*at);
		*at = strdup(value);
		return *at != NULL;
	}
	strbuf_adds(why, "there is no such option of a profile; `postern help` lists them");
	return false;
}

static void release_profiles(struct config *config)
{
	for (size_t i = 0; i < config->profile_count; i++) {
		struct app_profile_options *profile = &config->profiles[i];
		for (size_t o = 0; o < ARRAY_LEN(profile_options); o++)
			free((void *)(uintptr_t)*profile_text_at(profile, &profile_options[o]));
		free((void *)(uintptr_t)profile->name);
	}
	free(TAKE(config->profiles));
	config->profile_count = 0;
}

static const struct option *find(struct slice section, struct slice name)
{
	for (size_t i = 0; i < ARRAY_LEN(options); i++)
		if (slice_eq(section, slice_str(options[i].section)) &&
			slice_eq(name, slice_str(options[i].name)))
			return &options[i];
	return NULL;
}

/* ---- The three sources ------------------------------------------------------------------------
 */

struct file_context {
	struct config *config;
	struct strbuf why; /* of the first bad line */
};

static int file_line(void *ctx, const char *section, const char *name, const char *value)
{
	struct file_context *file = ctx;
	const struct option *o = find(slice_str(section), slice_str(name));
	SCOPED_STRBUF(why, 512);
	bool is_profile = slice_starts(slice_str(section), S("profile "));
	if (is_profile ? set_profile(file->config, section, name, value, &why)
		       : o && set(file->config, o, value, &why))
		return 1;
	if (file->why.len == 0) {
		strbuf_addf(&file->why, "[%s] %s: ", section, name);
		strbuf_adds(&file->why, o || is_profile
						? why.ptr
						: "there is no such option; `postern help` lists "
						  "them");
	}
	return 0;
}

static bool read_file(struct config *config, const char *path)
{
	struct file_context file = {.config = config};
	strbuf_init(&file.why, 1024);
	int line = ini_parse(path, file_line, &file);
	if (line < 0)
		fprintf(stderr, "postern: cannot read %s: %s\n", path, strerror(errno));
	else if (line > 0)
		fprintf(stderr, "postern: %s:%d: %s\n", path, line,
			file.why.len ? file.why.ptr
				     : "this is neither [section], name = value nor a comment");
	strbuf_release(&file.why);
	return line == 0;
}

static bool read_environment(struct config *config)
{
	for (size_t i = 0; i < ARRAY_LEN(options); i++) {
		SCOPED_STRBUF(name, 128);
		strbuf_addf(&name, "POSTERN_%s_%s", options[i].section, options[i].name);
		for (size_t c = 0; c < name.len; c++)
			name.ptr[c] = (char)toupper((unsigned char)name.ptr[c]);
		const char *value = getenv(name.ptr);
		SCOPED_STRBUF(why, 512);
		if (value && !set(config, &options[i], value, &why)) {
			fprintf(stderr, "postern: environment %s: %s\n", name.ptr, why.ptr);
			return false;
		}
	}
	return true;
}

/* The option behind "app-callback-url" (or "data", or "ephemeral"). */
static const struct option *find_flag(struct slice flag)
{
	if (slice_eq(flag, S("data")) || slice_eq(flag, S("ephemeral")))
		return find(S("server"), flag);
	for (size_t i = 0; i < ARRAY_LEN(options); i++) {
		SCOPED_STRBUF(name, 128);
		strbuf_addf(&name, "%s-%s", options[i].section, options[i].name);
		for (size_t c = 0; c < name.len; c++)
			if (name.ptr[c] == '_')
				name.ptr[c] = '-';
		if (slice_eq(flag, strbuf_slice(&name)))
			return &options[i];
	}
	return NULL;
}

/* `--flag value` or `--flag=value` at *at, which is moved on to the value; --ephemeral has none. */
static const char *flag_value(int argc, char **argv, int *at, struct slice *ret_flag)
{
	struct slice rest = slice_str(argv[*at] + 2);
	if (slice_eq(rest, S("ephemeral"))) {
		*ret_flag = rest;
		return "true";
	}
	if (slice_cut(&rest, '=', ret_flag))
		return ret_flag->ptr + ret_flag->len + 1;
	return *at + 1 < argc ? argv[++*at] : NULL;
}

static bool read_arguments(int argc, char **argv, struct config *config, char **ret_rest,
	int rest_max, int *ret_rest_count)
{
	for (int i = 1; i < argc; i++) {
		if (strncmp(argv[i], "--", 2) != 0) {
			if (*ret_rest_count == rest_max) {
				fprintf(stderr, "postern: `%s` is one argument too many\n",
					argv[i]);
				return false;
			}
			ret_rest[(*ret_rest_count)++] = argv[i];
			continue;
		}
		struct slice flag;
		const char *value = flag_value(argc, argv, &i, &flag);
		if (slice_eq(flag, S("config")) && value)
			continue; /* it was read before everything else */
		const struct option *o = find_flag(flag);
		SCOPED_STRBUF(why, 512);
		if (!o || !value || !set(config, o, value, &why)) {
			fprintf(stderr, "postern: --%.*s: %s\n", SLICE_FMT(flag),
				!o       ? "there is no such option; try `postern help`"
				: !value ? "a value must follow"
					 : why.ptr);
			return false;
		}
	}
	return true;
}

static const char *config_file(int argc, char **argv)
{
	for (int i = 1; i < argc; i++) {
		struct slice flag;
		if (strncmp(argv[i], "--config", 8) == 0) {
			const char *value = flag_value(argc, argv, &i, &flag);
			if (slice_eq(flag, S("config")))
				return value ? value : "";
		}
	}
	return NULL;
}

static bool wants_help(int argc, char **argv)
{
	for (int i = 1; i < argc; i++)
		if (strcmp(argv[i], "--help") == 0 || strcmp(argv[i], "-h") == 0)
			return true;
	return false;
}

enum config_result config_read(int argc, char **argv, struct config *ret, char **ret_rest,
	int rest_max, int *ret_rest_count)
{
	*ret = (struct config){.console_listen_given = false};
	*ret_rest_count = 0;
	if (wants_help(argc, argv))
		return CONFIG_HELP;
	for (size_t i = 0; i < ARRAY_LEN(options); i++) {
		SCOPED_STRBUF(why, 512);
		if (!set(ret, &options[i], options[i].fallback, &why))
			return CONFIG_BAD;
	}
	ret->console_listen_given = false;
	ret->server_data_given = false;
	const char *file = config_file(argc, argv);
	if ((file && !read_file(ret, file)) || !read_environment(ret) ||
		!read_arguments(argc, argv, ret, ret_rest, rest_max, ret_rest_count))
		return CONFIG_BAD;
	return CONFIG_OK;
}

void config_release(struct config *config)
{
	for (size_t i = 0; i < ARRAY_LEN(options); i++) {
		if (options[i].kind != KIND_TEXT && options[i].kind != KIND_SECRET)
			continue;
		char **at = text_at(config, &options[i]);
		if (*at)
			secret_wipe(*at, strlen(*at));
		free(TAKE(*at));
	}
	release_profiles(config);
}

/* ---- Showing them -----------------------------------------------------------------------------
 */

void config_print_help(void)
{
	const char *section = "";
	for (size_t i = 0; i < ARRAY_LEN(options); i++) {
		const struct option *o = &options[i];
		if (strcmp(section, o->section) != 0)
			printf("\n[%s]\n", section = o->section);
		printf("  %-22s %s", o->name, o->help);
		if (o->kind != KIND_SECRET && o->fallback[0])
			printf(" (%s)", o->fallback);
		printf("\n");
	}
	printf("\n[profile NAME] (in the file only)\n");
	for (size_t i = 0; i < ARRAY_LEN(profile_options); i++)
		printf("  %-22s %s\n", profile_options[i].name, profile_options[i].help);
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

void config_print_reference(void)
{
	const char *section = "";
	print_reference_head();
	for (size_t i = 0; i < ARRAY_LEN(options); i++) {
		const struct option *o = &options[i];
		if (strcmp(section, o->section) != 0) {
			section = o->section;
			printf("\n## [%s]\n\n| name | default | meaning |\n|---|---|---|\n",
				section);
		}
		const char *quote = o->fallback[0] ? "`" : "";
		printf("| `%s` | %s%s%s | %s", o->name, quote, o->fallback, quote, o->help);
		if (o->kind == KIND_NUMBER)
			printf("; %" PRId64 " to %" PRId64, o->min, o->max);
		printf(" |\n");
	}
	printf("\n## [profile NAME]\n\nSections in the file only, of which there can be several: "
	       "see\n"
	       "[profiles](profiles.md). What one does not say is as in `[app]`, or is not "
	       "limited.\n\n"
	       "| name | meaning |\n|---|---|\n");
	for (size_t i = 0; i < ARRAY_LEN(profile_options); i++)
		printf("| `%s` | %s |\n", profile_options[i].name, profile_options[i].help);
}

void config_log(const struct config *config)
{
	for (size_t i = 0; i < ARRAY_LEN(options); i++) {
		const struct option *o = &options[i];
		const char *at = (const char *)config + o->offset;
		char quoted[512];
		const char *text;
		int64_t number;
		switch (o->kind) {
		case KIND_TEXT:
			memcpy(&text, at, sizeof(text));
			log_debug("option %s.%s=%s", o->section, o->name,
				log_quoted(slice_str(text), quoted, sizeof(quoted)));
			break;
		case KIND_NUMBER:
		case KIND_EITHER:
			memcpy(&number, at, sizeof(number));
			log_debug("option %s.%s=%" PRId64, o->section, o->name, number);
			break;
		case KIND_FLAG:
			log_debug("option %s.%s=%s", o->section, o->name, *at ? "true" : "false");
			break;
		case KIND_SECRET:
			break;
		}
	}
}
