/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/backup.h"

#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "backup/backup.h"
#include "backup/restore.h"
#include "cli/command_line.h"
#include "cli/progress.h"

enum {
	DONE = 0,
	FAULT = 1,
	USAGE = 2,
	DAMAGED = 3,
};

/* ---- Both ------------------------------------------------------------------------------------ */

struct flags {
	const char *data;
	bool check;
	bool damaged;
};

#define AT(member) offsetof(struct flags, member)
#define DATA_HELP "default: the environment's POSTERN_SERVER_DATA, or\n./postern-data"

static void show_progress(const char *what, uint64_t done, uint64_t total, void *ctx)
{
	progress_show(ctx, what, done, total);
}

/* The argument; NULL, with the exit status, if there is nothing to do. */
static const char *read_arguments(const struct command_line *line, int argc, char **argv,
	struct flags *flags, int *ret_status)
{
	const char *data = getenv("POSTERN_SERVER_DATA");
	int rest;
	*flags = (struct flags){.data = data && data[0] ? data : "postern-data"};
	if (!command_line_begin(line, argc, argv, flags, &rest, ret_status))
		return NULL;
	if (rest + 1 == argc && argv[rest][0])
		return argv[rest];
	command_line_complain(line, "it takes one argument, a folder");
	*ret_status = USAGE;
	return NULL;
}

/* ---- backup ---------------------------------------------------------------------------------- */

static const struct flag backup_flags[] = {
	{"data", "FOLDER", AT(data), DATA_HELP},
};

static const struct command_line backup_line = {
	.command = "backup",
	.before =
		"Usage: postern backup [--data FOLDER] DESTINATION\n"
		"\n"
		"Copies a data folder into the folder DESTINATION, which is made if it is not "
		"there.\n"
		"Postern may run meanwhile: the copy has all that was answered before it began. "
		"Into a\n"
		"folder that has a backup already only what is new is copied; until that is done "
		"the\n"
		"backup before is the one that counts. What is deleted meanwhile takes space until "
		"it\n"
		"has ended. The copy has the keys: protect it as you protect the data folder. A "
		"ledger "
		"in\nPostgreSQL ([app] ledger_url) is not part of it.\n",
	.flags = backup_flags,
	.flag_count = ARRAY_LEN(backup_flags),
	.after = "Exit status: 0 done, 1 a fault: there is no new backup, 2 the command is at "
		 "fault,\n3 done, but some of the data folder is damaged: good copies of it are "
		 "kept, "
		 "else\nit is copied so.\n",
};

static int backup(const char *data, const char *destination)
{
	struct progress progress;
	struct backup_result result;
	const struct backup_options options = {.data = data,
		.destination = destination,
		.progress = show_progress,
		.ctx = &progress};
	progress_init(&progress);
	enum err e = backup_make(&options, &result);
	progress_leave(&progress);
	if (e != ERR_OK) {
		fprintf(stderr, "postern backup: no backup was made%s\n",
			result.number > 1 ? "; the one before is as it was" : "");
		return FAULT;
	}
	printf("backup %" PRIu64 ": %" PRIu64 " files, %" PRIu64 " bytes; of these %" PRIu64
	       " files, %" PRIu64 " bytes are new\n",
		result.number, result.files, result.bytes, result.copied_files,
		result.copied_bytes);
	if (getenv("POSTERN_APP_LEDGER_URL"))
		printf("the ledger is in PostgreSQL and not part of it: back up the database, "
		       "too\n");
	if (result.damaged == 0)
		return DONE;
	printf("%" PRIu64 " places of the data folder are damaged, see above\n", result.damaged);
	return DAMAGED;
}

int cli_backup(int argc, char **argv)
{
	struct flags flags;
	int status;
	const char *destination = read_arguments(&backup_line, argc, argv, &flags, &status);
	return destination ? backup(flags.data, destination) : status;
}

/* ---- restore --------------------------------------------------------------------------------- */

static const struct flag restore_flags[] = {
	{"data", "FOLDER", AT(data), DATA_HELP},
	{"check", NULL, AT(check), "read the backup and say whether it is whole; make nothing"},
	{"damaged", NULL, AT(damaged), "restore what is left of a backup that is damaged"},
};

static const struct command_line restore_line = {
	.command = "restore",
	.before =
		"Usage: postern restore [--data FOLDER] [--damaged] SOURCE\n"
		"       postern restore --check SOURCE\n"
		"\n"
		"Makes a data folder of the backup in the folder SOURCE. FOLDER must be empty, or "
		"not\n"
		"there. All bytes are compared with the sums that the backup has of them; then "
		"the\n"
		"index is made from the log.\n",
	.flags = restore_flags,
	.flag_count = ARRAY_LEN(restore_flags),
	.after =
		"Exit status: 0 done, or whole, 1 a fault or damage: nothing was restored, or all\n"
		"but the index, 2 the command is at fault, 3 done, but something is damaged or\n"
		"missing, or was so when the backup was made.\n",
};

static void print_time(uint64_t ms)
{
	char text[32];
	struct tm tm;
	time_t seconds = (time_t)(ms / 1000);
	if (gmtime_r(&seconds, &tm) && strftime(text, sizeof(text), "%Y-%m-%d %H:%M:%S", &tm))
		printf("of %s UTC", text);
}

static int say(const struct flags *flags, const struct restore_result *result)
{
	printf("backup %" PRIu64 " ", result->number);
	print_time(result->ms);
	printf(": %" PRIu64 " files, %" PRIu64 " bytes", result->files, result->bytes);
	if (flags->check) {
		if (result->damaged)
			printf(": %" PRIu64 " files are damaged, see above\n", result->damaged);
		else if (result->lost)
			printf(": it is what was copied, but %" PRIu64
			       " large files were damaged then, see above\n",
				result->lost);
		else
			printf(": it is whole\n");
		return result->damaged ? FAULT : result->lost ? DAMAGED : DONE;
	}
	printf(": %" PRIu64 " objects\n", result->objects);
	if (result->damaged == 0 && result->lost == 0)
		return DONE;
	printf("%" PRIu64 " files of the backup are damaged, and %" PRIu64
	       " places of the log or large files are lost, see above\n",
		result->damaged, result->lost);
	return DAMAGED;
}

static int restore(const struct flags *flags, const char *source)
{
	struct progress progress;
	struct restore_result result;
	const struct restore_options options = {.source = source,
		.data = flags->data,
		.takes_damaged = flags->damaged,
		.only_checks = flags->check,
		.progress = show_progress,
		.ctx = &progress};
	progress_init(&progress);
	enum err e = backup_restore(&options, &result);
	progress_leave(&progress);
	if (e == ERR_OK)
		return say(flags, &result);
	if (result.has_files)
		fprintf(stderr,
			"postern restore: all files are restored, but the index is not made; "
			"`postern rebuild` makes it\n");
	else if (result.damaged && !flags->damaged)
		fprintf(stderr, "postern restore: the backup is damaged, and nothing was restored; "
				"--damaged restores what is left\n");
	else
		fprintf(stderr, "postern restore: it was not restored\n");
	return FAULT;
}

int cli_restore(int argc, char **argv)
{
	struct flags flags;
	int status;
	const char *source = read_arguments(&restore_line, argc, argv, &flags, &status);
	if (source && flags.check && flags.damaged) {
		command_line_complain(&restore_line, "--check and --damaged exclude each other");
		return USAGE;
	}
	return source ? restore(&flags, source) : status;
}
