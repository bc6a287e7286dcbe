/* SPDX-License-Identifier: Apache-2.0 */
#include <inttypes.h>

#include "oss/rules/cors_internal.h"
#include "oss/rules/origin.h"
#include "oss/text/wildcard.h"

#define REQUESTED_HEADERS 100 /* LIMIT_HEADERS: no request can have more */

/* Printable ASCII without the characters of `except`, and not empty. */
bool cors_is_printable(struct slice text, struct slice except)
{
	for (size_t i = 0; i < text.len; i++)
		if (text.ptr[i] < ' ' || text.ptr[i] > '~' ||
			slice_find(except, text.ptr[i]) < except.len)
			return false;
	return text.len > 0;
}

/* ---- Matching ------------------------------------------------------------------------------- */

static bool any_matches(const struct cors_texts *list, struct slice text)
{
	for (const struct cors_text *t = list->first; t; t = t->next)
		if (wildcard_match_star(t->text, text))
			return true;
	return false;
}

/* The next name of a comma-separated list that is not empty; false at its end. */
static bool next_name(struct slice *rest, struct slice *ret)
{
	while (rest->len) {
		(void)slice_cut(rest, ',', ret);
		*ret = slice_trim(*ret);
		if (ret->len)
			return true;
	}
	return false;
}

/*
 * Requested names go back to the client as they came, so they have to be printable whatever the
 * pattern; and their number is bounded to bound the work.
 */
static bool headers_match(const struct cors_rule *rule, struct slice rest, struct slice *ret_header)
{
	struct slice name;
	for (size_t count = 0; next_name(&rest, &name); count++) {
		if (count < REQUESTED_HEADERS && cors_is_printable(name, S(" \"")) &&
			any_matches(&rule->headers, name))
			continue;
		*ret_header = name;
		return false;
	}
	return true;
}

static bool origin_fits(const struct cors_rule *rule, struct slice origin)
{
	for (const struct cors_text *t = rule->origins.first; t; t = t->next)
		if (origin_matches(t->text, origin))
			return true;
	return false;
}

static bool method_matches(const struct cors_rule *rule, struct slice method)
{
	for (size_t i = 0; i < rule->method_count; i++)
		if (slice_eq(rule->methods[i], method))
			return true;
	return false;
}

size_t cors_rule_count(const struct cors *cors)
{
	return cors->rule_count;
}

enum cors_verdict cors_rule_explain(const struct cors *cors, size_t index,
	const struct cors_request *request, struct slice *ret_header)
{
	const struct cors_rule *rule = &cors->rules[index];
	struct slice header;
	if (!origin_fits(rule, request->origin))
		return CORS_BAD_ORIGIN;
	if (!method_matches(rule, request->method))
		return CORS_BAD_METHOD;
	if (headers_match(rule, request->headers, &header))
		return CORS_MATCHES;
	if (ret_header)
		*ret_header = header;
	return CORS_BAD_HEADER;
}

static const struct cors_rule *first_match(
	const struct cors *cors, const struct cors_request *request)
{
	for (size_t i = 0; i < cors->rule_count; i++)
		if (cors_rule_explain(cors, i, request, NULL) == CORS_MATCHES)
			return &cors->rules[i];
	return NULL;
}

/* ---- Headers -------------------------------------------------------------------------------- */

static void add_vary(const struct cors *cors, struct strbuf *out)
{
	if (cors && cors->vary)
		strbuf_adds(out, "Vary: Origin\r\n");
}

static void join(struct strbuf *out, bool *first, struct slice text)
{
	if (!*first)
		strbuf_adds(out, ", ");
	*first = false;
	strbuf_add_slice(out, text);
}

/* A rule that lets every origin in says so, which suits caches; others echo the request's. */
static struct slice allowed_origin(const struct cors_rule *rule, struct slice origin)
{
	for (const struct cors_text *t = rule->origins.first; t; t = t->next)
		if (slice_eq(t->text, S("*")))
			return t->text;
	return origin;
}

/* What preflights and actual requests have in common. */
static void add_rule(const struct cors_rule *rule, struct slice origin, struct strbuf *out)
{
	bool first = true;
	strbuf_adds(out, "Access-Control-Allow-Origin: ");
	strbuf_add_slice(out, allowed_origin(rule, origin));
	strbuf_adds(out, "\r\nAccess-Control-Allow-Methods: ");
	for (size_t i = 0; i < rule->method_count; i++)
		join(out, &first, rule->methods[i]);
	strbuf_adds(out, "\r\n");
	if (rule->expose.first) {
		first = true;
		strbuf_adds(out, "Access-Control-Expose-Headers: ");
		for (const struct cors_text *t = rule->expose.first; t; t = t->next)
			join(out, &first, t->text);
		strbuf_adds(out, "\r\n");
	}
	if (rule->has_max_age)
		strbuf_addf(out, "Access-Control-Max-Age: %" PRIu64 "\r\n", rule->max_age);
}

enum err cors_preflight(
	const struct cors *cors, const struct cors_request *request, struct strbuf *out)
{
	add_vary(cors, out);
	if (request->origin.len == 0)
		return ERR_CORS_ORIGIN_MISSING;
	if (request->method.len == 0)
		return ERR_CORS_METHOD_MISSING;
	if (!cors)
		return ERR_CORS_NOT_ENABLED;
	const struct cors_rule *rule = first_match(cors, request);
	if (!rule)
		return ERR_CORS_NO_MATCH;
	add_rule(rule, request->origin, out);
	struct slice rest = request->headers;
	struct slice name;
	bool first = true;
	while (next_name(&rest, &name)) {
		if (first)
			strbuf_adds(out, "Access-Control-Allow-Headers: ");
		join(out, &first, name);
	}
	if (!first)
		strbuf_adds(out, "\r\n");
	return ERR_OK;
}

void cors_actual(
	const struct cors *cors, struct slice origin, struct slice method, struct strbuf *out)
{
	const struct cors_request request = {.origin = origin, .method = method};
	add_vary(cors, out);
	if (!cors || origin.len == 0)
		return;
	const struct cors_rule *rule = first_match(cors, &request);
	if (rule)
		add_rule(rule, origin, out);
}
