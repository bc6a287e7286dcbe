/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What pages on other origins may do: the CORS rules of the bucket, and before them those of the
 * web console.
 *
 * The console is a page on another origin, and has to work for buckets without CORS rules, for
 * those that do not exist, and for the service itself. So the store always admits the console's
 * origins (ops_options.console_origins): every preflight succeeds, and the answer to a request with
 * a signature may be read, errors included. Requests without a signature are subject to the
 * bucket's rules.
 *
 * This gives nobody a permission: whoever can sign needs no browser.
 */
#ifndef OPS_ACCESS_CROSS_ORIGIN_H
#define OPS_ACCESS_CROSS_ORIGIN_H

#include "ops/request.h"
#include "oss/rules/cors.h"

/* Whether the origin is the console's. */
bool cross_origin_is_console(const struct ops *ops, struct slice origin);

/* Whether the request is a preflight of the console's page, whatever it is addressed to. */
bool cross_origin_is_console_preflight(const struct request *r);

/*
 * The answer to OPTIONS from any origin: as cors_preflight() with the rules of the bucket, which
 * may be NULL, unless the origin is the console's. Any thread.
 */
enum err cross_origin_preflight(const struct ops *ops, const struct store_bucket *bucket,
	const struct cors_request *asked, struct strbuf *lines) MUST_USE;

/*
 * Decides whether the page that has sent the request may read its answer: sets r->cors_lines, from
 * what is known of the request by now. `claimed`: it claims to be signed, rightly or not.
 */
void cross_origin_decide(struct request *r, bool claimed);

#endif
