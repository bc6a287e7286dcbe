/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Finds an object for a client that may or may not be permitted to read it; several operations on
 * objects begin with this.
 */
#ifndef OPS_DATA_LOOKUP_H
#define OPS_DATA_LOOKUP_H

#include "http/conditional.h"
#include "ops/request.h"

/* What is looked for. `bucket` and `key` live as long as the request. */
struct lookup_what {
	const struct store_bucket *bucket;
	struct slice key;
	struct store_version version; /* all zero: the current one */
	bool head_only;               /* get.blob is not filled */
	bool follow;                  /* of a symbolic link the object it points to */
};

struct lookup {
	struct request *r;
	struct lookup_what what;
	struct store_get get;
	bool found;            /* `get` holds something to be released */
	struct store_get link; /* the link that led to it, if `followed` */
	bool followed;
	void (*done)(struct lookup *lookup);
};

/*
 * Finds an object. If it exists and the client may read it (and the link to it), `done` is called,
 * at once or later, unless the client has disconnected. Otherwise the request is answered. A client
 * that may not read the bucket is refused in the same way whether or not the object exists.
 */
void lookup_start(struct lookup *lookup, struct request *r, const struct lookup_what *what,
	void (*done)(struct lookup *lookup));

/*
 * The object of the request's address, in the version that its query names. A bucket that does not
 * exist, and a version that cannot be, are answered.
 */
void lookup_start_here(struct lookup *lookup, struct request *r, bool head_only, bool follow,
	void (*done)(struct lookup *lookup));

/* Finds the same object again after `done` was called, because the result is outdated. */
void lookup_again(struct lookup *lookup);

/* The result, with the bytes of get.blob, is valid until this; from op->release. */
void lookup_release(struct lookup *lookup);

/*
 * The one whose headers, tags, type and version are reported: the link if there is one, else the
 * object. Size and digests are always the object's (spec: REST API section 6).
 */
const struct store_object *lookup_reported(const struct lookup *lookup);
/* When the object, or the link to it, was last modified: the later of the two. */
int64_t lookup_modified_ms(const struct lookup *lookup);

/* Adds the ETag without quotes. */
void lookup_add_etag(const struct lookup *lookup, struct strbuf *out);

/* Whether a condition holds; it is answered if not. `name` is its header. */
bool lookup_condition_holds(
	struct request *r, enum conditional_result result, const char *name) MUST_USE;

#endif
