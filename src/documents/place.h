/* SPDX-License-Identifier: Apache-2.0 */
/* What a place of documents has to do. It embeds `struct documents`. */
#ifndef DOCUMENTS_PLACE_H
#define DOCUMENTS_PLACE_H

#include <pthread.h>

#include "documents/documents.h"

struct document_mark {
	uint64_t words[DOCUMENT_MARK_WORDS];
};

/* As in documents.h. */
struct documents_ops {
	enum err (*read)(
		struct documents *d, const char *name, struct strbuf *out, bool *ret_found);
	enum err (*replace)(struct documents *d, const char *name, struct slice was,
		struct slice bytes, bool *ret_replaced);
	/*
	 * Optional: what tells, without reading it, that a document is another one; all 0 if there
	 * is none. Without it the bytes tell.
	 */
	struct document_mark (*mark)(struct documents *d, const char *name);
	/* Optional: instead of documents_tell(), if a thread of the place calls that. */
	void (*look)(struct documents *d, bool force);
	/* Releases the base. */
	void (*close)(struct documents *d);
};

struct documents {
	const struct documents_ops *ops;
	char *where;
	pthread_mutex_t lock; /* of the followers; held while one of them reads and takes */
	struct document_follower *followers;
};

/* `where` is copied. False without memory; documents_release() is due in any case. */
bool documents_init(
	struct documents *d, const struct documents_ops *ops, const char *where) MUST_USE;
void documents_release(struct documents *d);

/* Tells the followers what has changed. False if one was not read, or not taken. Waits. */
bool documents_tell(struct documents *d, bool force);

#endif
