/* SPDX-License-Identifier: Apache-2.0 */
/* A Ceph cluster for a test program (tests/ceph/cluster), and stores in it. */
#ifndef TESTS_STORE_CEPH_H
#define TESTS_STORE_CEPH_H

#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/compiler.h"
#include "store/rados/cluster/librados.h"
#include "store/rados/rados.h"
#include "tap.h"
#include "unit/store/folder.h"

struct ceph {
	char path[FOLDER_PATH_MAX];
	char config[FOLDER_PATH_MAX + 16];
	struct librados api;
	void *handle; /* librados's, for ceph_objects() */
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
	ceph->handle = NULL;
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

/* What librados has to list objects; the other calls are the store's (librados.h). */
struct ceph_list {
	int (*open)(void *io, void **ret);
	int (*next)(void *list, const char **ret, const char **ret_key, const char **ret_space);
	void (*close)(void *list);
};

static inline void ceph_list_bind(struct ceph_list *ret)
{
	void *library = dlopen("librados.so.2", RTLD_NOW);
	if (library) {
		*(void **)&ret->open = dlsym(library, "rados_nobjects_list_open");
		*(void **)&ret->next = dlsym(library, "rados_nobjects_list_next");
		*(void **)&ret->close = dlsym(library, "rados_nobjects_list_close");
	}
	if (!library || !ret->open || !ret->next || !ret->close)
		exit(1);
}

/* Connects for ceph_objects(), once. */
static inline void ceph_connect(struct ceph *ceph)
{
	if (ceph->handle)
		return;
	if (librados_load(&ceph->api) != ERR_OK ||
		ceph->api.create2(&ceph->handle, "ceph", "client.admin", 0) < 0 ||
		ceph->api.conf_read_file(ceph->handle, ceph->config) < 0 ||
		ceph->api.connect(ceph->handle) < 0)
		exit(1);
}

static inline int ceph_compare_lines(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

/* All objects of a namespace, a line `POOL NAME` each, sorted; on the heap. Ends the program if
 * they cannot be listed.
 */
static inline char *ceph_objects(struct ceph *ceph, const char *space)
{
	static const char *const pools[] = {"data", "index", "small"};
	struct ceph_list calls = {.open = NULL};
	char **lines = NULL;
	size_t count = 0;
	size_t size = 0;
	char *text = NULL;
	ceph_list_bind(&calls);
	ceph_connect(ceph);
	for (size_t i = 0; i < ARRAY_LEN(pools); i++) {
		void *io;
		void *list;
		const char *name;
		int result;
		if (ceph->api.ioctx_create(ceph->handle, pools[i], &io) < 0)
			exit(1);
		ceph->api.ioctx_set_namespace(io, space);
		if (calls.open(io, &list) < 0)
			exit(1);
		while ((result = calls.next(list, &name, NULL, NULL)) == 0) {
			lines = reallocarray(lines, count + 1, sizeof(*lines));
			if (!lines || asprintf(&lines[count++], "%s %s\n", pools[i], name) < 0)
				exit(1);
		}
		if (result != -ENOENT) /* which is the end */
			exit(1);
		calls.close(list);
		ceph->api.ioctx_destroy(io);
	}
	if (count)
		qsort(lines, count, sizeof(*lines), ceph_compare_lines);
	FILE *to = open_memstream(&text, &size);
	for (size_t i = 0; i < count; i++) {
		(void)fputs(lines[i], to);
		free(lines[i]);
	}
	(void)fclose(to);
	free(lines);
	return text;
}

static inline void ceph_stop(struct ceph *ceph)
{
	if (ceph->handle)
		ceph->api.shutdown(ceph->handle);
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

/* The same; ends the program, with a word in the results, if it does not open. */
static inline struct store *ceph_open_or_end(const struct ceph *ceph, struct rados_options options)
{
	struct store *s = ceph_open(ceph, options);
	if (!s) {
		OK(false, "a store opens on %s", options.space);
		exit(tap_done());
	}
	return s;
}

/* Sizes that are met soon. */
static inline struct rados_options ceph_small(const char *space)
{
	return (struct rados_options){.space = space,
		.inline_bytes = 16,
		.small_bytes = 5000,
		.chunk_bytes = 300000,
		.batch = 3,
		.split = 20};
}

/* The same, and time passes quickly; but nobody is taken for dead. */
static inline struct rados_options ceph_quick(const char *space)
{
	struct rados_options options = ceph_small(space);
	options.beat_ms = 10;
	options.dead_beats = 1000000;
	options.epoch_ms = 20;
	options.collect_ms = 20;
	options.claim = 64;
	return options;
}

#endif
