/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/config.h"

#include <errno.h>
#include <ini.h>
#include <stdio.h>

#include "base/arena.h"
#include "base/limits.h"
#include "cli/config_profile.h"
#include "cli/option.h"
#include "crypto/secret.h"

#define SEEN_BYTES_MAX MIB(1)

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
	FILE *stream;
	struct config *config;
	int line;        /* that was read last, as inih counts */
	bool goes_on;    /* it was too long to be read at once */
	bool has_option; /* of this section: what is indented belongs to its value */
	int bad_line;    /* the first one; 0: none */
	struct strbuf why;
	struct arena arena;
	struct seen *seen; /* the last */
};

static void refuse_line(struct file_context *file, const char *place, const char *why)
{
	if (file->bad_line > 0)
		return;
	file->bad_line = file->line;
	strbuf_addf(&file->why, "%s: %s", place, why);
}

/* [profile  a] is [profile a]; no other section's name has a space. */
static bool is_same_section(struct slice one, struct slice other)
{
	struct slice kind, other_kind;
	bool more = slice_cut(&one, ' ', &kind), other_more = slice_cut(&other, ' ', &other_kind);
	return more == other_more && slice_eq(kind, other_kind) &&
	       slice_eq(slice_trim(one), slice_trim(other));
}

static const struct seen *find_seen(
	const struct file_context *file, struct slice section, struct slice name)
{
	for (const struct seen *s = file->seen; s; s = s->before)
		if (slice_eq(s->name, name) && is_same_section(s->section, section))
			return s;
	return NULL;
}

/*
 * False if the option is there already: the last would win, and nobody would know. inih tells so of
 * an indented line, too, which somebody has meant to go on with the value.
 */
static bool note(
	struct file_context *file, struct slice section, struct slice name, struct strbuf *why)
{
	const struct seen *before = find_seen(file, section, name);
	if (before) {
		strbuf_addf(why,
			"it is there already, in line %d: keep one of them, with all of its value "
			"in one line",
			before->line);
		return false;
	}
	struct seen *seen = arena_alloc(&file->arena, sizeof(*seen));
	if (seen)
		*seen = (struct seen){.before = file->seen,
			.section = arena_copy(&file->arena, section),
			.name = arena_copy(&file->arena, name),
			.line = file->line};
	if (!seen || !seen->section.ptr || !seen->name.ptr) {
		strbuf_adds(why, "there is no memory");
		return false;
	}
	file->seen = seen;
	return true;
}

static bool set_line(struct file_context *file, const char *section, const char *name,
	const char *value, struct strbuf *why)
{
	bool is_profile = slice_starts(slice_str(section), S("profile "));
	const struct option *o = option_find(slice_str(section), slice_str(name));
	if (!o && !is_profile) {
		strbuf_adds(why, "there is no such option; `postern help` lists them");
		return false;
	}
	return note(file, slice_str(section), slice_str(name), why) &&
	       (is_profile ? config_profile_set(file->config, section, name, value, why)
			   : set(file->config, o, value, why));
}

static int file_line(void *ctx, const char *section, const char *name, const char *value)
{
	struct file_context *file = ctx;
	SCOPED_STRBUF(why, 512);
	SCOPED_STRBUF(place, 512);
	file->has_option = true;
	if (set_line(file, section, name, value, &why))
		return 1;
	strbuf_addf(&place, "[%s] %s", section, name);
	refuse_line(file, place.ptr, why.ptr);
	return 0;
}

static void begin_section(struct file_context *file, struct slice name)
{
	SCOPED_STRBUF(section, 512);
	SCOPED_STRBUF(place, 512);
	SCOPED_STRBUF(why, 512);
	strbuf_add_slice(&section, name);
	strbuf_addf(&place, "[%s]", section.ptr);
	file->has_option = false;
	if (slice_starts(name, S("profile "))) {
		if (!config_profile_begin(file->config, section.ptr, &why))
			refuse_line(file, place.ptr, why.ptr);
	} else if (!option_has_section(name)) {
		refuse_line(file, place.ptr,
			"there is no such section; `postern help` lists them, and a profile is "
			"[profile NAME]");
	}
}

/* What is indented goes on with the value of an option, if there is one. */
static void look_for_section(struct file_context *file, struct slice line)
{
	struct slice text = slice_trim(line), name;
	bool indented = text.ptr != line.ptr;
	if (!slice_starts(text, S("[")) || (indented && file->has_option))
		return;
	text = slice_from(text, 1);
	if (slice_cut(&text, ']', &name))
		begin_section(file, name);
}

/* inih tells of options alone, and a section may have none: that of a profile is one all the same.
 */
static char *next_line(char *buffer, int size, void *ctx)
{
	static const struct slice bom = SLICE_LIT("\xef\xbb\xbf");
	struct file_context *file = ctx;
	if (!fgets(buffer, size, file->stream))
		return NULL;
	struct slice line = slice_str(buffer);
	bool is_whole = !file->goes_on;
	file->line++;
	file->goes_on = !slice_ends(line, S("\n"));
	if (file->line == 1 && slice_starts(line, bom))
		line = slice_from(line, bom.len);
	if (is_whole)
		look_for_section(file, line);
	return buffer;
}

/* 0, or the number of the first line that is wrong. */
static int parse_file(struct file_context *file)
{
	int line = ini_parse_stream(next_line, file, file_line, file);
	return file->bad_line > 0 && (line == 0 || file->bad_line < line) ? file->bad_line : line;
}

static bool read_file(struct config *config, const char *path)
{
	struct file_context file = {.config = config, .stream = fopen(path, "re")};
	if (!file.stream) {
		fprintf(stderr, "postern: cannot read %s: %s\n", path, strerror(errno));
		return false;
	}
	strbuf_init(&file.why, 1024);
	arena_init(&file.arena, NULL, 0, SEEN_BYTES_MAX);
	int line = parse_file(&file);
	bool failed = ferror(file.stream) != 0;
	if (failed || line < 0)
		fprintf(stderr, "postern: cannot read %s\n", path);
	else if (line > 0)
		fprintf(stderr, "postern: %s:%d: %s\n", path, line,
			line == file.bad_line
				? file.why.ptr
				: "this is neither [section], name = value nor a comment");
	strbuf_release(&file.why);
	arena_reset(&file.arena);
	(void)fclose(file.stream);
	return line == 0 && !failed;
}

static bool read_environment(struct config *config)
{
	for (size_t i = 0; i < option_count; i++) {
		SCOPED_STRBUF(name, OPTION_VARIABLE_BYTES);
		const char *value = option_environment(&option_table[i], &name);
		SCOPED_STRBUF(why, 512);
		if (value && !set(config, &option_table[i], value, &why)) {
			fprintf(stderr, "postern: environment %s: %s\n", name.ptr, why.ptr);
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
		const struct option *o = option_of_flag(flag);
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
	int rest_max, int *ret_rest_count)
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
	if ((file && !read_file(ret, file)) || !read_environment(ret) ||
		!read_arguments(argc, argv, ret, ret_rest, rest_max, ret_rest_count))
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
