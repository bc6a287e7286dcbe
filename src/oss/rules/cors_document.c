/* SPDX-License-Identifier: Apache-2.0 */
/* The document CORSConfiguration: from XML to rules, and back. */
#include "oss/rules/cors_internal.h"
#include "oss/rules/origin.h"
#include "oss/text/xml.h"

/* What is kept can be longer than what was sent: a prolog, and what the client left out. */
#define DOCUMENT_BYTES (2 * LIMIT_CORS_BODY_BYTES)
#define ARENA_BYTES KIB(128) /* more than DOCUMENT_BYTES of XML can take */

static const struct slice methods[CORS_METHODS] = {SLICE_LIT("GET"), SLICE_LIT("PUT"),
	SLICE_LIT("DELETE"), SLICE_LIT("POST"), SLICE_LIT("HEAD")};

/* ---- Reading -------------------------------------------------------------------------------- */

static struct cors_rule *current(struct cors *cors)
{
	return &cors->rules[cors->rule_count - 1];
}

static enum err texts_add(struct cors *cors, struct cors_texts *list, struct slice text)
{
	struct cors_text *t = arena_alloc(&cors->arena, sizeof(*t));
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
	const struct cors_rule *rule = current(ctx);
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
	struct cors_rule *rule = current(ctx);
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
	if (cors_is_printable(header, S("<>&'\"")) && count_stars(header) <= 1)
		return texts_add(ctx, &current(ctx)->headers, header);
	strbuf_adds(reason, "An AllowedHeader is empty, holds more than one *, or holds one of "
			    "< > & ' \" or a character that is not printable ASCII.");
	return fault(ctx, "AllowedHeader", text, ERR_INVALID_ARGUMENT);
}

static enum err add_expose(void *ctx, struct slice text, struct strbuf *reason)
{
	struct slice header = xml_trim(text);
	if (cors_is_printable(header, S("*<>&'\"")))
		return texts_add(ctx, &current(ctx)->expose, header);
	strbuf_adds(reason, "An ExposeHeader is empty or holds one of * < > & ' \" or a character "
			    "that is not printable ASCII.");
	return fault(ctx, "ExposeHeader", text, ERR_CORS_BAD_EXPOSE_HEADER);
}

static enum err set_max_age(void *ctx, struct slice text, struct strbuf *reason)
{
	struct cors_rule *rule = current(ctx);
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

static void format_texts(struct strbuf *out, const char *name, const struct cors_texts *list)
{
	for (const struct cors_text *t = list->first; t; t = t->next)
		xml_element(out, name, t->text);
}

/* As OSS keeps the names of headers, in which case means nothing. */
static void format_lower(struct strbuf *out, const char *name, const struct cors_texts *list)
{
	for (const struct cors_text *t = list->first; t; t = t->next) {
		SCOPED_STRBUF(lower, LIMIT_CORS_BODY_BYTES);
		for (size_t i = 0; i < t->text.len; i++)
			strbuf_addc(&lower, ascii_lower(t->text.ptr[i]));
		if (strbuf_broken(&lower))
			strbuf_starve(out);
		xml_element(out, name, strbuf_slice(&lower));
	}
}

void cors_format(const struct cors *cors, struct strbuf *out)
{
	strbuf_adds(out, XML_PROLOG "<CORSConfiguration>");
	for (size_t i = 0; i < cors->rule_count; i++) {
		const struct cors_rule *rule = &cors->rules[i];
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
