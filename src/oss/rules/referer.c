/* SPDX-License-Identifier: Apache-2.0 */
#include "oss/rules/referer.h"

#include "base/arena.h"
#include "base/limits.h"
#include "oss/rules/globs.h"
#include "oss/text/xml.h"

#define ARENA_BYTES MIB(2) /* more than LIMIT_REFERER_BODY_BYTES of XML can take */

struct pattern {
	struct slice text;
	struct pattern *next;
};

/* Patterns in document order. */
struct patterns {
	struct pattern *first;
	struct pattern *last;
	size_t count;
	struct globs *globs; /* all of them */
};

/* A yes or no of the document, which may stand there once. */
struct flag {
	bool given;
	bool value;
};

struct referer {
	struct arena arena;
	struct flag allow_empty;
	struct flag truncate_query;
	struct flag truncate_path;
	struct patterns allowed;
	struct patterns refused;
	size_t bytes; /* of all patterns */
};

/* ---- Reading -------------------------------------------------------------------------------- */

static enum err set_flag(
	struct flag *flag, const char *name, struct slice text, struct strbuf *reason)
{
	struct slice word = xml_trim(text);
	if (flag->given) {
		strbuf_addf(reason, "The RefererConfiguration has more than one %s.", name);
		return ERR_MALFORMED_XML;
	}
	flag->given = true;
	flag->value = slice_eq_nocase(word, S("true"));
	if (flag->value || slice_eq_nocase(word, S("false")))
		return ERR_OK;
	strbuf_addf(reason, "%s must be true or false.", name);
	return ERR_INVALID_ARGUMENT;
}

static enum err set_allow_empty(void *ctx, struct slice text, struct strbuf *reason)
{
	struct referer *rules = ctx;
	return set_flag(&rules->allow_empty, "AllowEmptyReferer", text, reason);
}

static enum err set_truncate_query(void *ctx, struct slice text, struct strbuf *reason)
{
	struct referer *rules = ctx;
	return set_flag(&rules->truncate_query, "AllowTruncateQueryString", text, reason);
}

static enum err set_truncate_path(void *ctx, struct slice text, struct strbuf *reason)
{
	struct referer *rules = ctx;
	return set_flag(&rules->truncate_path, "TruncatePath", text, reason);
}

/* No URL has other characters, and XML could not tell them back: U+FFFE and U+FFFF neither. */
static bool is_text(struct slice text)
{
	for (size_t i = 0; i < text.len; i++)
		if ((unsigned char)text.ptr[i] < 0x20 || text.ptr[i] == 0x7f)
			return false;
	return slice_find_slice(text, S("\xef\xbf\xbe")) == text.len &&
	       slice_find_slice(text, S("\xef\xbf\xbf")) == text.len;
}

/* Clients empty a list by one empty pattern. */
static enum err add_pattern(
	struct referer *rules, struct patterns *list, struct slice text, struct strbuf *reason)
{
	text = xml_trim(text);
	if (text.len == 0)
		return ERR_OK;
	if (text.len > LIMIT_REFERER_PATTERN_BYTES) {
		strbuf_addf(
			reason, "A Referer has at most %zu bytes.", LIMIT_REFERER_PATTERN_BYTES);
		return ERR_INVALID_ARGUMENT;
	}
	if (!is_text(text)) {
		strbuf_adds(reason, "A Referer has control characters.");
		return ERR_INVALID_ARGUMENT;
	}
	rules->bytes += text.len;
	if (rules->bytes > LIMIT_REFERER_LIST_BYTES) {
		strbuf_addf(reason, "All Referers together have at most %zu bytes.",
			LIMIT_REFERER_LIST_BYTES);
		return ERR_INLINE_DATA_TOO_LARGE;
	}
	struct pattern *p = arena_zalloc(&rules->arena, sizeof(*p));
	if (!p)
		return ERR_UNAVAILABLE;
	p->text = arena_copy(&rules->arena, text);
	if (!p->text.ptr)
		return ERR_UNAVAILABLE;
	*(list->last ? &list->last->next : &list->first) = p;
	list->last = p;
	list->count++;
	return ERR_OK;
}

static enum err add_allowed(void *ctx, struct slice text, struct strbuf *reason)
{
	struct referer *rules = ctx;
	return add_pattern(rules, &rules->allowed, text, reason);
}

static enum err add_refused(void *ctx, struct slice text, struct strbuf *reason)
{
	struct referer *rules = ctx;
	return add_pattern(rules, &rules->refused, text, reason);
}

static enum err close_configuration(void *ctx, struct strbuf *reason)
{
	struct referer *rules = ctx;
	/* OSS's defaults: without a word, the query does not count. */
	if (!rules->allow_empty.given)
		rules->allow_empty.value = true;
	if (!rules->truncate_query.given)
		rules->truncate_query.value = true;
	if (!rules->truncate_path.value || rules->truncate_query.value)
		return ERR_OK;
	strbuf_adds(reason, "TruncatePath can be true only if AllowTruncateQueryString is.");
	return ERR_INVALID_ARGUMENT;
}

static const struct xml_element elements[] = {
	{.path = "/RefererConfiguration", .close = close_configuration},
	{.path = "/RefererConfiguration/AllowEmptyReferer", .text = set_allow_empty},
	{.path = "/RefererConfiguration/AllowTruncateQueryString", .text = set_truncate_query},
	{.path = "/RefererConfiguration/TruncatePath", .text = set_truncate_path},
	{.path = "/RefererConfiguration/RefererList"},
	{.path = "/RefererConfiguration/RefererList/Referer", .text = add_allowed},
	{.path = "/RefererConfiguration/RefererBlacklist"},
	{.path = "/RefererConfiguration/RefererBlacklist/Referer", .text = add_refused},
};

static bool compile(struct referer *rules, struct patterns *list)
{
	struct slice *texts = arena_alloc(&rules->arena, (list->count + 1) * sizeof(*texts));
	size_t count = 0;
	for (const struct pattern *p = list->first; p && texts; p = p->next)
		texts[count++] = p->text;
	list->globs = texts ? globs_new(texts, count) : NULL;
	return list->globs != NULL;
}

enum err referer_parse(struct slice xml, struct referer **ret, struct strbuf *reason)
{
	struct referer *rules = calloc(1, sizeof(*rules));
	if (!rules)
		return ERR_UNAVAILABLE;
	arena_init(&rules->arena, NULL, 0, ARENA_BYTES);
	enum err e = xml_read(xml, elements, ARRAY_LEN(elements), rules, reason);
	if (e == ERR_OK && (!compile(rules, &rules->allowed) || !compile(rules, &rules->refused)))
		e = ERR_UNAVAILABLE;
	if (e != ERR_OK) {
		referer_free(rules);
		return e;
	}
	*ret = rules;
	return ERR_OK;
}

void referer_free(struct referer *rules)
{
	if (!rules)
		return;
	globs_free(rules->allowed.globs);
	globs_free(rules->refused.globs);
	arena_reset(&rules->arena);
	free(rules);
}

/* ---- Writing -------------------------------------------------------------------------------- */

static void format_flag(struct strbuf *out, const char *name, bool value)
{
	xml_element(out, name, value ? S("true") : S("false"));
}

static void format_list(struct strbuf *out, const char *name, const struct patterns *list)
{
	xml_open(out, name);
	for (const struct pattern *p = list->first; p; p = p->next)
		xml_element_exact(out, "Referer", p->text);
	xml_close(out, name);
}

void referer_format(const struct referer *rules, struct strbuf *out)
{
	strbuf_adds(out, XML_PROLOG "<RefererConfiguration>");
	format_flag(out, "AllowEmptyReferer", rules->allow_empty.value);
	format_flag(out, "AllowTruncateQueryString", rules->truncate_query.value);
	format_flag(out, "TruncatePath", rules->truncate_path.value);
	format_list(out, "RefererList", &rules->allowed);
	/* Clients take an empty one for a list that was set. */
	if (rules->refused.first)
		format_list(out, "RefererBlacklist", &rules->refused);
	xml_close(out, "RefererConfiguration");
}

void referer_format_default(struct strbuf *out)
{
	static const struct referer none = {
		.allow_empty.value = true, .truncate_query.value = true};
	referer_format(&none, out);
}

/* ---- Matching ------------------------------------------------------------------------------- */

/* What of the URL counts. */
static struct slice truncated(const struct referer *rules, struct slice url)
{
	if (rules->truncate_query.value)
		url = slice_head(url, slice_find(url, '?'));
	if (!rules->truncate_path.value)
		return url;
	size_t scheme = slice_find_slice(url, S("://"));
	size_t host = scheme < url.len ? scheme + 3 : 0;
	return slice_head(url, host + slice_find(slice_from(url, host), '/'));
}

enum referer_verdict referer_check(const struct referer *rules, struct slice referer)
{
	referer = truncated(rules, slice_head(slice_trim(referer), LIMIT_REFERER_BYTES));
	/* With an empty list of allowed ones OSS takes no notice of AllowEmptyReferer. */
	if (referer.len == 0)
		return rules->allow_empty.value || !rules->allowed.first ? REFERER_ALLOWED
									 : REFERER_EMPTY;
	if (globs_begin(rules->refused.globs, referer))
		return REFERER_BLACKLISTED;
	if (rules->allowed.first && !globs_begin(rules->allowed.globs, referer))
		return REFERER_NOT_LISTED;
	return REFERER_ALLOWED;
}
