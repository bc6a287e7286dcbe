/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A few small documents that a deployment has besides its objects: its access keys, the keys that
 * seal tokens and sign callbacks. A document has a name, and bytes that are read and replaced as a
 * whole. Where they lie is the place's matter (place.h): in the data folder, in memory, or where
 * all gateways of one store have them.
 *
 * Any thread may call. Calls wait for the place, unless it says otherwise, and log why they fail:
 * ERR_INTERNAL, ERR_DISK_FULL, ERR_UNAVAILABLE.
 */
#ifndef DOCUMENTS_DOCUMENTS_H
#define DOCUMENTS_DOCUMENTS_H

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"
#include "base/strbuf.h"

struct documents;

enum {
	DOCUMENT_BYTES_MAX = 1 << 20
};

/* The files of that folder, mode 0600. It need not be there before something is written. */
enum err documents_in_folder(const char *path, struct documents **ret) MUST_USE;
/* In memory: gone when they are closed. */
enum err documents_in_memory(struct documents **ret) MUST_USE;
/* Nobody is told of anything afterwards. NULL is allowed. */
void documents_close(struct documents *d);

/* Where they are, for messages: "WHERE/NAME" is a document. Lives as long as `d`. */
const char *documents_where(const struct documents *d);

/*
 * Appends the document to `out`, whose ceiling is DOCUMENT_BYTES_MAX or less; what is longer is an
 * error. ERR_OK with *ret_found false if there is none. The caller wipes `out`.
 */
enum err documents_read(
	struct documents *d, const char *name, struct strbuf *out, bool *ret_found) MUST_USE;

/* Whether there is one, whatever is in it. */
enum err documents_has(struct documents *d, const char *name, bool *ret_has) MUST_USE;

/*
 * Replaces the document, durably and whole or not at all, if it is what it `was`; empty: there must
 * be none. Otherwise *ret_replaced is false, and somebody else was faster: read it again. After
 * ERR_UNAVAILABLE it may have been replaced.
 */
enum err documents_replace(struct documents *d, const char *name, struct slice was,
	struct slice bytes, bool *ret_replaced) MUST_USE;

/*
 * Reads the document, and makes it if there is none: all who call at the same time, wherever they
 * are, get the same. `make` appends to an empty strbuf. The caller wipes `out`.
 */
enum err documents_read_or_make(struct documents *d, const char *name,
	enum err (*make)(struct strbuf *out), struct strbuf *out) MUST_USE;

/* ---- Changes --------------------------------------------------------------------------------- */

enum {
	DOCUMENT_MARK_WORDS = 6
};

/* Somebody who has to know what a document is now. */
struct document_follower {
	const char *name;
	/*
	 * Takes what the document is from now on; not `found`: it is gone. False, and it is told
	 * again, if it is of no use, which was logged. One call at a time; must not call
	 * documents_*.
	 */
	bool (*take)(struct document_follower *follower, bool found, struct slice bytes);

	/* Private. */
	struct documents *documents;
	struct document_follower *next;
	uint64_t mark[DOCUMENT_MARK_WORDS]; /* of what was taken last */
};

/*
 * Has the follower take the document, and then each that comes after it, until
 * documents_unfollow(). *ret_found is false, and nothing is followed, if there is none.
 * ERR_INTERNAL also if it was not taken.
 */
enum err documents_follow(
	struct documents *d, struct document_follower *follower, bool *ret_found) MUST_USE;
/* Allowed also if nothing is followed, or the documents were closed; but not at that moment. */
void documents_unfollow(struct document_follower *follower);

/*
 * To be called every second or so, by one thread: in some places changes are noticed here alone.
 * What cannot be read now is read the next time. With `force` each document is read and taken
 * again, changed or not. A place that is told of changes does not wait here, and takes what has
 * changed.
 */
void documents_look(struct documents *d, bool force);

#endif
