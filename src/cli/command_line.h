/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The command line of a command with a few options of its own. They are declared once, in a table:
 * reading them and --help are made from it. (serve, store and app have the configuration:
 * config.h.)
 */
#ifndef CLI_COMMAND_LINE_H
#define CLI_COMMAND_LINE_H

#include <stdbool.h>
#include <stddef.h>

#include "base/compiler.h"

struct flag {
	const char *name;  /* without the dashes */
	const char *value; /* what follows it, as --help calls it: "FILE"; NULL: nothing does */
	size_t offset;     /* in the command's structure: a const char *, or a bool without value */
	const char *help;  /* lines, separated by line feeds */
};

struct command_line {
	const char *command;
	const char *before; /* in --help: the usage, and what the command does */
	const struct flag *flags;
	size_t flag_count;
	const char *after;
};

enum command_line_result {
	COMMAND_LINE_OK,
	COMMAND_LINE_HELP, /* --help was given, and is answered */
	COMMAND_LINE_BAD,  /* it was said why */
};

/*
 * Fills the members of the structure *ret whose options are given; the texts are argv's. argv[0] is
 * the command. *ret_rest is the index of the first argument that is no option: they come last.
 */
enum command_line_result command_line_read(
	const struct command_line *line, int argc, char **argv, void *ret, int *ret_rest) MUST_USE;

/*
 * The same for the function of a command. False: the command ends, and *ret_status is with what: 0
 * after --help, 2 if the line was wrong.
 */
bool command_line_begin(const struct command_line *line, int argc, char **argv, void *ret,
	int *ret_rest, int *ret_status) MUST_USE;

/* Says on standard error what is wrong with the command line. */
void command_line_complain(const struct command_line *line, const char *why);

#endif
