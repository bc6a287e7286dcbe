/* SPDX-License-Identifier: Apache-2.0 */
#include <sqlite3.h>
#include <stdio.h>
#include <string.h>

#include "base/compiler.h"
#include "cli/backup.h"
#include "cli/config.h"
#include "cli/copy.h"
#include "cli/doctor.h"
#include "cli/events.h"
#include "cli/fsck.h"
#include "cli/keys.h"
#include "cli/rebuild.h"
#include "cli/serve.h"
#include "cli/sign.h"
#include "cli/verify.h"
#include "oss/text/json_load.h"

static int help(int argc, char **argv);

static const struct {
	const char *name;
	int (*run)(int argc, char **argv);
	const char *help;
} commands[] = {
	{"serve", cli_serve, "object store, application server and upload page in one process"},
	{"store", cli_store, "the object store alone"},
	{"app", cli_app, "the application server alone, in front of any OSS endpoint"},
	{"sign", cli_sign, "print a signed upload policy"},
	{"verify", cli_verify, "check a callback, and say what is wrong with it"},
	{"doctor", cli_doctor, "check a deployment from end to end, and say what is wrong"},
	{"events", cli_events,
		"list, show and replay what the back end is told; run a command for each"},
	{"keys", cli_keys, "list, add, disable, enable and remove access keys"},
	{"fsck", cli_fsck, "check all of a data folder or of a store on Ceph, or repair it"},
	{"backup", cli_backup, "copy a data folder, also while postern runs"},
	{"restore", cli_restore, "make a data folder of a backup"},
	{"copy", cli_copy, "copy all that one store has into another one"},
	{"rebuild", cli_rebuild, "make the index of a data folder anew from its log"},
	{"help", help, "this list, and every option of the configuration"},
};

static void print_commands(FILE *to)
{
	fprintf(to,
		"postern " POSTERN_VERSION ": direct uploads from browsers to OSS, or to its own "
		"store\n\nUsage: postern COMMAND [OPTIONS]\n\n");
	for (size_t i = 0; i < ARRAY_LEN(commands); i++)
		fprintf(to, "  %-8s %s\n", commands[i].name, commands[i].help);
	fprintf(to,
		"\n`postern COMMAND --help` says more. `postern --version` prints the version.\n");
}

static int help(int argc, char **argv)
{
	if (argc == 2 && strcmp(argv[1], "--markdown") == 0) {
		config_print_reference();
		return 0;
	}
	print_commands(stdout);
	printf("\nThe configuration, for serve, store and app:\n");
	config_print_help();
	return 0;
}

int main(int argc, char **argv)
{
	json_load_init();
	/* Nobody asks how much memory SQLite has; to count it, it takes a lock for each piece. */
	(void)sqlite3_config(SQLITE_CONFIG_MEMSTATUS, 0);
	if (argc < 2) {
		print_commands(stderr);
		return 2;
	}
	if (strcmp(argv[1], "--version") == 0 || strcmp(argv[1], "-V") == 0) {
		printf("postern " POSTERN_VERSION "\n");
		return 0;
	}
	if (strcmp(argv[1], "--help") == 0 || strcmp(argv[1], "-h") == 0)
		return help(1, argv);
	for (size_t i = 0; i < ARRAY_LEN(commands); i++)
		if (strcmp(argv[1], commands[i].name) == 0)
			return commands[i].run(argc - 1, argv + 1);
	fprintf(stderr, "postern: there is no command `%s`; `postern help` lists them\n", argv[1]);
	return 2;
}
