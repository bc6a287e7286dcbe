/* SPDX-License-Identifier: Apache-2.0 */
/* The log, and a standard error that is not read, or cannot be written to. */
#include "base/log.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/limits.h"
#include "tap.h"

/* ---- A standard error that fails when told to: this takes the place of the C library's ---------
 */

static atomic_int failures;
static atomic_int failure;

ssize_t write(int fd, const void *bytes, size_t len)
{
	if (fd == STDERR_FILENO && failures > 0) {
		failures--;
		errno = failure;
		return -1;
	}
	return syscall(SYS_write, fd, bytes, len);
}

/* ---- Standard error somewhere else ------------------------------------------------------------
 */

static int kept;

/* Takes the descriptor over. */
static void redirect(int fd)
{
	kept = fcntl(STDERR_FILENO, F_DUPFD_CLOEXEC, 3);
	if (fd < 0 || kept < 0 || dup2(fd, STDERR_FILENO) < 0 || close(fd) != 0)
		abort();
}

static void restore(void)
{
	if (dup2(kept, STDERR_FILENO) < 0 || close(kept) != 0)
		abort();
}

static void log_some(int lines)
{
	for (int i = 0; i < lines; i++)
		log_error("line %d", i);
}

/* How often `what` stands in what was written to the pipe, which is empty afterwards. */
static int count_in(int pipe, const char *what)
{
	char text[8192];
	ssize_t len = read(pipe, text, sizeof(text));
	struct slice rest = slice_of(text, len > 0 ? (size_t)len : 0);
	int count = 0;
	for (size_t at; (at = slice_find_slice(rest, slice_str(what))) < rest.len; count++)
		rest = slice_from(rest, at + 1);
	return count;
}

/* Starts, logs five lines and stops, while the first `times` writes fail; returns the pipe. */
static int log_to_pipe(int times, int error)
{
	int ends[2];
	if (pipe2(ends, O_CLOEXEC) != 0)
		abort();
	redirect(ends[1]);
	failure = error;
	failures = times;
	if (log_start() != ERR_OK)
		abort();
	log_some(5);
	log_stop();
	restore();
	return ends[0];
}

static void interrupted(void)
{
	int pipe = log_to_pipe(3, EAGAIN);
	IS_INT(count_in(pipe, " line "), 5, "a write that has to wait is tried again");
	(void)close(pipe);
	pipe = log_to_pipe(3, EINTR);
	IS_INT(count_in(pipe, " line "), 5, "and so is one that was interrupted");
	(void)close(pipe);
	IS_INT(log_dropped(), 0, "nothing is dropped");
}

static void failing(void)
{
	uint64_t before = log_dropped();
	int pipe = log_to_pipe(1, ENOSPC);
	int there = count_in(pipe, " line ");
	OK(there < 5, "a write fails");
	IS_INT(log_dropped() - before, 5 - there, "the lines that it had are counted");
	(void)close(pipe);
}

static void closed(void)
{
	int ends[2];
	uint64_t before = log_dropped();
	if (pipe2(ends, O_CLOEXEC) != 0)
		abort();
	(void)close(ends[0]);
	redirect(ends[1]);
	if (log_start() != ERR_OK)
		abort();
	log_some(7);
	log_stop();
	restore();
	IS_INT(log_dropped() - before, 7, "lines that nobody will ever read are counted");
}

static void unread(void)
{
	int ends[2];
	uint64_t before = log_dropped();
	if (pipe2(ends, O_CLOEXEC) != 0)
		abort();
	if (fcntl(ends[1], F_SETPIPE_SZ, 4096) != 4096 || write(ends[1], "x", 1) != 1)
		abort();
	redirect(ends[1]);
	if (log_start() != ERR_OK)
		abort();
	log_some(3);
	log_stop();
	restore();
	IS_INT(log_dropped() - before, 3, "at the end a reader that has stalled is not waited for");
	(void)close(ends[0]);
}

/* A terminal that takes a little more, but not all: a write to it blocks though poll() says yes. */
static void blocked(void)
{
	int terminal = posix_openpt(O_RDWR | O_NOCTTY | O_CLOEXEC);
	char name[64];
	if (terminal < 0 || grantpt(terminal) != 0 || unlockpt(terminal) != 0 ||
		ptsname_r(terminal, name, sizeof(name)) != 0)
		abort();
	redirect(open(name, O_WRONLY | O_NOCTTY | O_CLOEXEC));
	if (log_start() != ERR_OK)
		abort();
	log_some(20000);
	log_stop();
	OK(true, "a write that does not return is not waited for");
	/* Lets the thread go, so that it is not left at the end of the test. */
	(void)close(terminal);
	restore();
}

int main(void)
{
	(void)signal(SIGPIPE, SIG_IGN);
	interrupted();
	failing();
	closed();
	unread();
	blocked();
	return tap_done();
}
