/* SPDX-License-Identifier: Apache-2.0 */
/* A Ceph cluster for a test program (tests/ceph/cluster), and stores in it. */
#ifndef TESTS_STORE_CEPH_H
#define TESTS_STORE_CEPH_H

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/compiler.h"
#include "store/rados/rados.h"
#include "tap.h"
#include "unit/store/folder.h"

struct ceph {
	char path[FOLDER_PATH_MAX];
	char config[FOLDER_PATH_MAX + 16];
};

enum {
	CEPH_IS_MISSING = 77 /* what tests/ceph/cluster ends with then */
};

/* Runs tests/ceph/cluster; its exit status. */
static inline int ceph_run(const char *what, const char *path)
{
	int status = 0;
	char owner[16];
	(void)snprintf(owner, sizeof(owner), "%d", (int)getpid());
	pid_t pid = fork();
	if (pid == 0) {
		/* What it prints is none of the test's results. */
		(void)dup2(STDERR_FILENO, STDOUT_FILENO);
		(void)execl("tests/ceph/cluster", "cluster", what, path, owner, (char *)NULL);
		_exit(1);
	}
	while (pid > 0 && waitpid(pid, &status, 0) < 0 && errno == EINTR)
		continue;
	return pid > 0 && WIFEXITED(status) ? WEXITSTATUS(status) : 1;
}

/* False, with a word in the results (`# SKIP`), if Ceph's packages are not there. Ends the program
 * otherwise.
 */
static inline bool ceph_start(struct ceph *ceph)
{
	folder_make(ceph->path);
	int status = ceph_run("start", ceph->path);
	if (status != 0)
		folder_remove(ceph->path);
	if (status == CEPH_IS_MISSING) {
		OK(true, "on Ceph # SKIP its packages are missing: tools/install-packages ceph");
		return false;
	}
	if (status != 0)
		exit(1);
	(void)snprintf(ceph->config, sizeof(ceph->config), "%s/ceph.conf", ceph->path);
	return true;
}

/* All objects of a namespace, a line `POOL NAME` each, sorted; on the heap. Ends the program if
 * they cannot be listed.
 */
static inline char *ceph_objects(const struct ceph *ceph, const char *space)
{
	size_t size = 0;
	char *text = NULL;
	int ends[2];
	int status = 1;
	FILE *to = open_memstream(&text, &size);
	pid_t pid = to && pipe2(ends, O_CLOEXEC) == 0 ? fork() : -1;
	if (pid == 0) {
		(void)dup2(ends[1], STDOUT_FILENO);
		(void)execl("tests/ceph/cluster", "cluster", "objects", ceph->path, space,
			(char *)NULL);
		_exit(1);
	}
	if (pid < 0)
		exit(1);
	(void)close(ends[1]);
	char bytes[4096];
	ssize_t got;
	while ((got = read(ends[0], bytes, sizeof(bytes))) > 0)
		(void)fwrite(bytes, 1, (size_t)got, to);
	(void)close(ends[0]);
	(void)fclose(to);
	while (waitpid(pid, &status, 0) < 0 && errno == EINTR)
		continue;
	if (!WIFEXITED(status) || WEXITSTATUS(status) != 0)
		exit(1);
	return text;
}

static inline void ceph_stop(struct ceph *ceph)
{
	(void)ceph_run("stop", ceph->path);
}

/* A store in a namespace. NULL if it does not open. */
static inline struct store *ceph_open(const struct ceph *ceph, struct rados_options options)
{
	struct store *s;
	options.clock = &clock_system;
	options.config = ceph->config;
	options.id = "admin";
	return rados_store_open(&options, &s) == ERR_OK ? s : NULL;
}

#endif
