/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Names of buckets and objects, and how a request names them (spec: REST API sections 3 and 4).
 * A struct bucket_name or struct object_key made here is valid; code that is given one need not
 * check. They borrow the text they were parsed from.
 */
#ifndef OSS_NAMES_H
#define OSS_NAMES_H

#include "base/arena.h"
#include "base/err.h"
#include "base/slice.h"
#include "base/strbuf.h"

/* 3 to 63 of a-z, 0-9 and `-`, with no `-` at either end. */
struct bucket_name {
	struct slice text;
};

/*
 * UTF-8 of 1 to LIMIT_KEY_BYTES bytes that does not begin with `/` or `\` and holds no NUL. Every
 * other character may occur, and `//`, `.` and `..` mean nothing: a key is not a path.
 */
struct object_key {
	struct slice text;
};

/* ERR_INVALID_BUCKET_NAME. */
enum err bucket_name_parse(struct slice text, struct bucket_name *ret) MUST_USE;
/* ERR_INVALID_ARGUMENT if it is not UTF-8, ERR_INVALID_OBJECT_NAME. */
enum err object_key_parse(struct slice text, struct object_key *ret) MUST_USE;

/*
 * Whether `name` may stand behind `x-oss-meta-`: at least one of A-Z, a-z, 0-9 and `-`. The limit
 * on all metadata together, LIMIT_USER_META_BYTES, is the caller's to count.
 */
bool user_meta_name_valid(struct slice name) MUST_USE;

enum address_style {
	ADDRESS_PATH,  /* the bucket is the first segment of the path */
	ADDRESS_HOST,  /* the bucket is in the host name, the path is the key */
	ADDRESS_BOUND, /* the whole host name stands for the bucket */
};

/* A host name that stands for one bucket: OSS's CNAME. */
struct bound_host {
	struct slice host; /* lower-case, without port and final dot */
	struct slice bucket;
};

/* How host names are interpreted. */
struct host_rules {
	const struct slice *domains; /* lower-case without a dot at either end */
	size_t domain_count;
	const struct bound_host *bound;
	size_t bound_count;
};

/*
 * Parses HOST=BUCKET. False unless it is a host name without a port and a bucket name. Both point
 * into `text`.
 */
bool bound_host_parse(struct slice text, struct bound_host *ret) MUST_USE;

/* What a request addresses: the service (no bucket), a bucket, or an object in it. */
struct address {
	enum address_style style;
	bool has_bucket;
	bool has_key; /* only with has_bucket */
	struct bucket_name bucket;
	struct object_key key;
};

/* Whether a Host header, which may have a port, is that name, given as in struct bound_host. */
bool host_is(struct slice header, struct slice name) MUST_USE;

/*
 * Finds bucket and key in the Host header and in the path as sent in the request target (without
 * the query). The path is percent-decoded once, and `+` is a space (docs/decisions/0012); decoded
 * text is in `arena`. In a path that names the bucket an encoded slash ends the name too (the C SDK
 * sends it).
 *
 * The port of the host is ignored, and so are the case of its letters and one dot at its end. A
 * bound host addresses its bucket. One below a domain (`<bucket>.<domain>`) or of the form
 * `<bucket>.oss-<region>.aliyuncs.com` names the bucket. A domain itself,
 * `oss-<region>.aliyuncs.com`, `localhost`, an IPv4 address, an IPv6 address in brackets, and no
 * host at all address the service, and so does a domain after a dot, which ali-oss sends: the
 * bucket is then the first segment of the path. `localhost` always counts as a domain.
 *
 * ERR_INVALID_REQUEST: any other host, a path that does not begin with `/` or has a malformed
 * escape. ERR_INVALID_BUCKET_NAME, ERR_INVALID_OBJECT_NAME, ERR_INVALID_ARGUMENT (a key that is not
 * UTF-8). ERR_UNAVAILABLE without memory. `reason` may get a sentence for the client.
 */
enum err address_parse(struct slice host, struct slice path, const struct host_rules *rules,
	struct arena *arena, struct address *ret, struct strbuf *reason) MUST_USE;

#endif
