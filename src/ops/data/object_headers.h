/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a client says about an object when it uploads it, from headers (PutObject) or form fields
 * (PostObject): the header lines that are kept with it and sent with every GET, and its ACL.
 */
#ifndef OPS_DATA_OBJECT_HEADERS_H
#define OPS_DATA_OBJECT_HEADERS_H

#include "base/err.h"
#include "base/strbuf.h"
#include "store/store.h"

struct object_headers {
	struct strbuf lines; /* "Name: value\r\n" each */
	size_t user_meta_bytes;
	struct slice content_type;  /* borrowed; empty: none was given */
	struct slice storage_class; /* borrowed; empty: that of the bucket */
	struct slice bucket_class;  /* set by the caller; borrowed; empty: Standard */
	struct strbuf tags;         /* of x-oss-tagging, as oss/rules/tagging.h keeps them */
	enum store_acl acl;
	bool no_tags;          /* set by the caller: x-oss-tagging is passed over */
	bool forbid_overwrite; /* not heeded where versions are kept: object_headers_forbid() */
};

void object_headers_init(struct object_headers *h);
void object_headers_release(struct object_headers *h);

/*
 * Reads one header or field; names without a meaning for an object are ignored. The value must live
 * until object_headers_finish(). ERR_INVALID_ARGUMENT, ERR_INVALID_ENCRYPTION, ERR_NOT_IMPLEMENTED
 * (supported by OSS but not here), mostly with a sentence in `reason`; the errors of
 * tagging_parse_header().
 */
enum err object_headers_add(struct object_headers *h, struct slice name, struct slice value,
	struct strbuf *reason) MUST_USE;

/* Whether a value can be sent in a header: it holds no control characters. */
bool object_headers_fits(struct slice value);

/* Whether the object must not replace another: OSS heeds that only where no versions are kept. */
bool object_headers_forbid(const struct object_headers *h, const struct store_bucket *bucket);

/* Adds the content type (application/octet-stream by default) and the storage class. */
enum err object_headers_finish(struct object_headers *h) MUST_USE;

/*
 * The same for a copy: takes over `lines`, which are kept with another object, rather than what
 * was added; its storage class is no property of the copy.
 */
enum err object_headers_finish_copy(struct object_headers *h, struct slice lines) MUST_USE;

/* The value of a line in kept headers, or the empty slice. */
struct slice object_headers_find(struct slice lines, struct slice name);

#endif
