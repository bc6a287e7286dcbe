/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The query of a request target, as sent: "acl&prefix=a%2Fb&max-keys=". Names and values are given
 * raw; decoding is the caller's (base/encode.h).
 */
#ifndef HTTP_QUERY_H
#define HTTP_QUERY_H

#include <stdbool.h>

#include "base/slice.h"

struct query_param {
	struct slice name;
	struct slice value;
	bool has_value; /* there is a `=`: "acl=" differs from "acl" */
};

/*
 * Takes the first parameter off *rest, which starts as the query. False when none is left. Empty
 * ones ("a&&b") are skipped.
 */
bool query_next(struct slice *rest, struct query_param *ret);

/* The first parameter whose raw name is `name`; false, with *ret untouched, if there is none. */
bool query_find(struct slice query, struct slice name, struct query_param *ret);

/* How many parameters have that raw name. */
size_t query_count(struct slice query, struct slice name);

#endif
