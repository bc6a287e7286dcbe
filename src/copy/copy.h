/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Copies all that one store has into another one, of whatever back ends: buckets with their
 * settings, and all versions of all objects as they are (struct store_kept). What the target has
 * already is passed over, so that a copy that was broken off goes on where it was. Then both are
 * compared. Nobody should change either of them meanwhile; what differs in the end is told.
 *
 *	copy.c     buckets, one after the other, first copied and then compared
 *	bucket.c   a bucket and its settings
 *	keys.c     all keys of a bucket, with the rows of their versions
 *	pair.c     a key of both: what is to be done about it
 *	crew.c     the threads that do it
 *	version.c  copying one version, and reading one again
 */
#ifndef COPY_COPY_H
#define COPY_COPY_H

#include <stdbool.h>
#include <stdint.h>

#include "store/store.h"

enum copy_phase {
	COPY_BEGINS, /* what there is, and buckets: versions and bytes are not known yet */
	COPY_COPIES,
	COPY_COMPARES,
};

/* Something that was not copied, or is not what it should be. Borrowed while it is told. */
struct copy_finding {
	struct slice bucket;
	struct slice key;    /* empty: it is about the bucket */
	const char *version; /* its id; "": it is about no version */
	const char *what;
};

struct copy_progress {
	enum copy_phase phase;
	uint64_t versions; /* that were seen to, markers among them */
	uint64_t versions_all;
	uint64_t bytes;
	uint64_t bytes_all;
};

struct copy_options {
	struct store *from;
	struct store *to;
	bool verifies; /* reads all bytes of the target again */
	/* Both are called by one thread at a time. */
	void (*found)(const struct copy_finding *finding, void *ctx);
	/* Told now and then; false to break off. */
	bool (*progress)(const struct copy_progress *progress, void *ctx);
	void *ctx;
};

struct copy_result {
	uint64_t buckets;
	uint64_t versions; /* that were copied now, with markers; and their bytes */
	uint64_t bytes;
	uint64_t there;   /* that the target had already */
	uint64_t same;    /* that both have, as was found by comparing them */
	uint64_t uploads; /* multipart uploads, which are not copied */
	uint64_t findings;
	bool is_stopped; /* `progress` said so */
};

/*
 * Waits. ERR_OK: all was copied but for what was found. Otherwise it was broken off, which was
 * logged, or ret->is_stopped; the same call goes on then.
 */
enum err copy_run(const struct copy_options *options, struct copy_result *ret) MUST_USE;

#endif
