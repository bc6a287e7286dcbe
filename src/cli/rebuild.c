/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/rebuild.h"

#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "cli/command_line.h"
#include "store/local/rebuild/rebuild.h"

enum {
	DONE = 0,
	FAULT = 1,
	USAGE = 2,
	LOST = 3,
	BAR_WIDTH = 40,
};

struct rebuild_flags {
	const char *data;
};

static const struct flag flags[] = {
	{"data", "FOLDER", offsetof(struct rebuild_flags, data),
		"default: the environment's POSTERN_SERVER_DATA, or\n./postern-data"},
};

static const struct command_line command_line = {
	.command = "rebuild",
	.before =
		"Usage: postern rebuild [--data FOLDER]\n"
		"\n"
		"Makes the index of a data folder anew from its log, for instance when the old one "
		"is\n"
		"damaged or lost. Postern must be stopped. The old index is kept in the folder "
		"`damaged`,\n"
		"where it may be removed; the new one needs as much space as that. Breaking it off "
		"changes\n"
		"nothing.\n",
	.flags = flags,
	.flag_count = ARRAY_LEN(flags),
	.after = "Exit status: 0 done, 1 a fault, nothing has changed, 2 the command is at fault,\n"
		 "3 done, but some of the log could not be read: what was only there is lost.\n",
};

/* On a terminal. */
static void show_progress(uint64_t done, uint64_t total, void *ctx)
{
	char bar[BAR_WIDTH + 1];
	int *shown = ctx;
	int percent = total ? (int)((double)done / (double)total * 100) : 100;
	percent = percent > 100 ? 100 : percent;
	if (percent == *shown)
		return;
	*shown = percent;
	for (int i = 0; i < BAR_WIDTH; i++)
		bar[i] = i < percent * BAR_WIDTH / 100 ? '#' : '.';
	bar[BAR_WIDTH] = '\0';
	fprintf(stderr, "\r[%s] %3d %% of the log", bar, percent);
	if (percent == 100)
		fprintf(stderr, "\n");
}

static int rebuild(const char *data)
{
	int shown = -1;
	bool shows = isatty(STDERR_FILENO);
	struct rebuild_result result;
	const struct rebuild_options options = {
		.path = data, .progress = shows ? show_progress : NULL, .ctx = &shown};
	if (rebuild_index(&options, &result) != ERR_OK) {
		if (shown >= 0 && shown < 100)
			fprintf(stderr, "\n");
		fprintf(stderr, "postern rebuild: the index of %s is as it was\n", data);
		return FAULT;
	}
	if (shown >= 0)
		show_progress(1, 1, &shown);
	printf("%" PRIu64 " records of the log: %" PRIu64 " objects\n", result.records,
		result.objects);
	if (result.kept[0])
		printf("the old index is kept as %s/damaged/%s\n", data, result.kept);
	if (result.lost == 0)
		return DONE;
	printf("%" PRIu64 " places of the log cannot be read, see above\n", result.lost);
	printf("What was only there is lost, and what ended there may be there again.\n");
	return LOST;
}

int cli_rebuild(int argc, char **argv)
{
	const char *data = getenv("POSTERN_SERVER_DATA");
	struct rebuild_flags given = {.data = data && data[0] ? data : "postern-data"};
	int rest;
	int status;
	if (!command_line_begin(&command_line, argc, argv, &given, &rest, &status))
		return status;
	if (rest != argc) {
		command_line_complain(&command_line, "it takes no argument");
		return USAGE;
	}
	return rebuild(given.data);
}
