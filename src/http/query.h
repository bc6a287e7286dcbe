/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The query of a request target: "acl&prefix=a%2Fb&max-keys=". It is decoded once, and everybody
 * who asks what a request wants reads the decoded list: two readers that decode apart could be
 * made to disagree.
 */
#ifndef HTTP_QUERY_H
#define HTTP_QUERY_H

#include <stdbool.h>
#include <stddef.h>

#include "base/arena.h"
#include "base/slice.h"

struct query_param {
	struct slice name;
	struct slice value;
	bool has_value; /* there is a `=`: "acl=" differs from "acl" */
};

struct query {
	struct slice text;                /* as sent, without `?` */
	const struct query_param *params; /* decoded, in the order of the text */
	size_t count;
};

/*
 * Decodes `text`; what had to be decoded lies in `arena`, the rest borrows from `text`. A plus is a
 * space. A name or a value with a malformed escape is taken as it stands. Empty parameters
 * ("a&&b") are skipped. No name or value has a NULL pointer. False without memory.
 */
bool query_parse(struct slice text, struct arena *arena, struct query *ret) MUST_USE;

/* The first parameter of that name; NULL if there is none. */
const struct query_param *query_find(const struct query *query, struct slice name);

/*
 * Takes the first parameter, still encoded, off *rest, which starts as the query's text. False when
 * none is left. For those who show or re-encode the text; query_parse() is for those who act on it.
 */
bool query_next(struct slice *rest, struct query_param *ret);

#endif
