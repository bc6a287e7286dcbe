/* SPDX-License-Identifier: Apache-2.0 */
/* What both versions of signatures take from a request. For sign*.c only. */
#ifndef OSS_SIGN_SIGN_INTERNAL_H
#define OSS_SIGN_SIGN_INTERNAL_H

#include "oss/sign/sign.h"

/* The first header of that name, in any case; NULL if there is none. */
const struct http_header *sign_header_find(const struct sign_request *r, struct slice name);
/* Its value; empty if there is none. */
struct slice sign_header_value(const struct sign_request *r, struct slice name);

/* Whether a name, in any case, begins with `x-oss-`. */
bool sign_is_oss_name(struct slice name);

/* Which headers are meant. */
struct sign_choice {
	bool (*wants)(const struct sign_choice *choice, struct slice name); /* of any case */
	const struct slice *listed;
	size_t listed_count;
};

/*
 * Appends `name:value LF` for each chosen header, with lower-case names in their order; values of
 * the same name are joined by commas. False without memory.
 */
bool sign_add_headers(const struct sign_request *r, const struct sign_choice *choice,
	struct arena *arena, struct strbuf *out) MUST_USE;

/* Appends `/`, `/bucket/` or `/bucket/key`, the key as it is; or the path. */
void sign_add_resource(const struct sign_request *r, struct strbuf *out);

#endif
