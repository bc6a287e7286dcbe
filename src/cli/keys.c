/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/keys.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/compiler.h"
#include "base/limits.h"
#include "base/log.h"
#include "base/strbuf.h"
#include "cli/command_line.h"
#include "cli/input.h"
#include "cli/rados_place.h"
#include "crypto/secret.h"
#include "documents/documents.h"
#include "ops/access/key_list.h"
#include "oss/sign/session.h"

#define ID_BYTES_MAX 128
#define SECRET_BYTES_MAX 128
#define WHY_BYTES_MAX 512

enum {
	DONE = 0,
	FAULT = 1,
	USAGE = 2,
	CONTINUE = 3
};

struct keys_options {
	const char *data, *id, *secret_file;
	const char *backend;
	struct rados_place rados;
};

#define AT(member) offsetof(struct keys_options, member)
static const struct flag flags[] = {
	{"data", "FOLDER", AT(data),
		"default: the environment's POSTERN_SERVER_DATA, or\n./postern-data"},
	{"id", "ID", AT(id),
		"of the new key: letters, digits, `.`, `_` and `-`;\ndefault: a random one"},
	{"secret-file", "FILE", AT(secret_file),
		"a file with the new key's secret, - is standard input;\ndefault: a random one"},
	{"store-backend", "NAME", AT(backend), "rados: the keys are in Ceph, and not in a folder"},
	RADOS_PLACE_FLAGS(struct keys_options),
	RADOS_PLACE_SPACE_FLAG(struct keys_options),
};

static const struct command_line command_line = {
	.command = "keys",
	.before = "Usage: postern keys list [--data FOLDER]\n"
		  "       postern keys add [--id ID] [--secret-file FILE] [--data FOLDER]\n"
		  "       postern keys disable ID [--data FOLDER]\n"
		  "       postern keys enable ID [--data FOLDER]\n"
		  "       postern keys remove ID [--data FOLDER]\n"
		  "\n"
		  "The access keys of the object store in a data folder, or of a store on Ceph. A "
		  "store that\n"
		  "is running notices within seconds. `add` prints the new pair; its secret is not "
		  "shown\n"
		  "again.\n",
	.flags = flags,
	.flag_count = ARRAY_LEN(flags),
	.after =
		"The environment's POSTERN_STORE_BACKEND and POSTERN_RADOS_CONFIG, _ID, _NAMESPACE "
		"and\n"
		"_INDEX_POOL are the defaults of the options of that name. Its "
		"POSTERN_RADOS_OPERATION_SECONDS\n"
		"says how long to wait for Ceph.\n"
		"\n"
		"A key that is disabled or removed is refused at once, and so are the temporary "
		"keys that\n"
		"were made with it. The last enabled key can be neither.\n"
		"\n"
		"Exit status: 0 done, 1 a fault, 2 the command is at fault, or the keys do not "
		"allow it.\n",
};

/* What a command works on. */
struct keys_task {
	struct key_list *list;
	const char *id;         /* the argument */
	const char *new_id;     /* of the key that is added; NULL: a random one */
	const char *secret;     /* likewise */
	struct key_entry added; /* shown once it is saved */
};

struct keys_command {
	const char *name;
	bool takes_id;
	bool adds; /* takes --id and --secret-file */
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
	return refuse(
		key_list_add(task->list, task->new_id, task->secret, &task->added), task->new_id);
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
	{.name = "add", .adds = true, .edits = true, .run = add_key},
	{.name = "disable", .takes_id = true, .edits = true, .run = disable_key},
	{.name = "enable", .takes_id = true, .edits = true, .run = enable_key},
	{.name = "remove", .takes_id = true, .edits = true, .run = remove_key},
};

/* ---- Where the list is -------------------------------------------------------------------------
 */

static const char *environment(const char *name, const char *other)
{
	const char *value = getenv(name);
	return value && *value ? value : other;
}

static int open_ceph(const struct keys_options *options, struct documents **ret)
{
	struct rados_options rados;
	SCOPED_STRBUF(why, WHY_BYTES_MAX);
	if (!rados_place_options(&options->rados, &rados, &why))
		return usage(why.ptr);
	return rados_documents_open(&rados, ret) == ERR_OK ? CONTINUE : FAULT;
}

static int open_folder(const char *path, struct documents **ret)
{
	SCOPED_FD int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0) {
		fprintf(stderr, "postern keys: %s: %s\n", path, strerror(errno));
		return USAGE;
	}
	return documents_in_folder(path, ret) == ERR_OK ? CONTINUE : FAULT;
}

static int open_documents(const struct keys_options *options, struct documents **ret)
{
	if (strcmp(options->backend, "local") == 0)
		return open_folder(options->data
					   ? options->data
					   : environment("POSTERN_SERVER_DATA", "./postern-data"),
			ret);
	if (strcmp(options->backend, "rados") != 0)
		return usage("--store-backend is local or rados");
	if (options->data)
		return usage("the keys are in Ceph, as --store-backend or POSTERN_STORE_BACKEND "
			     "says: leave out --data");
	return open_ceph(options, ret);
}

/* ---- A command --------------------------------------------------------------------------------
 */

/* Edits the list, which was read as `was`. *ret_done is false if somebody else was faster. */
static int edit(const struct keys_command *command, struct keys_task *task,
	struct documents *documents, struct slice was, bool *ret_done)
{
	int status = command->run(task);
	*ret_done = status != DONE || !command->edits;
	if (*ret_done)
		return status;
	SCOPED_STRBUF(text, DOCUMENT_BYTES_MAX);
	enum err e = key_list_format(task->list, &text)
			     ? documents_replace(documents, KEY_LIST_DOCUMENT, was,
				       strbuf_slice(&text), ret_done)
			     : ERR_UNAVAILABLE;
	secret_wipe(text.ptr, text.len);
	if (e != ERR_OK) {
		*ret_done = true;
		return FAULT;
	}
	if (*ret_done && task->added.id.len) {
		printf("access key id       %.*s\n", SLICE_FMT(task->added.id));
		printf("access key secret   %.*s\n", SLICE_FMT(task->added.secret));
	}
	return DONE;
}

/* Reads the whole list and writes the whole list. */
static int attempt(const struct keys_command *command, struct keys_task *task,
	struct documents *documents, bool *ret_done)
{
	SCOPED_STRBUF(text, DOCUMENT_BYTES_MAX);
	bool found = false;
	*ret_done = true;
	if (documents_read(documents, KEY_LIST_DOCUMENT, &text, &found) != ERR_OK)
		return FAULT;
	if (!found) {
		fprintf(stderr,
			"postern keys: %s holds no " KEY_LIST_DOCUMENT
			"; the first start of `postern serve` or `postern store` makes it\n",
			documents_where(documents));
		return USAGE;
	}
	int status = FAULT;
	task->list = key_list_parse(strbuf_slice(&text));
	if (task->list)
		status = edit(command, task, documents, strbuf_slice(&text), ret_done);
	else
		log_error("%s/" KEY_LIST_DOCUMENT " is not a list of access keys",
			documents_where(documents));
	key_list_free(task->list);
	secret_wipe(text.ptr, text.len);
	return status;
}

static int execute(
	const struct keys_command *command, struct keys_task *task, struct documents *documents)
{
	int status = DONE;
	bool done = false;
	while (!done) {
		task->added = (struct key_entry){.enabled = false};
		status = attempt(command, task, documents, &done);
	}
	return status;
}

static int run(
	const struct keys_command *command, const char *id, const struct keys_options *options)
{
	struct keys_task task = {.id = id, .new_id = options->id};
	struct documents *documents = NULL;
	SCOPED_STRBUF(secret, SECRET_BYTES_MAX);
	int status = CONTINUE;
	if (options->id && !id_fits(options->id))
		status = usage("--id is 1 to 128 letters, digits, `.`, `_` or `-`, and does not "
			       "begin with `STS.`");
	if (status == CONTINUE && options->secret_file) {
		status = read_secret(options->secret_file, &secret);
		task.secret = secret.ptr;
	}
	if (status == CONTINUE)
		status = open_documents(options, &documents);
	(void)umask(077);
	if (status == CONTINUE)
		status = execute(command, &task, documents);
	secret_wipe(secret.ptr, secret.len);
	documents_close(documents);
	return status;
}

/* ---- The command line --------------------------------------------------------------------------
 */

static const struct keys_command *find_command(const char *name)
{
	for (size_t i = 0; i < ARRAY_LEN(commands); i++)
		if (strcmp(name, commands[i].name) == 0)
			return &commands[i];
	return NULL;
}

int cli_keys(int argc, char **argv)
{
	struct keys_options options = {
		.backend = environment("POSTERN_STORE_BACKEND", "local"),
		.rados = rados_place_default(),
	};
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
	if (!command->adds && (options.id || options.secret_file))
		return usage("--id and --secret-file are for `add`");
	return run(command, command->takes_id ? argv[rest + 1] : NULL, &options);
}
