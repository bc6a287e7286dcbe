/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Conditional requests (RFC 9110 section 13): whether an object meets the conditions of a request.
 */
#ifndef HTTP_CONDITIONAL_H
#define HTTP_CONDITIONAL_H

#include <stdbool.h>
#include <stdint.h>

#include "base/slice.h"
#include "http/head.h"

/* The values of the four headers; ptr is NULL for one that is absent. */
struct conditional {
	struct slice if_match;
	struct slice if_none_match;
	struct slice if_modified_since;
	struct slice if_unmodified_since;
};

enum conditional_result {
	CONDITIONAL_PROCEED,
	CONDITIONAL_NOT_MODIFIED, /* 304 */
	CONDITIONAL_FAILED,       /* 412 */
};

/*
 * The four headers of a request whose names begin with `prefix`: "" for the object itself,
 * "x-oss-copy-source-" for the source of a copy.
 */
struct conditional conditional_from_head(const struct request_head *head, struct slice prefix);

/*
 * Evaluates the conditions in the order of RFC 9110 section 13.2.2 against an object that exists.
 * `etag` is without quotes; tags are compared without regard to ASCII case, and a client may leave
 * out the quotes. A date that cannot be parsed is ignored. `is_read` says that the method is GET or
 * HEAD; otherwise there is no 304. *ret_name gets the name of the header that decided ("If-Match"),
 * NULL for CONDITIONAL_PROCEED.
 */
enum conditional_result conditional_check(const struct conditional *c, struct slice etag,
	int64_t modified_s, bool is_read, const char **ret_name) MUST_USE;

/*
 * Whether a Range may be answered with a part: If-Range (RFC 9110 section 13.1.5) is absent, or its
 * `value` is the object's tag (not a weak one, not a list; quotes may be left out). A date never is
 * enough: an object may change twice in a second, so that its date is a weak validator (8.8.2.2).
 */
bool conditional_if_range(struct slice value, struct slice etag) MUST_USE;

#endif
