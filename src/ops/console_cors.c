/* SPDX-License-Identifier: Apache-2.0 */
#include "ops/console_cors.h"

#include "ops/auth.h"
#include "ops/cors_cache.h"
#include "ops/ops_internal.h"
#include "oss/origin.h"

bool console_cors_is(const struct ops *ops, struct slice origin)
{
	const struct ops_options *options = &ops->options;
	for (size_t i = 0; i < options->console_origin_count; i++)
		if (origin_matches(options->console_origins[i], origin))
			return true;
	return false;
}

static void add_line(struct strbuf *lines, const char *name, struct slice value)
{
	strbuf_addf(lines, "%s: ", name);
	strbuf_add_slice(lines, value);
	strbuf_adds(lines, "\r\n");
}

enum err console_cors_preflight(const struct ops *ops, const struct store_bucket *bucket,
	const struct cors_request *asked, struct strbuf *lines)
{
	if (asked->method.len == 0 || !console_cors_is(ops, asked->origin))
		return cors_cache_preflight(ops->cors, bucket, asked, lines);
	add_line(lines, "Access-Control-Allow-Origin", asked->origin);
	add_line(lines, "Access-Control-Allow-Methods", S("GET, HEAD, PUT, POST, DELETE"));
	if (asked->headers.len)
		add_line(lines, "Access-Control-Allow-Headers", asked->headers);
	add_line(lines, "Access-Control-Max-Age", S("600"));
	add_line(lines, "Vary", S("Origin"));
	return ERR_OK;
}

bool console_cors_asks(const struct request *r)
{
	return r->head->method == HTTP_OPTIONS &&
	       request_header(r, S("Access-Control-Request-Method")).len &&
	       console_cors_is(r->ops, request_header(r, S("Origin")));
}

bool console_cors_actual(const struct request *r, struct strbuf *lines)
{
	struct slice origin = request_header(r, S("Origin"));
	if (!console_cors_is(r->ops, origin) || !auth_claimed(r))
		return false;
	add_line(lines, "Access-Control-Allow-Origin", origin);
	/* All of them: credentials, with which `*` would be a name, are not allowed. */
	add_line(lines, "Access-Control-Expose-Headers", S("*"));
	add_line(lines, "Vary", S("Origin"));
	return true;
}
