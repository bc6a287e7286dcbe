/* SPDX-License-Identifier: Apache-2.0 */
/*
 * An http or https URL, taken apart. Nothing is decoded, and nothing is checked but the scheme:
 * whoever uses a part says what may be in it. One that we send requests to is checked as a whole.
 */
#ifndef HTTP_URL_H
#define HTTP_URL_H

#include <stdbool.h>

#include "base/compiler.h"
#include "base/slice.h"

/* All parts point into the text. */
struct url {
	bool tls;               /* https */
	struct slice origin;    /* scheme and authority: http://127.0.0.1:9000 */
	struct slice authority; /* user@host:port, as far as they are there */
	struct slice rest;      /* what follows it, fragment included; may be empty */
	struct slice target;    /* `rest` without the fragment: path and query */
	struct slice path;      /* empty, or begins with `/` */
};

/* Whether the text begins with some scheme and `://`, and where those end. */
bool url_has_scheme(struct slice text, size_t *ret_end) MUST_USE;
/* False if it does not begin with http:// or https://, in letters of any case. */
bool url_split(struct slice text, struct url *ret) MUST_USE;
/*
 * What keeps us from sending requests to it, as the end of a sentence that begins with the name of
 * an option; NULL: nothing.
 */
const char *url_request_fault(struct slice text) MUST_USE;

#endif
