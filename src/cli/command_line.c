/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/command_line.h"

#include <assert.h>
#include <getopt.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

enum {
	FLAGS_MAX = 32
};

/* The columns of `--name VALUE`. */
static size_t width_of(const struct flag *flag)
{
	return strlen("--") + strlen(flag->name) + (flag->value ? 1 + strlen(flag->value) : 0);
}

static void print_flag(const struct flag *flag, size_t width)
{
	const char *help = flag->help;
	size_t column = width_of(flag);
	printf("  --%s%s%s", flag->name, flag->value ? " " : "", flag->value ? flag->value : "");
	for (;;) {
		size_t len = strcspn(help, "\n");
		printf("%*s%.*s\n", (int)(width - column + 2), "", (int)len, help);
		if (help[len] == '\0')
			return;
		help += len + 1;
		column = 0;
		printf("  ");
	}
}

static void print_help(const struct command_line *line)
{
	size_t width = 0;
	for (size_t i = 0; i < line->flag_count; i++)
		if (width_of(&line->flags[i]) > width)
			width = width_of(&line->flags[i]);
	printf("%s\n", line->before);
	for (size_t i = 0; i < line->flag_count; i++)
		print_flag(&line->flags[i], width);
	printf("\n%s", line->after);
}

void command_line_complain(const struct command_line *line, const char *why)
{
	fprintf(stderr, "postern %s: %s; try `postern %s --help`\n", line->command, why,
		line->command);
}

static void set(void *options, const struct flag *flag, const char *value)
{
	char *at = (char *)options + flag->offset;
	bool yes = true;
	if (flag->value)
		memcpy(at, &value, sizeof(value));
	else
		memcpy(at, &yes, sizeof(yes));
}

enum command_line_result command_line_read(
	const struct command_line *line, int argc, char **argv, void *ret, int *ret_rest)
{
	struct option options[FLAGS_MAX + 2] = {{.name = "help"}};
	assert(line->flag_count <= FLAGS_MAX);
	for (size_t i = 0; i < line->flag_count; i++)
		options[i + 1] = (struct option){.name = line->flags[i].name,
			.has_arg = line->flags[i].value ? required_argument : no_argument};
	optind = 1;
	opterr = 0;
	for (;;) {
		int at = 0;
		int result = getopt_long(argc, argv, "", options, &at);
		if (result == -1)
			break;
		if (result != 0) {
			command_line_complain(line, "an option is not known, or lacks its value");
			return COMMAND_LINE_BAD;
		}
		if (at == 0) {
			print_help(line);
			return COMMAND_LINE_HELP;
		}
		set(ret, &line->flags[at - 1], optarg);
	}
	*ret_rest = optind;
	return COMMAND_LINE_OK;
}

bool command_line_begin(const struct command_line *line, int argc, char **argv, void *ret,
	int *ret_rest, int *ret_status)
{
	enum command_line_result result = command_line_read(line, argc, argv, ret, ret_rest);
	*ret_status = result == COMMAND_LINE_BAD ? 2 : 0;
	return result == COMMAND_LINE_OK;
}
