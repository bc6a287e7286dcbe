/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Answers with the files that are part of the executable. Any thread.
 */
#ifndef WEB_ANSWER_H
#define WEB_ANSWER_H

#include "net/exchange.h"
#include "web/assets.h"

/*
 * The file `name` of web/`folder`, which ends in a slash ("page/"); an empty name is index.html.
 * NULL: there is no such file.
 */
const struct asset *web_find(struct slice folder, struct slice name);

/* Where request paths lead below web/. */
struct web_place {
	const char *prefix; /* of the path; ends in a slash */
	const char *folder;
};
/* The file behind a request path, by the first place that it is in. NULL: there is none. */
const struct asset *web_find_path(const struct web_place *places, size_t count, struct slice path);

/*
 * Answers GET or HEAD with the file, or 304 if the client has it. `policy` is its
 * Content-Security-Policy.
 */
void web_send(struct exchange *x, const struct asset *asset, struct slice policy);

#endif
