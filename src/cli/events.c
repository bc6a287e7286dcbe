/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/events.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "app/events/cloud_event.h"
#include "app/ledger/event_file.h"
#include "base/clock.h"
#include "base/limits.h"
#include "cli/command_line.h"
#include "cli/events_follow.h"
#include "cli/input.h"
#include "crypto/secret.h"
#include "oss/text/iso8601.h"
#include "oss/text/json_text.h"

#define LIST_MAX 1000
#define FOLLOWER_NAME_MAX 64

enum {
	DONE = 0,
	FAULT = 1,
	USAGE = 2
};

struct events_options {
	const char *data, *url, *password_file, *state, *exec, *name;
	bool once;
};

#define AT(member) offsetof(struct events_options, member)
static const struct flag flags[] = {
	{"data", "FOLDER", AT(data),
		"default: the environment's POSTERN_SERVER_DATA, or\n./postern-data"},
	{"ledger-url", "URL", AT(url),
		"the ledger in PostgreSQL; default: the environment's\nPOSTERN_APP_LEDGER_URL"},
	{"ledger-password-file", "FILE", AT(password_file),
		"file with the password for it; default: the environment's\n"
		"POSTERN_APP_LEDGER_PASSWORD_FILE, or what libpq finds"},
	{"state", "STATE", AT(state),
		"list: only waiting, delivered, dead or kept ones;\nreplay: `dead` for all dead "
		"letters"},
	{"exec", "COMMAND", AT(exec),
		"follow: run by /bin/sh for each event, whose JSON it\nfinds on standard input; "
		"status 0 acknowledges it"},
	{"name", "NAME", AT(name),
		"follow: of this follower, whose position is kept in the\nledger; default: "
		"default"},
	{"once", NULL, AT(once), "follow: end when there is no event left"},
};

static const struct command_line command_line = {
	.command = "events",
	.before = "Usage: postern events list [--state STATE] [--data FOLDER]\n"
		  "       postern events show ID [--data FOLDER]\n"
		  "       postern events replay ID... | --state dead [--data FOLDER]\n"
		  "       postern events follow --exec COMMAND [--name NAME] [--once] [--data "
		  "FOLDER]\n"
		  "\n"
		  "The events in the ledger of a data folder, or of PostgreSQL, also while postern "
		  "runs.\n"
		  "`list` prints the newest first, `show` all of one. `replay` has those delivered "
		  "again\n"
		  "that were given up (dead letters), or that were delivered. `follow` runs a "
		  "command for\n"
		  "each, one after another; a command that fails is run again after a pause. An "
		  "ID is\n"
		  "the number that `list` prints, or evt_..., as the event itself has it.\n",
	.flags = flags,
	.flag_count = ARRAY_LEN(flags),
	.after = "Exit status: 0 done, 1 a fault, 2 the command is at fault, or there is no such "
		 "event.\n",
};

static int usage(const char *problem)
{
	command_line_complain(&command_line, problem);
	return USAGE;
}

#define BAD_ID "an ID is a number, as `list` prints it, or evt_..., as the event has it"

static bool is_name(const char *text)
{
	return slice_starts(slice_str(text), S("evt_"));
}

static bool read_number(const char *text, int64_t *ret)
{
	uint64_t id;
	if (!slice_to_u64(slice_str(text), &id) || id == 0 || id > INT64_MAX)
		return false;
	*ret = (int64_t)id;
	return true;
}

/* The number of an event that is named by it, or by its name. Not DONE: it was said why. */
static int find(struct event_file *file, const char *text, int64_t *ret)
{
	if (!is_name(text))
		return read_number(text, ret) ? DONE : usage(BAD_ID);
	if (!event_file_find(file, slice_str(text), ret))
		return FAULT;
	if (*ret == 0)
		fprintf(stderr, "postern events: there is no event %s\n", text);
	return *ret == 0 ? USAGE : DONE;
}

/* ---- Rows -------------------------------------------------------------------------------------
 */

/* A key is whatever an uploader has called it: it is escaped. */
static void print_row(void *ctx UNUSED, const struct event_row *row)
{
	const struct ledger_event *event = &row->event;
	SCOPED_STRBUF(line, KIB(64));
	strbuf_addf(&line, "%-8" PRId64 " %-9.*s %3" PRId64 "  ", event->id, SLICE_FMT(row->state),
		event->tries);
	iso8601_add(&line, event->created_ms);
	strbuf_addf(&line, "  %-16.*s  ", SLICE_FMT(event->type));
	json_add_string(&line, event->key);
	if (row->fault.len > 0)
		strbuf_addf(&line, "  %.*s", SLICE_FMT(row->fault));
	puts(line.ptr);
}

static int list(struct event_file *file, const struct events_options *options)
{
	const struct event_file_query query = {
		.state = options->state, .after = -1, .limit = LIST_MAX, .row = print_row};
	return event_file_read(file, &query) ? DONE : FAULT;
}

static void print_time(const char *name, int64_t time_ms)
{
	SCOPED_STRBUF(text, 64);
	if (time_ms == 0)
		return;
	iso8601_add(&text, time_ms);
	printf("%-8s %s\n", name, text.ptr);
}

static void print_all(void *ctx, const struct event_row *row)
{
	const struct ledger_event *event = &row->event;
	SCOPED_STRBUF(json, cloud_event_bytes(event));
	cloud_event_add(&json, event);
	printf("state    %.*s\n", SLICE_FMT(row->state));
	printf("tries    %" PRId64 "\n", event->tries);
	if (row->fault.len > 0)
		printf("fault    %.*s\n", SLICE_FMT(row->fault));
	print_time("since", event->since_ms);
	print_time("due", row->due_ms);
	print_time("ended", row->ended_ms);
	printf("event    %s\n", json.ptr);
	*(bool *)ctx = true;
}

static int show(struct event_file *file, const char *text)
{
	bool found = false;
	int64_t id = 0;
	int status = find(file, text, &id);
	if (status != DONE)
		return status;
	const struct event_file_query query = {
		.id = id, .limit = 1, .row = print_all, .ctx = &found};
	if (!event_file_read(file, &query))
		return FAULT;
	if (!found)
		fprintf(stderr, "postern events: there is no event %" PRId64 "\n", id);
	return found ? DONE : USAGE;
}

static int replay(struct event_file *file, int64_t id)
{
	switch (event_file_replay(file, id, clock_wall_ms(&clock_system))) {
	case EVENT_REPLAYED:
		printf("event %" PRId64 " is delivered again\n", id);
		return DONE;
	case EVENT_WAITING:
		printf("event %" PRId64 " waits already\n", id);
		return DONE;
	case EVENT_UNKNOWN:
		fprintf(stderr, "postern events: there is no event %" PRId64 "\n", id);
		return USAGE;
	case EVENT_FAULT:
		break;
	}
	return FAULT;
}

static int replay_all(struct event_file *file, int count, char **ids)
{
	int status = DONE;
	int64_t id = 0;
	for (int i = 0; i < count && status != FAULT; i++) {
		int one = find(file, ids[i], &id);
		one = one == DONE ? replay(file, id) : one;
		status = one == DONE ? status : one;
	}
	return status;
}

static int replay_dead(struct event_file *file)
{
	int64_t after = 0;
	size_t count, all = 0;
	do {
		if (!event_file_replay_dead(file, &after, clock_wall_ms(&clock_system), &count))
			return FAULT;
		all += count;
	} while (count > 0);
	printf("%zu dead letters are delivered again\n", all);
	return DONE;
}

/* ---- The command line -------------------------------------------------------------------------
 */

static bool is_state(const char *text)
{
	static const char *const states[] = {"waiting", "delivered", "dead", "kept"};
	for (size_t i = 0; i < ARRAY_LEN(states); i++)
		if (strcmp(text, states[i]) == 0)
			return true;
	return false;
}

static int follow(struct event_file *file, const struct events_options *options)
{
	const struct follow follow = {.file = file,
		.name = slice_str(options->name),
		.command = options->exec,
		.once = options->once};
	return follow_run(&follow) ? DONE : FAULT;
}

/* The URL wins over the folder, as it does in the server. */
static bool open_ledger(const struct events_options *options, struct event_file **ret)
{
	SCOPED_STRBUF(path, KIB(4));
	SCOPED_STRBUF(password, KIB(4));
	struct ledger_place place = {.url = NULL};
	strbuf_addf(&path, "%s/ledger.db", options->data);
	place.path = path.ptr;
	if (options->url[0])
		place = (struct ledger_place){.url = options->url};
	if (options->url[0] && options->password_file[0]) {
		if (!input_read("postern events", options->password_file, &password))
			return false;
		input_trim(&password);
		place.password = password.ptr;
	}
	bool opened = event_file_open(&place, ret);
	secret_wipe(password.ptr, password.len);
	return opened;
}

static int run(const char *verb, int count, char **arguments, const struct events_options *options)
{
	struct event_file *file = NULL;
	int64_t id = 0;
	int status = DONE;
	if (strcmp(verb, "show") == 0 && !is_name(arguments[0]) && !read_number(arguments[0], &id))
		return usage(BAD_ID);
	if (!open_ledger(options, &file))
		return FAULT;
	if (strcmp(verb, "list") == 0)
		status = list(file, options);
	else if (strcmp(verb, "show") == 0)
		status = show(file, arguments[0]);
	else if (strcmp(verb, "replay") == 0 && options->state)
		status = replay_dead(file);
	else if (strcmp(verb, "replay") == 0)
		status = replay_all(file, count, arguments);
	else
		status = follow(file, options);
	event_file_close(file);
	return status;
}

/* NULL, or what is wrong. */
static const char *check(const char *verb, int count, const struct events_options *options)
{
	bool follows = strcmp(verb, "follow") == 0, lists = strcmp(verb, "list") == 0;
	if (!lists && !follows && strcmp(verb, "show") != 0 && strcmp(verb, "replay") != 0)
		return "there is list, show, replay and follow";
	bool replays = strcmp(verb, "replay") == 0;
	if (options->state && replays && (strcmp(options->state, "dead") != 0 || count > 0))
		return "`replay` has either IDs or --state dead";
	if (options->state && !replays && (!lists || !is_state(options->state)))
		return "--state is for `list`: waiting, delivered, dead or kept";
	if (follows != (options->exec != NULL) || (options->once && !follows))
		return "--exec is for `follow`, which needs it, as --once is";
	if (strlen(options->name) > FOLLOWER_NAME_MAX || !options->name[0])
		return "--name is 1 to 64 bytes";
	if ((lists || follows) && count > 0)
		return "there is an argument too many";
	if (strcmp(verb, "show") == 0 && count != 1)
		return "give the ID of one event";
	if (replays && count == 0 && !options->state)
		return "give the IDs of events, or --state dead";
	return NULL;
}

static const char *environment(const char *name)
{
	const char *value = getenv(name);
	return value ? value : "";
}

int cli_events(int argc, char **argv)
{
	const char *data = environment("POSTERN_SERVER_DATA");
	struct events_options options = {.data = *data ? data : "./postern-data",
		.url = environment("POSTERN_APP_LEDGER_URL"),
		.password_file = environment("POSTERN_APP_LEDGER_PASSWORD_FILE"),
		.name = "default"};
	int rest;
	int status;
	if (!command_line_begin(&command_line, argc, argv, &options, &rest, &status))
		return status;
	if (rest >= argc)
		return usage("say what to do: list, show, replay or follow");
	const char *problem = check(argv[rest], argc - rest - 1, &options);
	if (problem)
		return usage(problem);
	return run(argv[rest], argc - rest - 1, argv + rest + 1, &options);
}
