/* SPDX-License-Identifier: Apache-2.0 */
#include "oss/callback/callback_params.h"

#include <arpa/inet.h>
#include <jansson.h>
#include <string.h>

#include "base/encode.h"
#include "base/host.h"
#include "http/url.h"
#include "oss/text/json_load.h"

#define HOST_BYTES 253 /* RFC 1035 */
/* The decoded JSON is shorter than the field; URLs are copied twice, the body once. */
#define ARENA_BYTES (2 * LIMIT_FIELD_VALUE_BYTES)

/* ---- URLs ----------------------------------------------------------------------------------- */

static enum err refuse_url(struct strbuf *reason, const char *why)
{
	strbuf_addf(reason, "The callbackUrl is not valid: %s.", why);
	return ERR_CALLBACK_BAD_URL;
}

/* Visible ASCII: no spaces, controls, or bytes that should have been percent-encoded. */
static bool visible(struct slice text)
{
	for (size_t i = 0; i < text.len; i++)
		if (text.ptr[i] <= ' ' || text.ptr[i] > '~')
			return false;
	return true;
}

static bool host_valid(struct slice host)
{
	for (size_t i = 0; i < host.len; i++) {
		char c = ascii_lower(host.ptr[i]);
		bool dot = c == '.' && i > 0 && host.ptr[i - 1] != '.';
		if (!(c >= 'a' && c <= 'z') && !ascii_digit(c) && c != '-' && c != '_' && !dot)
			return false;
	}
	return host.len > 0 && host.len <= HOST_BYTES;
}

/* Takes the scheme off the front. False for one that is not http or https. */
static bool take_scheme(struct slice *text, bool *ret_given, bool *ret_tls)
{
	struct url url;
	size_t end;
	*ret_tls = false;
	*ret_given = url_has_scheme(*text, &end);
	if (!*ret_given)
		return true;
	if (!url_split(*text, &url))
		return false;
	*ret_tls = url.tls;
	*text = slice_from(*text, end);
	return true;
}

/* Where the authority of a URL without scheme ends. */
static size_t authority_end(struct slice text)
{
	size_t slash = slice_find(text, '/');
	size_t query = slice_find(text, '?');
	return slash < query ? slash : query;
}

/* `[` and `]` with an IPv6 address between them, and nothing else. */
static bool is_v6(struct slice host)
{
	struct in6_addr address;
	return host.len >= 3 && host.ptr[0] == '[' && host.ptr[host.len - 1] == ']' &&
	       host_parse_address(AF_INET6, slice_of(host.ptr + 1, host.len - 2), &address);
}

/* Reads `host[:port]` into *ret, whose `tls` is known. NULL, or what is wrong. */
static const char *read_authority(struct slice authority, struct callback_url *ret)
{
	uint64_t number = ret->tls ? 443 : 80;
	if (slice_find(authority, '@') < authority.len)
		return "it must not hold a user name or password";
	size_t bracket = authority.len && authority.ptr[0] == '[' ? slice_find(authority, ']') : 0;
	size_t colon = bracket + slice_find(slice_from(authority, bracket), ':');
	struct slice port = slice_from(authority, colon + 1);
	ret->host = slice_head(authority, colon);
	if (bracket ? !is_v6(ret->host) : !host_valid(ret->host))
		return "its host is missing or malformed";
	if (colon < authority.len && (!slice_to_u64(port, &number) || number < 1 || number > 65535))
		return "its port must be a number from 1 to 65535";
	ret->port = (uint16_t)number;
	ret->authority = authority;
	return NULL;
}

/* Path and query are sent as they stand. NULL, or what is wrong. */
static const char *check_target(struct slice target)
{
	struct slice path = slice_head(target, slice_find(target, '?'));
	uint8_t byte;
	if (slice_find(target, '#') < target.len)
		return "it must not hold a fragment";
	for (size_t i = 0; i < path.len; i++)
		if (path.ptr[i] == '%' &&
			!hex_decode(slice_head(slice_from(path, i + 1), 2), &byte, 1))
			return "its path holds a malformed percent-escape";
	return NULL;
}

/* Whether a host that came without scheme and port is meant as one. */
static bool plausible_host(struct slice host)
{
	return slice_find(host, '.') < host.len || slice_eq_nocase(host, S("localhost"));
}

/* Lays the parts out in `arena`; *url borrows them from the text that was read. */
static enum err own_url(struct callback_url *url, struct slice target, struct arena *arena)
{
	SCOPED_STRBUF(text, url->authority.len + target.len + 16);
	strbuf_adds(&text, url->tls ? "https://" : "http://");
	size_t authority = text.len;
	strbuf_add_slice(&text, url->authority);
	size_t path = text.len;
	if (target.len == 0 || target.ptr[0] != '/')
		strbuf_addc(&text, '/');
	strbuf_add_slice(&text, target);
	char *host = arena_alloc(arena, url->host.len);
	url->text = arena_copy(arena, strbuf_slice(&text));
	if (strbuf_broken(&text) || !host || !url->text.ptr)
		return ERR_UNAVAILABLE;
	for (size_t i = 0; i < url->host.len; i++)
		host[i] = ascii_lower(url->host.ptr[i]);
	url->host.ptr = host;
	url->authority.ptr = url->text.ptr + authority;
	url->target = slice_from(url->text, path);
	return ERR_OK;
}

enum err callback_url_parse(
	struct slice text, struct arena *arena, struct callback_url *ret, struct strbuf *reason)
{
	struct callback_url url;
	bool scheme_given;
	if (!visible(text) || slice_find(text, '\\') < text.len)
		return refuse_url(reason,
			"it holds a character that must be percent-encoded or may not occur");
	if (!take_scheme(&text, &scheme_given, &url.tls))
		return refuse_url(reason, "its scheme must be http or https");
	struct slice authority = slice_head(text, authority_end(text));
	struct slice target = slice_from(text, authority.len);
	/* A lone `?` at the end: receivers disagree on whether it is signed, so it is not sent. */
	if (slice_find(target, '?') + 1 == target.len)
		target.len--;
	const char *fault = read_authority(authority, &url);
	if (!fault)
		fault = check_target(target);
	if (!fault && !scheme_given && url.authority.len == url.host.len &&
		!plausible_host(url.host))
		fault = "it has neither a scheme nor a full host name";
	if (fault)
		return refuse_url(reason, fault);
	enum err e = own_url(&url, target, arena);
	if (e == ERR_OK)
		*ret = url;
	return e;
}

/* ---- Members -------------------------------------------------------------------------------- */

/*
 * The text of a member, empty if it is absent. ERR_CALLBACK_BAD_MEMBER if it is anything but a
 * string.
 */
static enum err member_text(
	const json_t *object, const char *name, struct slice *ret, struct strbuf *reason)
{
	const json_t *member = json_object_get(object, name);
	*ret = slice_of("", 0);
	if (!member)
		return ERR_OK;
	if (!json_is_string(member)) {
		strbuf_addf(reason, "The %s of the callback configuration is not a string.", name);
		return ERR_CALLBACK_BAD_MEMBER;
	}
	*ret = slice_of(json_string_value(member), json_string_length(member));
	return ERR_OK;
}

static enum err read_urls(struct slice list, struct callback_params *params, struct strbuf *reason)
{
	while (list.len) {
		struct slice text;
		(void)slice_cut(&list, ';', &text);
		text = slice_trim(text);
		if (text.len == 0)
			continue;
		if (params->url_count == LIMIT_CALLBACK_URLS)
			return ERR_CALLBACK_TOO_MANY_URLS;
		enum err e = callback_url_parse(
			text, &params->arena_, &params->urls[params->url_count], reason);
		if (e != ERR_OK)
			return e;
		params->url_count++;
	}
	return params->url_count ? ERR_OK : refuse_url(reason, "it is empty");
}

static enum err read_host(
	const json_t *object, struct callback_params *params, struct strbuf *reason)
{
	struct slice text;
	struct callback_url parts = {.tls = false};
	enum err e = member_text(object, "callbackHost", &text, reason);
	if (e != ERR_OK || text.len == 0)
		return e;
	const char *fault = read_authority(text, &parts);
	if (fault) {
		strbuf_addf(reason, "The callbackHost is not valid: %s.", fault);
		return ERR_CALLBACK_BAD_MEMBER;
	}
	params->host = arena_copy(&params->arena_, text);
	return params->host.ptr ? ERR_OK : ERR_UNAVAILABLE;
}

static enum err read_body(
	const json_t *object, struct callback_params *params, struct strbuf *reason)
{
	struct slice text;
	enum err e = member_text(object, "callbackBody", &text, reason);
	if (e != ERR_OK)
		return e;
	if (text.len == 0)
		return ERR_CALLBACK_NO_BODY;
	text = arena_copy(&params->arena_, text);
	return text.ptr ? callback_template_parse(text, &params->body, reason) : ERR_UNAVAILABLE;
}

/* "charset=utf-8", as frameworks write it; the message is UTF-8 anyhow. */
static bool is_utf8_charset(struct slice text)
{
	struct slice name;
	(void)slice_cut(&text, '=', &name);
	text = slice_trim(text);
	if (text.len >= 2 && slice_starts(text, S("\"")) && slice_ends(text, S("\"")))
		text = slice_of(text.ptr + 1, text.len - 2);
	return slice_eq_nocase(slice_trim(name), S("charset")) && slice_eq_nocase(text, S("utf-8"));
}

static enum err read_body_type(
	const json_t *object, struct callback_params *params, struct strbuf *reason)
{
	struct slice text;
	enum err e = member_text(object, "callbackBodyType", &text, reason);
	if (e != ERR_OK)
		return e;
	struct slice type;
	/* An empty parameter is none (RFC 9110 section 5.6.6). */
	bool has_charset = slice_cut(&text, ';', &type) && slice_trim(text).len > 0;
	if (has_charset && !is_utf8_charset(text)) {
		strbuf_adds(reason, "The callbackBodyType has a charset that is not utf-8.");
		return ERR_CALLBACK_BAD_MEMBER;
	}
	text = slice_trim(type);
	if (slice_eq_nocase(text, S("application/json"))) {
		params->body_type = CALLBACK_JSON;
	} else if (text.len == 0 || slice_eq_nocase(text, S("application/x-www-form-urlencoded"))) {
		params->body_type = CALLBACK_FORM;
	} else {
		strbuf_adds(reason, "The callbackBodyType is neither "
				    "application/x-www-form-urlencoded nor application/json.");
		return ERR_CALLBACK_BAD_MEMBER;
	}
	return ERR_OK;
}

static enum err read_sni(
	const json_t *object, struct callback_params *params, struct strbuf *reason)
{
	const json_t *member = json_object_get(object, "callbackSNI");
	if (member && !json_is_boolean(member)) {
		strbuf_adds(reason, "The callbackSNI is neither true nor false.");
		return ERR_CALLBACK_BAD_MEMBER;
	}
	params->sni = json_is_true(member);
	return ERR_OK;
}

static enum err read_members(
	const json_t *object, struct callback_params **ret, struct strbuf *reason)
{
	static enum err (*const readers[])(const json_t *, struct callback_params *,
		struct strbuf *) = {read_host, read_body, read_body_type, read_sni};
	struct slice urls;
	enum err e = member_text(object, "callbackUrl", &urls, reason);
	if (e != ERR_OK)
		return e;
	if (urls.len == 0 && json_object_get(object, "callbackUrl"))
		return ERR_OK; /* said to be none; *ret is NULL */
	struct callback_params *params = calloc(1, sizeof(*params));
	if (!params)
		return ERR_UNAVAILABLE;
	arena_init(&params->arena_, NULL, 0, ARENA_BYTES);
	e = read_urls(urls, params, reason);
	for (size_t i = 0; e == ERR_OK && i < ARRAY_LEN(readers); i++)
		e = readers[i](object, params, reason);
	if (e != ERR_OK) {
		callback_params_free(params);
		return e;
	}
	*ret = params;
	return ERR_OK;
}

enum err callback_params_parse(
	struct slice text, struct callback_params **ret, struct strbuf *reason)
{
	struct callback_params *params = NULL;
	if (text.len == 0) {
		*ret = NULL;
		return ERR_OK;
	}
	SCOPED_STRBUF(decoded, LIMIT_FIELD_VALUE_BYTES);
	if (!base64_decode(&decoded, text))
		return strbuf_starved(&decoded) ? ERR_UNAVAILABLE : ERR_CALLBACK_NOT_BASE64;
	json_error_t error;
	bool no_memory;
	json_t *object =
		json_load_text(strbuf_slice(&decoded), JSON_REJECT_DUPLICATES, &error, &no_memory);
	enum err e = ERR_CALLBACK_NOT_OBJECT;
	if (json_is_object(object))
		e = read_members(object, &params, reason);
	else if (no_memory)
		e = ERR_UNAVAILABLE;
	else if (!object && json_error_code(&error) == json_error_duplicate_key)
		strbuf_adds(reason, "The callback configuration holds a member twice.");
	json_decref(object);
	if (e == ERR_OK)
		*ret = params;
	return e;
}

void callback_params_free(struct callback_params *params)
{
	if (!params)
		return;
	arena_reset(&params->arena_);
	free(params);
}
