/* SPDX-License-Identifier: Apache-2.0 */
#include "oss/cors.h"

#include <inttypes.h>

#include "base/arena.h"
#include "base/limits.h"
#include "oss/origin.h"
#include "oss/xml.h"

/* What is kept can be longer than what was sent: a prolog, and what the client left out. */
#define DOCUMENT_BYTES (2 * LIMIT_CORS_BODY_BYTES)
#define ARENA_BYTES KIB(128)  /* more than DOCUMENT_BYTES of XML can take */
#define REQUESTED_HEADERS 100 /* LIMIT_HEADERS: no request can have more */

static const struct slice methods[] = {SLICE_LIT("GET"), SLICE_LIT("PUT"), SLICE_LIT("DELETE"),
	SLICE_LIT("POST"), SLICE_LIT("HEAD")};

/* A list of texts in document order; as a pattern, each may hold one `*`. */
struct text {
	struct slice text;
	struct text *next;
};

struct texts {
	struct text *first;
	struct text *last;
};

struct rule {
	struct texts origins;
	struct texts headers;
	struct texts expose;
	struct slice methods[ARRAY_LEN(methods)]; /* in document order, each once */
	size_t method_count;
	bool has_max_age;
	uint64_t max_age;
};

struct cors {
	struct arena arena;
	size_t rule_count;
	bool has_vary; /* the document says it, one way or the other */
	bool vary;
	const char *fault; /* the element that was refused, or NULL */
	struct strbuf *fault_value;
	struct rule rules[LIMIT_CORS_RULES];
};

/* ---- Reading -------------------------------------------------------------------------------- */

static struct rule *current(struct cors *cors)
{
	return &cors->rules[cors->rule_count - 1];
}

static enum err texts_add(struct cors *cors, struct texts *list, struct slice text)
{
	struct text *t = arena_alloc(&cors->arena, sizeof(*t));
	if (!t)
		return ERR_UNAVAILABLE;
	t->text = arena_copy(&cors->arena, text);
	t->next = NULL;
	if (!t->text.ptr)
		return ERR_UNAVAILABLE;
	*(list->last ? &list->last->next : &list->first) = t;
	list->last = t;
	return ERR_OK;
}

/* The error of an element: notes which, and what stood in it. */
static enum err fault(struct cors *cors, const char *element, struct slice text, enum err e)
{
	cors->fault = element;
	if (cors->fault_value)
		strbuf_add_slice(cors->fault_value, text);
	return e;
}

static size_t count_stars(struct slice text)
{
	size_t stars = 0;
	for (size_t i = 0; i < text.len; i++)
		stars += text.ptr[i] == '*';
	return stars;
}

/* Printable ASCII without the characters of `except`, and not empty. */
static bool printable(struct slice text, struct slice except)
{
	for (size_t i = 0; i < text.len; i++)
		if (text.ptr[i] < ' ' || text.ptr[i] > '~' ||
			slice_find(except, text.ptr[i]) < except.len)
			return false;
	return text.len > 0;
}

static enum err open_rule(void *ctx, struct strbuf *reason)
{
	struct cors *cors = ctx;
	if (cors->rule_count == LIMIT_CORS_RULES) {
		strbuf_addf(reason, "A bucket has at most %d CORS rules.", LIMIT_CORS_RULES);
		return ERR_CORS_RULE_LIMIT;
	}
	cors->rule_count++;
	return ERR_OK;
}

static enum err close_rule(void *ctx, struct strbuf *reason)
{
	const struct rule *rule = current(ctx);
	const char *missing = !rule->origins.first  ? "AllowedOrigin"
			      : !rule->method_count ? "AllowedMethod"
						    : NULL;
	if (!missing)
		return ERR_OK;
	strbuf_addf(reason, "A CORSRule has no %s.", missing);
	return ERR_MALFORMED_XML;
}

static enum err close_configuration(void *ctx, struct strbuf *reason)
{
	const struct cors *cors = ctx;
	if (cors->rule_count)
		return ERR_OK;
	strbuf_adds(reason, "The CORSConfiguration has no CORSRule.");
	return ERR_MALFORMED_XML;
}

static enum err add_origin(void *ctx, struct slice text, struct strbuf *reason)
{
	struct slice origin = xml_trim(text);
	const char *why = origin_pattern_fault(origin);
	if (!why)
		return texts_add(ctx, &current(ctx)->origins, origin);
	strbuf_addf(reason, "An AllowedOrigin is not valid: %s.", why);
	return fault(ctx, "AllowedOrigin", text, ERR_CORS_BAD_ORIGIN);
}

static enum err add_method(void *ctx, struct slice text, struct strbuf *reason)
{
	struct rule *rule = current(ctx);
	struct slice method = xml_trim(text);
	for (size_t i = 0; i < rule->method_count; i++)
		if (slice_eq(rule->methods[i], method))
			return ERR_OK;
	for (size_t i = 0; i < ARRAY_LEN(methods); i++) {
		if (slice_eq(methods[i], method)) {
			rule->methods[rule->method_count++] = methods[i];
			return ERR_OK;
		}
	}
	strbuf_adds(reason, "An AllowedMethod is none of GET, PUT, DELETE, POST and HEAD.");
	return fault(ctx, "AllowedMethod", text, ERR_INVALID_ARGUMENT);
}

static enum err add_header(void *ctx, struct slice text, struct strbuf *reason)
{
	struct slice header = xml_trim(text);
	if (printable(header, S("<>&'\"")) && count_stars(header) <= 1)
		return texts_add(ctx, &current(ctx)->headers, header);
	strbuf_adds(reason, "An AllowedHeader is empty, holds more than one *, or holds one of "
			    "< > & ' \" or a character that is not printable ASCII.");
	return fault(ctx, "AllowedHeader", text, ERR_INVALID_ARGUMENT);
}

static enum err add_expose(void *ctx, struct slice text, struct strbuf *reason)
{
	struct slice header = xml_trim(text);
	if (printable(header, S("*<>&'\"")))
		return texts_add(ctx, &current(ctx)->expose, header);
	strbuf_adds(reason, "An ExposeHeader is empty or holds one of * < > & ' \" or a character "
			    "that is not printable ASCII.");
	return fault(ctx, "ExposeHeader", text, ERR_CORS_BAD_EXPOSE_HEADER);
}

static enum err set_max_age(void *ctx, struct slice text, struct strbuf *reason)
{
	struct rule *rule = current(ctx);
	if (rule->has_max_age) {
		strbuf_adds(reason, "A CORSRule has more than one MaxAgeSeconds.");
		return ERR_MALFORMED_XML;
	}
	rule->has_max_age = true;
	if (slice_to_u64(xml_trim(text), &rule->max_age) &&
		rule->max_age <= LIMIT_CORS_MAX_AGE_SECONDS)
		return ERR_OK;
	strbuf_addf(reason, "MaxAgeSeconds must be an integer from 0 to %d.",
		LIMIT_CORS_MAX_AGE_SECONDS);
	return fault(ctx, "MaxAgeSeconds", text, ERR_INVALID_ARGUMENT);
}

static enum err set_vary(void *ctx, struct slice text, struct strbuf *reason)
{
	struct cors *cors = ctx;
	struct slice word = xml_trim(text);
	if (cors->has_vary) {
		strbuf_adds(reason, "The CORSConfiguration has more than one ResponseVary.");
		return ERR_MALFORMED_XML;
	}
	cors->has_vary = true;
	cors->vary = slice_eq_nocase(word, S("true"));
	if (cors->vary || slice_eq_nocase(word, S("false")))
		return ERR_OK;
	strbuf_adds(reason, "ResponseVary must be true or false.");
	return fault(ctx, "ResponseVary", text, ERR_INVALID_ARGUMENT);
}

static const struct xml_element elements[] = {
	{.path = "/CORSConfiguration", .close = close_configuration},
	{.path = "/CORSConfiguration/CORSRule", .open = open_rule, .close = close_rule},
	{.path = "/CORSConfiguration/CORSRule/AllowedOrigin", .text = add_origin},
	{.path = "/CORSConfiguration/CORSRule/AllowedMethod", .text = add_method},
	{.path = "/CORSConfiguration/CORSRule/AllowedHeader", .text = add_header},
	{.path = "/CORSConfiguration/CORSRule/ExposeHeader", .text = add_expose},
	{.path = "/CORSConfiguration/CORSRule/MaxAgeSeconds", .text = set_max_age},
	{.path = "/CORSConfiguration/ResponseVary", .text = set_vary},
};

enum err cors_check(struct slice xml, struct cors **ret, struct strbuf *reason,
	const char **ret_element, struct strbuf *value)
{
	*ret_element = NULL;
	if (xml.len > DOCUMENT_BYTES) {
		strbuf_addf(reason, "A CORSConfiguration has at most %zu bytes.", DOCUMENT_BYTES);
		return ERR_INVALID_ARGUMENT;
	}
	struct cors *cors = calloc(1, sizeof(*cors));
	if (!cors)
		return ERR_UNAVAILABLE;
	arena_init(&cors->arena, NULL, 0, ARENA_BYTES);
	cors->fault_value = value;
	enum err e = xml_read(xml, elements, ARRAY_LEN(elements), cors, reason);
	if (e != ERR_OK) {
		*ret_element = cors->fault;
		cors_free(cors);
		return e;
	}
	cors->fault_value = NULL;
	*ret = cors;
	return ERR_OK;
}

enum err cors_parse(struct slice xml, struct cors **ret, struct strbuf *reason)
{
	const char *element;
	return cors_check(xml, ret, reason, &element, NULL);
}

void cors_free(struct cors *cors)
{
	if (!cors)
		return;
	arena_reset(&cors->arena);
	free(cors);
}

/* ---- Writing -------------------------------------------------------------------------------- */

static void format_texts(struct strbuf *out, const char *name, const struct texts *list)
{
	for (const struct text *t = list->first; t; t = t->next)
		xml_element(out, name, t->text);
}

/* As OSS keeps the names of headers, in which case means nothing. */
static void format_lower(struct strbuf *out, const char *name, const struct texts *list)
{
	for (const struct text *t = list->first; t; t = t->next) {
		SCOPED_STRBUF(lower, LIMIT_CORS_BODY_BYTES);
		for (size_t i = 0; i < t->text.len; i++)
			strbuf_addc(&lower, ascii_lower(t->text.ptr[i]));
		xml_element(out, name, strbuf_slice(&lower));
	}
}

void cors_format(const struct cors *cors, struct strbuf *out)
{
	strbuf_adds(out, XML_PROLOG "<CORSConfiguration>");
	for (size_t i = 0; i < cors->rule_count; i++) {
		const struct rule *rule = &cors->rules[i];
		xml_open(out, "CORSRule");
		format_texts(out, "AllowedOrigin", &rule->origins);
		for (size_t m = 0; m < rule->method_count; m++)
			xml_element(out, "AllowedMethod", rule->methods[m]);
		format_lower(out, "AllowedHeader", &rule->headers);
		format_texts(out, "ExposeHeader", &rule->expose);
		if (rule->has_max_age)
			xml_element_u64(out, "MaxAgeSeconds", rule->max_age);
		xml_close(out, "CORSRule");
	}
	xml_element(out, "ResponseVary", cors->vary ? S("true") : S("false"));
	xml_close(out, "CORSConfiguration");
}

/* ---- Matching ------------------------------------------------------------------------------- */

/* ASCII case does not count. A pattern has one `*` at most, so this is two comparisons. */
static bool matches(struct slice pattern, struct slice text)
{
	size_t star = slice_find(pattern, '*');
	if (star == pattern.len)
		return slice_eq_nocase(pattern, text);
	size_t after = pattern.len - star - 1;
	return text.len >= star + after &&
	       slice_eq_nocase(slice_head(pattern, star), slice_head(text, star)) &&
	       slice_eq_nocase(
		       slice_from(pattern, star + 1), slice_of(text.ptr + text.len - after, after));
}

static bool any_matches(const struct texts *list, struct slice text)
{
	for (const struct text *t = list->first; t; t = t->next)
		if (matches(t->text, text))
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
static bool headers_match(const struct rule *rule, struct slice rest, struct slice *ret_header)
{
	struct slice name;
	for (size_t count = 0; next_name(&rest, &name); count++) {
		if (count < REQUESTED_HEADERS && printable(name, S(" \"")) &&
			any_matches(&rule->headers, name))
			continue;
		*ret_header = name;
		return false;
	}
	return true;
}

static bool origin_fits(const struct rule *rule, struct slice origin)
{
	for (const struct text *t = rule->origins.first; t; t = t->next)
		if (origin_matches(t->text, origin))
			return true;
	return false;
}

static bool method_matches(const struct rule *rule, struct slice method)
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
	const struct rule *rule = &cors->rules[index];
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

static const struct rule *first_match(const struct cors *cors, const struct cors_request *request)
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
static struct slice allowed_origin(const struct rule *rule, struct slice origin)
{
	for (const struct text *t = rule->origins.first; t; t = t->next)
		if (slice_eq(t->text, S("*")))
			return t->text;
	return origin;
}

/* What preflights and actual requests have in common. */
static void add_rule(const struct rule *rule, struct slice origin, struct strbuf *out)
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
		for (const struct text *t = rule->expose.first; t; t = t->next)
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
	const struct rule *rule = first_match(cors, request);
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
	const struct rule *rule = first_match(cors, &request);
	if (rule)
		add_rule(rule, origin, out);
}
