/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the two versions of ListObjects, and ListObjectVersions, share: the parameters, the call to
 * the store, and the rows of the answer. They differ in how a listing goes on where another ended,
 * and in a few elements.
 */
#ifndef OPS_BUCKET_LISTING_H
#define OPS_BUCKET_LISTING_H

#include "ops/request.h"

struct listing {
	struct request *r;
	struct store_list list;
	bool encode; /* encoding-type=url */
	bool listed; /* `list` holds something to be released */
	void (*format)(struct listing *listing, struct strbuf *out);
};

/*
 * Reads prefix, delimiter, max-keys and encoding-type. False: one of them is not allowed, and the
 * request has been answered.
 */
bool listing_init(struct listing *listing, struct request *r) MUST_USE;

/* Asks the store, and answers with what `format` makes of listing->list. */
void listing_start(
	struct listing *listing, void (*format)(struct listing *listing, struct strbuf *out));

/* From op->release, whatever has happened. */
void listing_release(struct listing *listing);

/* For `format`: an element with a key or prefix, as the client wants it encoded. */
void listing_add_name(
	const struct listing *listing, struct strbuf *out, const char *element, struct slice name);
/* The last row, where the next listing begins; empty if this is the end. */
struct slice listing_next(const struct listing *listing);
/* LastModified, ETag, Type, Size, StorageClass. */
void listing_add_facts(struct strbuf *out, const struct store_object *object);
/* CommonPrefixes. */
void listing_add_prefixes(const struct listing *listing, struct strbuf *out);
/* Contents, then CommonPrefixes. */
void listing_add_rows(const struct listing *listing, struct strbuf *out, bool with_owner);

#endif
