/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Reads rows of one object, all as they are at one moment:
 *
 *	struct fetch *fetch = fetch_new();
 *	size_t one = fetch_keys(fetch, keys, 2);
 *	size_t two = fetch_range(fetch, "", "o", 100);
 *	int result = fetch_run(fetch, pool, "object");
 *	const struct rows *rows = fetch_rows(fetch, two);
 *	fetch_free(fetch);
 */
#ifndef STORE_RADOS_CLUSTER_FETCH_H
#define STORE_RADOS_CLUSTER_FETCH_H

#include <stdbool.h>

#include "store/rados/cluster/cluster.h"

struct fetch;

struct row {
	struct slice key;
	struct slice value;
};

struct rows {
	const struct row *rows; /* in the order of their keys */
	size_t count;
	bool more; /* of a range: there are more behind these */
};

enum {
	FETCH_ROWS_MAX =
		1024 /* that an OSD gives for a range (its osd_max_omap_entries_per_request) */
};

/* NULL without memory. */
struct fetch *fetch_new(void) MUST_USE;
/* NULL is allowed. */
void fetch_free(struct fetch *fetch);

/* Of these keys those that are there. Returns the number for fetch_rows(). */
size_t fetch_keys(struct fetch *fetch, const struct slice *keys, size_t count);
/* At most `max` rows behind `after` that begin with `prefix`; neither has a NUL in it. */
size_t fetch_range(struct fetch *fetch, const char *after, const char *prefix, uint64_t max);
/* 0, or -errno: -ENOENT if the object is not there. Once. */
int fetch_run(struct fetch *fetch, struct pool *pool, const char *object) MUST_USE;
/* After a success; valid until fetch_free(). */
const struct rows *fetch_rows(const struct fetch *fetch, size_t number);
/* About what it holds of all that was read. */
size_t fetch_bytes(const struct fetch *fetch);
/* The value of a key, or the empty slice. */
struct slice fetched_value(const struct rows *rows, struct slice key);

#endif
