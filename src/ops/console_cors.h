/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The web console is a page on another origin, and has to work for buckets without CORS rules, for
 * those that do not exist, and for the service itself. So the store answers the console's own
 * origins (ops_options.console_origins) by itself, before any rules of a bucket: every preflight
 * succeeds, and the answer to a request that claims to be signed may be read, errors included. What
 * the console's page asks for without a signature is subject to the rules of the bucket.
 *
 * That gives nobody a right: whoever can sign could do so without a browser.
 */
#ifndef OPS_CONSOLE_CORS_H
#define OPS_CONSOLE_CORS_H

#include "ops/request.h"
#include "oss/cors.h"

/*
 * The answer to OPTIONS from any origin: as cors_preflight() with the rules of the bucket, which
 * may be NULL, unless the origin is the console's. Any thread.
 */
enum err console_cors_preflight(const struct ops *ops, const struct store_bucket *bucket,
	const struct cors_request *asked, struct strbuf *lines) MUST_USE;

/* Whether the origin is the console's. */
bool console_cors_is(const struct ops *ops, struct slice origin);

/* Whether the request is a preflight of the console's page, whatever it is addressed to. */
bool console_cors_asks(const struct request *r);

/* Adds the header lines of an actual request's answer; false if it is not for the console. */
bool console_cors_actual(const struct request *r, struct strbuf *lines);

#endif
