/* SPDX-License-Identifier: Apache-2.0 */
/* The header x-oss-copy-source: which object a copy is made from (spec: REST API section 6). */
#ifndef OSS_COPY_SOURCE_H
#define OSS_COPY_SOURCE_H

#include "oss/names.h"

struct copy_source {
	struct bucket_name bucket;
	struct object_key key;
	struct slice version; /* of `?versionId=`, as sent; ptr is NULL if there is none */
};

/*
 * Reads `/bucket/key` or `/bucket/key?versionId=v`, percent-encoded; the first slash may be absent
 * and any slash may be encoded. `+` is a space: the Go SDK writes spaces so, and no SDK leaves a
 * plus sign as it is. The names lie in `arena`.
 *
 * ERR_INVALID_ARGUMENT with a sentence in `reason`, ERR_INVALID_BUCKET_NAME,
 * ERR_INVALID_OBJECT_NAME, ERR_UNAVAILABLE without memory.
 */
enum err copy_source_parse(struct slice text, struct arena *arena, struct copy_source *ret,
	struct strbuf *reason) MUST_USE;

#endif
