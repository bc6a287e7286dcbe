/* SPDX-License-Identifier: Apache-2.0 */
#include "ops/access/cross_origin.h"

#include "ops/ops_internal.h"
#include "ops/respond.h"
#include "ops/rules/cors_cache.h"
#include "oss/rules/origin.h"

bool cross_origin_is_console(const struct ops *ops, struct slice origin)
{
	const struct ops_options *options = &ops->options;
	for (size_t i = 0; i < options->console_origin_count; i++)
		if (origin_matches(options->console_origins[i], origin))
			return true;
	return false;
}

bool cross_origin_is_console_preflight(const struct request *r)
{
	return r->head->method == HTTP_OPTIONS &&
	       request_header(r, S("Access-Control-Request-Method")).len &&
	       cross_origin_is_console(r->ops, request_header(r, S("Origin")));
}

static void add_line(struct strbuf *lines, const char *name, struct slice value)
{
	strbuf_addf(lines, "%s: ", name);
	strbuf_add_slice(lines, value);
	strbuf_adds(lines, "\r\n");
}

enum err cross_origin_preflight(const struct ops *ops, const struct store_bucket *bucket,
	const struct cors_request *asked, struct strbuf *lines)
{
	if (asked->method.len == 0 || !cross_origin_is_console(ops, asked->origin))
		return cors_cache_preflight(ops->cors, bucket, asked, lines);
	add_line(lines, "Access-Control-Allow-Origin", asked->origin);
	add_line(lines, "Access-Control-Allow-Methods", S("GET, HEAD, PUT, POST, DELETE"));
	if (asked->headers.len)
		add_line(lines, "Access-Control-Allow-Headers", asked->headers);
	add_line(lines, "Access-Control-Max-Age", S("600"));
	add_line(lines, "Vary", S("Origin"));
	return ERR_OK;
}

static void add_console_lines(struct slice origin, struct strbuf *lines)
{
	add_line(lines, "Access-Control-Allow-Origin", origin);
	/* All of them: credentials, with which `*` would be a name, are not allowed. */
	add_line(lines, "Access-Control-Expose-Headers", S("*"));
	add_line(lines, "Vary", S("Origin"));
}

void cross_origin_decide(struct request *r, bool claimed)
{
	if (r->head->method == HTTP_OPTIONS) /* its answer is the preflight's */
		return;
	SCOPED_STRBUF(lines, KIB(16));
	struct slice origin = request_header(r, S("Origin"));
	if (claimed && cross_origin_is_console(r->ops, origin))
		add_console_lines(origin, &lines);
	else if (r->bucket)
		cors_cache_actual(r->ops->cors, r->bucket, origin, r->head->method_text, &lines);
	if (lines.len)
		r->cors_lines = arena_copy(&r->arena, strbuf_slice(&lines));
	if (strbuf_broken(&lines) || (lines.len && !r->cors_lines.ptr))
		respond_spoil(r);
}
