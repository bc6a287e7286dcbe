/* SPDX-License-Identifier: Apache-2.0 */
#include "http/param.h"

#include <string.h>

#include "http/syntax.h"

static struct slice without_space(struct slice s)
{
	while (s.len > 0 && (s.ptr[0] == ' ' || s.ptr[0] == '\t'))
		s = slice_from(s, 1);
	return s;
}

static bool at_end_or_semicolon(struct slice s)
{
	s = without_space(s);
	return s.len == 0 || s.ptr[0] == ';';
}

/* Whether a parameter, or nothing, seems to follow; of that one alone it is looked at. */
static bool may_follow(struct slice s)
{
	s = without_space(s);
	while (slice_starts(s, S(";")))
		s = without_space(slice_from(s, 1));
	size_t name = syntax_token_len(s);
	if (s.len == 0)
		return true;
	if (name == 0 || name == s.len || s.ptr[name] != '=')
		return false;
	s = slice_from(s, name + 1);
	return slice_find(s, '"') == 0 || slice_find(s, ';') <= slice_find(s, '"');
}

/* *rest is behind the opening quote. */
static bool take_quoted(struct slice *rest, struct slice *ret)
{
	size_t at = 0;
	for (;;) {
		at += slice_find(slice_from(*rest, at), '"');
		if (at >= rest->len)
			return false;
		bool escaped = at > 0 && rest->ptr[at - 1] == '\\';
		struct slice behind = slice_from(*rest, at + 1);
		if (at_end_or_semicolon(behind) && (!escaped || may_follow(behind)))
			break;
		if (!escaped)
			return false;
		at++;
	}
	*ret = slice_head(*rest, at);
	*rest = slice_from(*rest, at + 1);
	return true;
}

static bool take_plain(struct slice *rest, struct slice *ret)
{
	size_t len = 0;
	while (len < rest->len && rest->ptr[len] != ';' && rest->ptr[len] != ' ' &&
		rest->ptr[len] != '\t')
		len++;
	*ret = slice_head(*rest, len);
	*rest = slice_from(*rest, len);
	return len > 0 && !syntax_has_control(*ret) && slice_find(*ret, '"') == len;
}

enum param_result param_next(struct slice *rest, struct param *ret)
{
	*rest = without_space(*rest);
	if (rest->len > 0 && rest->ptr[0] != ';')
		return PARAM_BAD;
	while (rest->len > 0 && rest->ptr[0] == ';')
		*rest = without_space(slice_from(*rest, 1));
	if (rest->len == 0)
		return PARAM_NONE;

	size_t len = syntax_token_len(*rest);
	if (len == 0 || len == rest->len || rest->ptr[len] != '=')
		return PARAM_BAD;
	ret->name = slice_head(*rest, len);
	*rest = slice_from(*rest, len + 1);
	ret->quoted = slice_starts(*rest, S("\""));
	if (!ret->quoted)
		return take_plain(rest, &ret->value) ? PARAM_FOUND : PARAM_BAD;
	*rest = slice_from(*rest, 1);
	return take_quoted(rest, &ret->value) ? PARAM_FOUND : PARAM_BAD;
}

bool param_is_escaped(struct slice value)
{
	size_t at;
	while ((at = slice_find(value, '\\')) + 1 < value.len) {
		if (value.ptr[at + 1] != '\\' && value.ptr[at + 1] != '"')
			return false;
		value = slice_from(value, at + 2);
	}
	return at == value.len;
}

void param_unescape(struct slice value, struct strbuf *out)
{
	const char *escaped = param_is_escaped(value) ? "\\\"" : "\"";
	for (size_t i = 0; i < value.len; i++) {
		if (value.ptr[i] == '\\' && i + 1 < value.len && strchr(escaped, value.ptr[i + 1]))
			i++;
		strbuf_addc(out, value.ptr[i]);
	}
}
