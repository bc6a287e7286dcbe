/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The parameters behind a media type or a disposition: `; name=value; name="value"`, as browsers
 * and other clients of forms write them.
 */
#ifndef HTTP_PARAM_H
#define HTTP_PARAM_H

#include <stdbool.h>

#include "base/slice.h"
#include "base/strbuf.h"

enum param_result {
	PARAM_NONE, /* all of them were read */
	PARAM_FOUND,
	PARAM_BAD,
};

struct param {
	struct slice name;
	struct slice value; /* without its quotes; nothing in it is unescaped, see below */
	bool quoted;
};

/*
 * Takes the next parameter off *rest, which starts behind the type. Empty parameters are skipped.
 * A quote behind a backslash ends a quoted value only if the end or another parameter follows. A
 * value without quotes ends at white space or `;`, and holds no quote and no control byte.
 */
enum param_result param_next(struct slice *rest, struct param *ret) MUST_USE;

/*
 * Whether the sender has escaped: each backslash stands before another one, or before a quote. Go,
 * Apache's HttpClient and curl --form-escape do so; in the whole paths of old browsers it is not
 * so.
 */
bool param_is_escaped(struct slice value) MUST_USE;
/*
 * Appends what the value means: each `\"` is a quote, and in a value that is escaped each `\\` is a
 * backslash. What browsers write for a quote, %22, stays.
 */
void param_unescape(struct slice value, struct strbuf *out);

#endif
