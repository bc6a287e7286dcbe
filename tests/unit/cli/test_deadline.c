/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/deadline.h"

#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/log.h"
#include "tap.h"

static void succeed(void)
{
	deadline_begin(3600000);
	deadline_step("nothing");
	deadline_end();
}

/* As a stop that a lost request keeps from ending. */
static void hang(void)
{
	deadline_begin(50);
	deadline_step("requests that are at work");
	for (;;)
		(void)pause();
}

/* Runs it in a process of its own; the exit status, and what was logged. */
static int run(void (*what)(void), char *text, size_t size)
{
	int ends[2];
	int status;
	size_t len = 0;
	if (pipe(ends) != 0)
		abort();
	(void)fflush(stdout);
	pid_t pid = fork();
	if (pid == 0) {
		if (dup2(ends[1], STDERR_FILENO) < 0 || log_start() != ERR_OK)
			_exit(2);
		what();
		log_stop();
		_exit(0);
	}
	(void)close(ends[1]);
	for (ssize_t n; (n = read(ends[0], text + len, size - 1 - len)) > 0;)
		len += (size_t)n;
	text[len] = '\0';
	(void)close(ends[0]);
	if (pid < 0 || waitpid(pid, &status, 0) != pid || !WIFEXITED(status))
		return -1;
	return WEXITSTATUS(status);
}

int main(void)
{
	char text[4096];
	IS_INT(run(succeed, text, sizeof(text)), 0, "who is in time ends as usual");
	IS(slice_str(text), S(""), "and nothing is said");
	IS_INT(run(hang, text, sizeof(text)), 1, "who is not is ended");
	OK(strstr(text, "error stopping takes longer than 50 ms, waiting for requests that are at "
			"work: the process ends without it\n"),
		"and the log says what was waited for");
	return tap_done();
}
