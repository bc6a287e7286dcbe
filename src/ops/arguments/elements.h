/* SPDX-License-Identifier: Apache-2.0 */
/* Pieces of XML that the answers of several operations have in common. */
#ifndef OPS_ARGUMENTS_ELEMENTS_H
#define OPS_ARGUMENTS_ELEMENTS_H

#include "ops/request.h"

/* `<Owner>`: this store has one. */
void elements_add_owner(struct strbuf *out);

/* The document `<AccessControlPolicy>`. */
void elements_add_acl(struct strbuf *out, enum store_acl acl);

/* The store's: "cn-hangzhou" unless another is set. */
struct slice elements_region(const struct request *r);
/* "oss-cn-hangzhou": the region that is configured, or OSS's first. */
void elements_add_location(struct strbuf *out, const struct request *r);

/* The storage class of objects that say none; its bytes are the bucket's, or static. */
struct slice elements_storage_class(const struct store_bucket *bucket);
/*
 * What ListBuckets and GetBucketInfo both tell of a bucket, name and location first. Its endpoints
 * are the one at which the request came in.
 */
void elements_add_bucket(
	struct strbuf *out, const struct request *r, const struct store_bucket *bucket);

/* The URL of the request's object, in the style of the request. */
void elements_add_url(struct strbuf *out, const struct request *r);

/*
 * The key that the request itself names; percent-encoded if encoding-type=url was asked for, and
 * else in XML that every reader takes: whoever asked knows it.
 */
void elements_add_key(struct strbuf *out, const struct request *r, bool encode);

/*
 * `<element>name</element>` of a list, percent-encoded if encoding-type=url was asked for; else as
 * it is, also if XML cannot hold it, so that what a list says can be asked for.
 */
void elements_add_name(struct strbuf *out, const char *element, struct slice name, bool encode);
/*
 * `<Key>`, the request's own: who sent it knows it, so what XML cannot hold is U+FFFD, and every
 * parser reads the answer.
 */
void elements_add_key(struct strbuf *out, const struct request *r, bool encode);

#endif
