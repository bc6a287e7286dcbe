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
 * What ListBuckets and GetBucketInfo both say about a bucket, name and location first. The
 * endpoints are the one that the request was sent to.
 */
void elements_add_bucket(
	struct strbuf *out, const struct request *r, const struct store_bucket *bucket);

/* The URL of the request's object, in the style of the request. */
void elements_add_url(struct strbuf *out, const struct request *r);

/*
 * `<element>name</element>` in a list, percent-encoded if encoding-type=url was given. Otherwise it
 * is written as it is, even if XML cannot represent it, so that a client can request what it lists.
 */
void elements_add_name(struct strbuf *out, const char *element, struct slice name, bool encode);
/*
 * `<Key>`, the request's own, percent-encoded if encoding-type=url was given. Otherwise characters
 * that XML cannot represent become U+FFFD, and every parser accepts the answer: the client knows
 * the key.
 */
void elements_add_key(struct strbuf *out, const struct request *r, bool encode);

#endif
