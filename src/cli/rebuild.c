/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/rebuild.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "cli/command_line.h"
#include "cli/progress.h"
#include "store/local/rebuild/rebuild.h"

enum {
	DONE = 0,
	FAULT = 1,
	USAGE = 2,
	LOST = 3,
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

static const char log_text[] = "the log";

static void show_progress(uint64_t done, uint64_t total, void *ctx)
{
	progress_show(ctx, log_text, done, total);
}

static int rebuild(const char *data)
{
	struct progress progress;
	struct rebuild_result result;
	progress_init(&progress);
	const struct rebuild_options options = {
		.path = data, .progress = show_progress, .ctx = &progress};
	if (rebuild_index(&options, &result) != ERR_OK) {
		progress_leave(&progress);
		fprintf(stderr, "postern rebuild: the index of %s is as it was\n", data);
		return FAULT;
	}
	progress_show(&progress, log_text, 1, 1);
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
