/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/config.h"

#include <stdio.h>
#include <string.h>

#include "base/arena.h"
#include "base/limits.h"
#include "cli/config_profile.h"
#include "cli/ini.h"
#include "cli/input.h"
#include "cli/option.h"
#include "crypto/secret.h"

#define SHOWN_BYTES 80 /* of a name, when something is wrong with it */

/* ---- Setting one option -----------------------------------------------------------------------
 */

static bool set(
	struct config *config, const struct option *o, const char *value, struct strbuf *why)
{
	if (!option_set(config, o, value, why))
		return false;
	if (o->offset == offsetof(struct config, console_listen))
		config->console_listen_given = true;
	if (o->offset == offsetof(struct config, server_data))
		config->server_data_given = true;
	if (o->offset == offsetof(struct config, app_region))
		config->app_region_given = true;
	return true;
}

/* ---- The three sources ------------------------------------------------------------------------
 */

/* An option that the file has, and where. */
struct seen {
	struct seen *before;
	struct slice section, name;
	int line;
};

struct file_context {
	struct config *config;
	struct ini ini;
	struct strbuf why; /* what is wrong with the line; empty: nothing */
	struct arena arena;
	struct seen *seen; /* the last */
};

/* [profile  a] is [profile a]; no other section's name has a space. */
static bool is_same_section(struct slice one, struct slice other)
{
	struct slice kind, other_kind;
	bool more = slice_cut(&one, ' ', &kind), other_more = slice_cut(&other, ' ', &other_kind);
	return more == other_more && slice_eq(kind, other_kind) &&
	       slice_eq(slice_trim(one), slice_trim(other));
}

static const struct seen *find_seen(const struct file_context *file)
{
	for (const struct seen *s = file->seen; s; s = s->before)
		if (slice_eq(s->name, file->ini.name) &&
			is_same_section(s->section, file->ini.section))
			return s;
	return NULL;
}

/* Whether it is there for the first time: the last would win, and nobody would know. */
static bool note(struct file_context *file, struct strbuf *why)
{
	const struct seen *before = find_seen(file);
	if (before) {
		strbuf_addf(why, "it is there already, in line %d: keep one of them", before->line);
		return false;
	}
	struct seen *seen = arena_alloc(&file->arena, sizeof(*seen));
	if (!seen)
		return false;
	*seen = (struct seen){.before = file->seen,
		.section = file->ini.section,
		.name = file->ini.name,
		.line = file->ini.line};
	file->seen = seen;
	return true;
}

static bool is_profile(const struct file_context *file)
{
	return slice_starts(file->ini.section, S("profile "));
}

static bool set_option(struct file_context *file, const char *section, struct strbuf *why)
{
	SCOPED_STRBUF(name, LIMIT_CONFIG_BYTES);
	SCOPED_STRBUF(value, LIMIT_CONFIG_BYTES);
	const struct option *o = option_find(file->ini.section, file->ini.name);
	strbuf_add_slice(&name, file->ini.name);
	strbuf_add_slice(&value, file->ini.value);
	if (!o && !is_profile(file))
		strbuf_adds(why, "there is no such option; `postern help` lists them");
	bool ok = why->len == 0 && !strbuf_broken(&name) && !strbuf_broken(&value) &&
		  note(file, why) &&
		  (is_profile(file) ? config_profile_set(
					      file->config, section, name.ptr, value.ptr, why)
				    : set(file->config, o, value.ptr, why));
	secret_wipe(value.ptr, value.len);
	return ok;
}

/* A section may have no option: that of a profile is one all the same. */
static bool begin_section(struct file_context *file, const char *section, struct strbuf *why)
{
	if (is_profile(file))
		return config_profile_begin(file->config, section, why);
	if (!option_has_section(file->ini.section))
		strbuf_adds(why, "there is no such section; `postern help` lists them, and a "
				 "profile is [profile NAME]");
	return why->len == 0;
}

/* False, and `file->why` says why, if the line does not hold. */
static bool take_line(struct file_context *file, enum ini_kind kind)
{
	SCOPED_STRBUF(section, LIMIT_CONFIG_BYTES);
	SCOPED_STRBUF(why, 512);
	strbuf_add_slice(&section, file->ini.section);
	if (kind == INI_BAD) {
		strbuf_adds(&file->why, file->ini.why);
		return false;
	}
	if (!strbuf_broken(&section) &&
		(kind == INI_OPTION ? set_option(file, section.ptr, &why)
				    : begin_section(file, section.ptr, &why)))
		return true;
	strbuf_addf(&file->why, "[%.*s]", SLICE_FMT(slice_head(file->ini.section, SHOWN_BYTES)));
	if (kind == INI_OPTION)
		strbuf_addf(
			&file->why, " %.*s", SLICE_FMT(slice_head(file->ini.name, SHOWN_BYTES)));
	strbuf_addf(&file->why, ": %s", why.len > 0 ? why.ptr : "there is no memory");
	return false;
}

/* Says what is wrong with the first line that does not hold. */
static bool take_file(
	struct config *config, const char *path, struct slice text, struct strbuf *ret_why)
{
	struct file_context file = {.config = config, .ini = {.rest = text}};
	enum ini_kind kind;
	bool ok = true;
	strbuf_init(&file.why, 1024);
	arena_init(&file.arena, NULL, 0, LIMIT_CONFIG_BYTES);
	while (ok && (kind = ini_next(&file.ini)) != INI_END)
		ok = take_line(&file, kind);
	if (!ok)
		strbuf_addf(ret_why, "%s:%d: %s", path, file.ini.line, file.why.ptr);
	strbuf_release(&file.why);
	arena_reset(&file.arena);
	return ok;
}

static bool read_file(struct config *config, const char *path, struct strbuf *ret_why)
{
	SCOPED_STRBUF(text, LIMIT_CONFIG_BYTES);
	SCOPED_STRBUF(why, 256);
	bool ok = input_read_whole(path, &text, &why);
	if (!ok)
		strbuf_addf(ret_why, "cannot read %s: %s", path, why.ptr);
	ok = ok && take_file(config, path, strbuf_slice(&text), ret_why);
	secret_wipe(text.ptr, text.len);
	return ok;
}

static bool read_environment(struct config *config, struct strbuf *ret_why)
{
	for (size_t i = 0; i < option_count; i++) {
		SCOPED_STRBUF(name, OPTION_VARIABLE_BYTES);
		const char *value = option_environment(&option_table[i], &name);
		SCOPED_STRBUF(why, 512);
		if (value && !set(config, &option_table[i], value, &why)) {
			strbuf_addf(ret_why, "environment %s: %s", name.ptr, why.ptr);
			return false;
		}
	}
	return true;
}

/* `--flag value` or `--flag=value` at *at, which is moved on to the value. The short name of a
 * flag has none. */
static const char *flag_value(int argc, char **argv, int *at, struct slice *ret_flag)
{
	struct slice rest = slice_str(argv[*at] + 2);
	const struct option *o = option_of_flag(rest);
	const char *name = o ? option_short(o) : NULL;
	if (name && o->kind == OPTION_FLAG && slice_eq(rest, slice_str(name))) {
		*ret_flag = rest;
		return "true";
	}
	if (slice_cut(&rest, '=', ret_flag))
		return ret_flag->ptr + ret_flag->len + 1;
	return *at + 1 < argc ? argv[++*at] : NULL;
}

static bool read_arguments(int argc, char **argv, struct config *config, char **ret_rest,
	int rest_max, int *ret_rest_count, struct strbuf *ret_why)
{
	for (int i = 1; i < argc; i++) {
		if (strncmp(argv[i], "--", 2) != 0) {
			if (*ret_rest_count == rest_max) {
				strbuf_addf(ret_why, "`%s` is one argument too many", argv[i]);
				return false;
			}
			ret_rest[(*ret_rest_count)++] = argv[i];
			continue;
		}
		struct slice flag;
		const char *value = flag_value(argc, argv, &i, &flag);
		if (slice_eq(flag, S("config")) && value)
			continue; /* it was read before everything else */
		const struct option *o = option_of_flag(flag);
		SCOPED_STRBUF(why, 512);
		if (!o || !value || !set(config, o, value, &why)) {
			strbuf_addf(ret_why, "--%.*s: %s", SLICE_FMT(flag),
				!o       ? "there is no such option; try `postern help`"
				: !value ? "a value must follow"
					 : why.ptr);
			return false;
		}
	}
	return true;
}

const char *config_find_file(int argc, char **argv)
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
	int rest_max, int *ret_rest_count, struct strbuf *ret_why)
{
	*ret = (struct config){.console_listen_given = false};
	*ret_rest_count = 0;
	if (wants_help(argc, argv))
		return CONFIG_HELP;
	for (size_t i = 0; i < option_count; i++) {
		SCOPED_STRBUF(fallback, 512);
		SCOPED_STRBUF(why, 512);
		strbuf_add_slice(&fallback, option_fallback(&option_table[i]));
		if (!option_set(ret, &option_table[i], fallback.ptr, &why))
			return CONFIG_BAD;
	}
	const char *file = config_find_file(argc, argv);
	if ((file && !read_file(ret, file, ret_why)) || !read_environment(ret, ret_why) ||
		!read_arguments(argc, argv, ret, ret_rest, rest_max, ret_rest_count, ret_why))
		return CONFIG_BAD;
	return CONFIG_OK;
}

void config_release(struct config *config)
{
	for (size_t i = 0; i < option_count; i++) {
		if (!option_has_text(&option_table[i]))
			continue;
		char **at = option_text(config, &option_table[i]);
		if (*at)
			secret_wipe(*at, strlen(*at));
		free(TAKE(*at));
	}
	config_profiles_release(config);
}
