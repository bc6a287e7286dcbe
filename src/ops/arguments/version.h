/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Versions as clients name them: "null", or 16 upper-case hexadecimal digits, which mean nothing
 * to them.
 */
#ifndef OPS_ARGUMENTS_VERSION_H
#define OPS_ARGUMENTS_VERSION_H

#include "ops/request.h"

/* Adds the id of the version `number`, or "null". */
void version_add_id(struct strbuf *out, bool is_null, uint64_t number);

/* The reverse; false if it cannot be the id of a version. */
bool version_parse(struct slice id, struct store_version *ret) MUST_USE;

/*
 * The version that the query parameter versionId names, or the current one. False: it is no id,
 * and the request has been answered.
 */
bool version_of_request(struct request *r, struct store_version *ret) MUST_USE;
/* The same for an id that came as the argument `name`; ptr is NULL if none came. */
bool version_of_argument(
	struct request *r, const char *name, struct slice id, struct store_version *ret) MUST_USE;

/* Adds the header `name` with the id, unless `bucket` has never kept versions. */
void version_add_header(struct request *r, const char *name, const struct store_bucket *bucket,
	bool is_null, uint64_t number);

/* The same for `object`: x-oss-version-id, and x-oss-delete-marker if it is one. */
void version_add_headers(
	struct request *r, const struct store_bucket *bucket, const struct store_object *object);

/*
 * Answers with `e`, the store's error for `version` of `key`: no such object, no such version, or a
 * delete marker, which `object` describes.
 */
void version_refuse(struct request *r, enum err e, const struct store_bucket *bucket,
	struct slice key, struct store_version version, const struct store_object *object);

#endif
