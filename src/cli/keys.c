/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/keys.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/compiler.h"
#include "base/limits.h"
#include "base/strbuf.h"
#include "cli/command_line.h"
#include "cli/input.h"
#include "crypto/secret.h"
#include "ops/access/key_list.h"
#include "oss/sign/session.h"

#define ID_BYTES_MAX 128
#define SECRET_BYTES_MAX 128

enum {
	DONE = 0,
	FAULT = 1,
	USAGE = 2,
	CONTINUE = 3
};

struct keys_options {
	const char *data, *id, *secret_file;
};

#define AT(member) offsetof(struct keys_options, member)
static const struct flag flags[] = {
	{"data", "FOLDER", AT(data),
		"default: the environment's POSTERN_SERVER_DATA, or\n./postern-data"},
	{"id", "ID", AT(id),
		"of the new key: letters, digits, `.`, `_` and `-`;\ndefault: a random one"},
	{"secret-file", "FILE", AT(secret_file),
		"a file with the new key's secret, - is standard input;\ndefault: a random one"},
};

static const struct command_line command_line = {
	.command = "keys",
	.before = "Usage: postern keys list [--data FOLDER]\n"
		  "       postern keys add [--id ID] [--secret-file FILE] [--data FOLDER]\n"
		  "       postern keys disable ID [--data FOLDER]\n"
		  "       postern keys enable ID [--data FOLDER]\n"
		  "       postern keys remove ID [--data FOLDER]\n"
		  "\n"
		  "The access keys of the object store in a data folder. A store that is running "
		  "notices\n"
		  "within seconds. `add` prints the new pair; its secret is not shown again.\n",
	.flags = flags,
	.flag_count = ARRAY_LEN(flags),
	.after = "A key that is disabled or removed is refused at once, and so are the temporary "
		 "keys that\n"
		 "were made with it. The last enabled key can be neither.\n"
		 "\n"
		 "Exit status: 0 done, 1 a fault, 2 the command is at fault, or the keys do not "
		 "allow it.\n",
};

/* What a command works on. */
struct keys_task {
	struct key_list *list;
	const char *id; /* the argument */
	const struct keys_options *options;
	struct key_entry added; /* shown once it is saved */
};

struct keys_command {
	const char *name;
	bool takes_id;
	bool takes_new; /* --id and --secret-file */
	bool edits;
	int (*run)(struct keys_task *task);
};

static int usage(const char *problem)
{
	command_line_complain(&command_line, problem);
	return USAGE;
}

static int refuse(enum key_edit result, const char *id)
{
	switch (result) {
	case KEY_EDIT_DONE:
		return DONE;
	case KEY_EDIT_UNKNOWN:
		fprintf(stderr, "postern keys: there is no key %s\n", id);
		return USAGE;
	case KEY_EDIT_EXISTS:
		fprintf(stderr, "postern keys: there is a key %s already\n", id);
		return USAGE;
	case KEY_EDIT_LAST:
		fprintf(stderr,
			"postern keys: %s is the last enabled key: without it nobody could sign; "
			"add or "
			"enable another first\n",
			id);
		return USAGE;
	case KEY_EDIT_FULL:
		fprintf(stderr, "postern keys: there are %d keys already, which is the limit\n",
			LIMIT_ACCESS_KEYS);
		return USAGE;
	case KEY_EDIT_FAILED:
		break;
	}
	fprintf(stderr, "postern keys: there is no memory\n");
	return FAULT;
}

/* ---- Commands ----------------------------------------------------------------------------------
 */

static int list_keys(struct keys_task *task)
{
	for (size_t i = 0; i < key_list_count(task->list); i++) {
		const struct key_entry entry = key_list_at(task->list, i);
		printf("%-8s  %.*s\n", entry.enabled ? "enabled" : "disabled", SLICE_FMT(entry.id));
	}
	return DONE;
}

/* It goes into credentials, where `/` and `,` end it, and into forms and URLs. */
static bool id_fits(const char *id)
{
	size_t len =
		strspn(id, "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz._-");
	return len > 0 && len <= ID_BYTES_MAX && !id[len] &&
	       !slice_starts(slice_str(id), S(SESSION_ID_PREFIX));
}

/* The secret of the file, without the line's end. */
static int read_secret(const char *file, struct strbuf *out)
{
	if (!input_read("keys", file, out))
		return USAGE;
	input_trim(out);
	for (size_t i = 0; i < out->len; i++)
		if (out->ptr[i] <= ' ' || out->ptr[i] > '~')
			return usage("the secret must be ASCII text without spaces");
	return out->len > 0 ? CONTINUE : usage("the file holds no secret");
}

static int add_key(struct keys_task *task)
{
	const struct keys_options *options = task->options;
	SCOPED_STRBUF(secret, SECRET_BYTES_MAX);
	if (options->id && !id_fits(options->id))
		return usage(
			"--id is 1 to 128 letters, digits, `.`, `_` or `-`, and does not begin "
			"with `STS.`");
	int status = options->secret_file ? read_secret(options->secret_file, &secret) : CONTINUE;
	if (status == CONTINUE)
		status = refuse(key_list_add(task->list, options->id,
					options->secret_file ? secret.ptr : NULL, &task->added),
			options->id);
	secret_wipe(secret.ptr, secret.len);
	return status;
}

static int disable_key(struct keys_task *task)
{
	return refuse(key_list_enable(task->list, slice_str(task->id), false), task->id);
}

static int enable_key(struct keys_task *task)
{
	return refuse(key_list_enable(task->list, slice_str(task->id), true), task->id);
}

static int remove_key(struct keys_task *task)
{
	return refuse(key_list_remove(task->list, slice_str(task->id)), task->id);
}

static const struct keys_command commands[] = {
	{.name = "list", .run = list_keys},
	{.name = "add", .takes_new = true, .edits = true, .run = add_key},
	{.name = "disable", .takes_id = true, .edits = true, .run = disable_key},
	{.name = "enable", .takes_id = true, .edits = true, .run = enable_key},
	{.name = "remove", .takes_id = true, .edits = true, .run = remove_key},
};

/* ---- The command line --------------------------------------------------------------------------
 */

/* One edit at a time: it reads the whole list and writes the whole list. */
static int lock_folder(const char *data)
{
	int fd = open(data, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd >= 0 && flock(fd, LOCK_EX) == 0)
		return fd;
	fprintf(stderr, "postern keys: %s: %s\n", data, strerror(errno));
	if (fd >= 0)
		close(fd);
	return -1;
}

static int execute(const struct keys_command *command, struct keys_task *task)
{
	int status = command->run(task);
	if (status != DONE || !command->edits)
		return status;
	if (key_list_save(task->options->data, task->list) != ERR_OK)
		return FAULT;
	if (task->added.id.len) {
		printf("access key id       %.*s\n", SLICE_FMT(task->added.id));
		printf("access key secret   %.*s\n", SLICE_FMT(task->added.secret));
	}
	return DONE;
}

static int run(
	const struct keys_command *command, const char *id, const struct keys_options *options)
{
	struct keys_task task = {.id = id, .options = options};
	SCOPED_FD int lock = lock_folder(options->data);
	if (lock < 0)
		return USAGE;
	(void)umask(077);
	if (key_list_load(options->data, &task.list) != ERR_OK)
		return FAULT;
	if (!task.list) {
		fprintf(stderr,
			"postern keys: %s holds no " KEY_LIST_FILE "; the first start of `postern "
			"serve` or `postern store` makes it\n",
			options->data);
		return USAGE;
	}
	int status = execute(command, &task);
	key_list_free(task.list);
	return status;
}

static const struct keys_command *find_command(const char *name)
{
	for (size_t i = 0; i < ARRAY_LEN(commands); i++)
		if (strcmp(name, commands[i].name) == 0)
			return &commands[i];
	return NULL;
}

int cli_keys(int argc, char **argv)
{
	const char *data = getenv("POSTERN_SERVER_DATA");
	struct keys_options options = {.data = data && *data ? data : "./postern-data"};
	int rest;
	int status;
	if (!command_line_begin(&command_line, argc, argv, &options, &rest, &status))
		return status;
	if (rest >= argc)
		return usage("say what to do: list, add, disable, enable or remove");
	const struct keys_command *command = find_command(argv[rest]);
	if (!command)
		return usage("there is list, add, disable, enable and remove");
	if (argc - rest - 1 != (command->takes_id ? 1 : 0))
		return usage(command->takes_id ? "give the id of one key"
					       : "there is an argument too many");
	if (!command->takes_new && (options.id || options.secret_file))
		return usage("--id and --secret-file are for `add`");
	return run(command, command->takes_id ? argv[rest + 1] : NULL, &options);
}
