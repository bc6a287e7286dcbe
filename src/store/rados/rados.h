/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The back end on Ceph RADOS: any number of processes serve one store, and none of them owns a part
 * of it. docs/on-rados.md has its rows.
 *
 *	rados.c     opening and closing
 *	attach.c    the pools of a store
 *	mutation.c  deletes, changes of metadata, uploads
 *	rows/       what the rows say
 *	tablet/     changes of objects
 *	data/       bytes that come and go
 *	list/       listings
 *	gateways/   those that serve this store
 *	garbage/    removing what nothing refers to
 *	buckets/    the table of buckets
 *	fsck/       checking all of it
 *	documents/  what else all gateways have in common
 *	state/      what all of these know
 *	cluster/    what is said to Ceph
 */
#ifndef STORE_RADOS_RADOS_H
#define STORE_RADOS_RADOS_H

#include "base/clock.h"
#include "documents/documents.h"
#include "documents/shared_log.h"
#include "documents/shared_marks.h"
#include "store/store.h"

struct rados_options {
	const struct clock *clock;
	const char *config; /* the path of a ceph.conf */
	const char *id;     /* `postern` for client.postern */
	const char *space;  /* the RADOS namespace; NULL or "": the default one */
	/* NULL: `index`, `small` and `data`. The last two may be the same. */
	const char *index_pool;
	const char *small_pool;
	const char *data_pool;
	unsigned timeout_s; /* of an operation; 0: what base/limits.h says */
	/*
	 * For tests; 0: what base/limits.h says. All who open a namespace have the same chunks and
	 * small bytes.
	 */
	size_t inline_bytes;
	size_t small_bytes;
	size_t chunk_bytes;
	unsigned batch;
	uint64_t split;    /* objects, older versions and uploads in a tablet, until it is split */
	uint64_t merge;    /* in two that are side by side, for them to become one; 0: split / 4 */
	unsigned own_rows; /* of a tablet's counts, that are read at a time */
	unsigned fold;     /* rows of gateways that have ended, until they are made one */
	/*
	 * For tests; 0: what base/limits.h says. A gateway that does not move for `dead_beats` of
	 * another one's beats is dead.
	 */
	unsigned beat_ms;
	unsigned dead_beats;
	unsigned epoch_ms;
	unsigned collect_ms;
	unsigned frozen_ms; /* in which whoever freezes a tablet goes on */
	unsigned look_ms;   /* between two looks at the documents */
	uint64_t claim;     /* numbers of data in advance */
};

/*
 * Opens the store in that namespace, which may be a new one. Waits. ERR_UNAVAILABLE, logged, if
 * Ceph, or its library, cannot be had.
 */
enum err rados_store_open(const struct rados_options *options, struct store **ret) MUST_USE;

/*
 * The documents that all gateways of that store have in common (documents/documents.h). A follower
 * is told of a change before whoever made it goes on, or within LIMIT_RADOS_LOOK_MS once Ceph
 * answers. Close them before the store. Waits. ERR_UNAVAILABLE, logged.
 */
enum err rados_documents(struct store *store, struct documents **ret) MUST_USE;
/* Marks of that store. Close them before it. ERR_UNAVAILABLE. */
enum err rados_marks(struct store *store, struct shared_marks **ret) MUST_USE;
/*
 * A log of that store, by its name, which outlives it; a ring has LIMIT_RADOS_RING entries. Close
 * it before the store. ERR_UNAVAILABLE.
 */
enum err rados_log(struct store *store, const char *name, struct shared_log **ret) MUST_USE;
/* Documents for a process that has no store open, and does not wait for changes: a command. */
enum err rados_documents_open(const struct rados_options *options, struct documents **ret) MUST_USE;

#endif
