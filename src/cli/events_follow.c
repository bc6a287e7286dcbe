/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/events_follow.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <signal.h>
#include <spawn.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "app/events/cloud_event.h"
#include "app/events/event_label.h"
#include "app/events/event_pause.h"
#include "base/clock.h"
#include "base/limits.h"
#include "base/log.h"
#include "crypto/random.h"

#define POLL_MS 1000

extern char **environ;

struct following {
	const struct follow *follow;
	sigset_t stop, before;
	int64_t position;
	bool found; /* another event: */
	int64_t id;
	char label[EVENT_LABEL_SIZE];
	struct strbuf json;
};

/* ---- The command ------------------------------------------------------------------------------
 */

/* The child has the signals as we found them. */
static int spawn(const struct following *f, int input, pid_t *ret)
{
	char *argv[] = {(char[]){"sh"}, (char[]){"-c"}, NULL, NULL};
	sigset_t defaults;
	posix_spawnattr_t attributes;
	posix_spawn_file_actions_t actions;
	SCOPED_STRBUF(command, KIB(128));
	strbuf_adds(&command, f->follow->command);
	if (strbuf_broken(&command))
		return E2BIG;
	argv[2] = command.ptr;
	(void)sigemptyset(&defaults);
	(void)sigaddset(&defaults, SIGPIPE);
	(void)posix_spawnattr_init(&attributes);
	(void)posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF);
	(void)posix_spawnattr_setsigmask(&attributes, &f->before);
	(void)posix_spawnattr_setsigdefault(&attributes, &defaults);
	(void)posix_spawn_file_actions_init(&actions);
	(void)posix_spawn_file_actions_adddup2(&actions, input, STDIN_FILENO);
	int fault = posix_spawn(ret, "/bin/sh", &actions, &attributes, argv, environ);
	(void)posix_spawn_file_actions_destroy(&actions);
	(void)posix_spawnattr_destroy(&attributes);
	return fault;
}

/* A command need not read it. */
static void write_all(int fd, struct slice text)
{
	while (text.len > 0) {
		ssize_t n = write(fd, text.ptr, text.len);
		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return;
		text = slice_from(text, (size_t)n);
	}
}

static bool is_done(pid_t pid)
{
	int status = 0;
	while (waitpid(pid, &status, 0) < 0)
		if (errno != EINTR)
			return false;
	return WIFEXITED(status) && WEXITSTATUS(status) == 0;
}

/* Whether the command has acknowledged the event. */
static bool run_command(const struct following *f)
{
	int pipe_fds[2];
	pid_t pid;
	if (pipe2(pipe_fds, O_CLOEXEC) != 0) {
		log_error("events: %s", strerror(errno));
		return false;
	}
	SCOPED_FD int input = pipe_fds[0];
	int output = pipe_fds[1];
	int fault = spawn(f, input, &pid);
	if (fault == 0) {
		(void)close(input);
		input = -1;
		write_all(output, strbuf_slice(&f->json));
	} else {
		log_error("events: /bin/sh: %s", strerror(fault));
	}
	(void)close(output);
	return fault == 0 && is_done(pid);
}

/* ---- One event after another ------------------------------------------------------------------
 */

static void on_row(void *ctx, const struct event_row *row)
{
	struct following *f = ctx;
	f->found = true;
	f->id = row->event.id;
	(void)event_label(&row->event, f->label);
	strbuf_release(&f->json);
	strbuf_init(&f->json, cloud_event_bytes(&row->event) + 1);
	cloud_event_add(&f->json, &row->event);
	strbuf_addc(&f->json, '\n');
}

static bool read_next(struct following *f)
{
	const struct event_file_query query = {
		.after = f->position, .limit = 1, .row = on_row, .ctx = f};
	f->found = false;
	if (!event_file_read(f->follow->file, &query))
		return false;
	if (f->found && strbuf_broken(&f->json)) {
		log_error("events: no memory");
		return false;
	}
	if (f->found && f->position > 0 && f->id > f->position + 1)
		log_error("events: those from %" PRId64 " to %" PRId64
			  " were deleted before they were followed",
			f->position + 1, f->id - 1);
	return true;
}

/* False: it was asked to stop. */
static bool sleep_ms(const struct following *f, int64_t ms)
{
	const struct timespec time = {
		.tv_sec = (time_t)(ms / 1000), .tv_nsec = (long)(ms % 1000) * 1000000};
	return sigtimedwait(&f->stop, NULL, &time) < 0;
}

static uint32_t chance(void)
{
	uint32_t ret;
	random_bytes(&ret, sizeof(ret));
	return ret;
}

static int64_t pause_ms(int64_t failures)
{
	int64_t ms = event_pause_ms(failures, chance());
	return ms < LIMIT_FOLLOW_PAUSE_MAX_MS ? ms : LIMIT_FOLLOW_PAUSE_MAX_MS;
}

/* Until it is acknowledged, or a signal comes; false on a fault. */
static bool follow_one(struct following *f, bool *ret_stopped)
{
	int64_t failures = 0;
	while (!*ret_stopped && !run_command(f)) {
		failures++;
		log_error("%s the command has not acknowledged it", f->label);
		*ret_stopped = !sleep_ms(f, pause_ms(failures));
	}
	if (*ret_stopped)
		return true;
	f->position = f->id;
	return event_file_advance(
		f->follow->file, f->follow->name, f->id, clock_wall_ms(&clock_system));
}

static bool follow_all(struct following *f)
{
	bool stopped = false;
	while (!stopped) {
		if (!read_next(f) || (f->found && !follow_one(f, &stopped)))
			return false;
		if (!f->found && f->follow->once)
			return true;
		if (!stopped)
			stopped = !sleep_ms(f, f->found ? 0 : POLL_MS);
	}
	return true;
}

bool follow_run(const struct follow *follow)
{
	struct following f = {.follow = follow};
	strbuf_init(&f.json, 0);
	(void)sigemptyset(&f.stop);
	(void)sigaddset(&f.stop, SIGTERM);
	(void)sigaddset(&f.stop, SIGINT);
	(void)sigprocmask(SIG_BLOCK, &f.stop, &f.before);
	(void)signal(SIGPIPE, SIG_IGN);
	bool ok = event_file_position(follow->file, follow->name, &f.position) && follow_all(&f);
	strbuf_release(&f.json);
	return ok;
}
