/* SPDX-License-Identifier: Apache-2.0 */
/* The back ends of the store, for tests that run on each of them. */
#ifndef TESTS_STORE_BACKEND_H
#define TESTS_STORE_BACKEND_H

#include "base/limits.h"
#include "store/local/local.h"
#include "store/memory/memory.h"
#include "unit/store/ceph.h"
#include "unit/store/folder.h"

struct backend {
	const char *name;
	bool keeps;                 /* what it has when it is closed */
	unsigned gc_interval_ms;    /* of the local one */
	char path[FOLDER_PATH_MAX]; /* likewise */
	const struct ceph *ceph;    /* of that on Ceph; its namespace is `name` */
	struct rados_options sizes;
};

/* Ends the program if it cannot. */
static inline struct store *backend_open(const struct backend *backend)
{
	/* Small segments and, unless it is told to wait, a busy collector. */
	const struct local_options options = {.path = backend->path,
		.clock = &clock_system,
		.segment_bytes = MIB(4),
		.gc_bytes_per_second = GIB(1),
		.gc_interval_ms = backend->gc_interval_ms};
	struct store *s;
	enum err e;
	if (backend->ceph) {
		struct rados_options rados = backend->sizes;
		rados.space = backend->name;
		s = ceph_open(backend->ceph, rados);
		e = s ? ERR_OK : ERR_UNAVAILABLE;
	} else {
		e = backend->keeps ? local_store_open(&options, &s)
				   : memory_store_open(&clock_system, &s);
	}
	if (e != ERR_OK) {
		fprintf(stderr, "the store does not open\n");
		exit(1);
	}
	return s;
}

/* Closes and opens it again if it keeps what it has. */
static inline struct store *backend_reopen(const struct backend *backend, struct store *s)
{
	if (!backend->keeps)
		return s;
	store_close(s);
	return backend_open(backend);
}

/* That on Ceph, with usual sizes, and with small ones and tablets that are soon split. */
static inline void each_ceph_backend(void (*test)(const struct backend *backend))
{
	struct ceph ceph;
	if (!ceph_start(&ceph))
		return;
	const struct backend usual = {.name = "rados", .keeps = true, .ceph = &ceph};
	const struct backend small = {.name = "rados-small",
		.keeps = true,
		.ceph = &ceph,
		.sizes = ceph_small("rados-small")};
	printf("# %s\n", usual.name);
	test(&usual);
	printf("# %s\n", small.name);
	test(&small);
	ceph_stop(&ceph);
}

static inline void each_backend(
	unsigned gc_interval_ms, void (*test)(const struct backend *backend))
{
	struct backend local = {.name = "local", .keeps = true, .gc_interval_ms = gc_interval_ms};
	struct backend memory = {.name = "memory"};
	folder_make(local.path);
	printf("# %s\n", local.name);
	test(&local);
	folder_remove(local.path);
	printf("# %s\n", memory.name);
	test(&memory);
	each_ceph_backend(test);
}

#endif
