/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Makes the index of a data folder anew, from its log alone. The new one is made beside the old
 * one, takes its place at once when it is whole and on the disk, and the old one is kept in the
 * folder `damaged`. Nothing else is changed but large files that no record names: they are moved
 * there too.
 */
#ifndef STORE_LOCAL_REBUILD_REBUILD_H
#define STORE_LOCAL_REBUILD_REBUILD_H

#include <stdbool.h>
#include <stdint.h>

#include "base/compiler.h"
#include "base/err.h"

struct rebuild_options {
	const char *path; /* the data folder, which no process uses */
	/*
	 * It was just restored. Large files that no record names are removed if all of the log is
	 * whole; and the log goes on in a new segment, so that no two folders have segments of the
	 * same number and salt that differ.
	 */
	bool is_copy;
	/* Told now and then: how much of the log has been read. May be NULL. */
	void (*progress)(uint64_t done, uint64_t total, void *ctx);
	void *ctx;
};

struct rebuild_result {
	uint64_t records; /* that were read */
	uint64_t lost;    /* places in the log where some cannot be read */
	uint64_t objects; /* current ones, that there are now */
	char kept[64];    /* what the old index is called in `damaged`; empty: there was none */
};

/* Takes the lock, and logs why on failure: then the old index is as it was. */
enum err rebuild_index(const struct rebuild_options *options, struct rebuild_result *ret) MUST_USE;

#endif
