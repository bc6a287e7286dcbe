/* SPDX-License-Identifier: Apache-2.0 */
#include "http/head.h"

#include "base/strbuf.h"
#include "http/syntax.h"
#include "http/url.h"

/* What has been seen of the headers that may stand only once, and of those that decide framing. */
struct framing {
	bool host;
	bool length;
	bool chunked;
	bool close;
	bool keep_alive;
	bool expect;
};

/*
 * Looks for the empty line that ends the head, from byte `from` on. Refuses a bare LF on the way.
 * Every line is looked at once, whatever the pieces in which it came.
 */
static enum head_result find_end(struct slice text, size_t from, size_t *ret_end)
{
	while (from < text.len) {
		const char *lf = memchr(text.ptr + from, '\n', text.len - from);
		if (!lf)
			break;
		size_t at = (size_t)(lf - text.ptr);
		if (at < 2 || text.ptr[at - 1] != '\r')
			return HEAD_BAD;
		from = at + 1;
		if (text.ptr[at - 2] == '\n') {
			*ret_end = from;
			return HEAD_DONE;
		}
	}
	*ret_end = text.len;
	return HEAD_MORE;
}

static enum http_method method_of(struct slice text)
{
	static const struct {
		struct slice text;
		enum http_method method;
	} methods[] = {
		{SLICE_LIT("GET"), HTTP_GET},
		{SLICE_LIT("POST"), HTTP_POST},
		{SLICE_LIT("PUT"), HTTP_PUT},
		{SLICE_LIT("HEAD"), HTTP_HEAD},
		{SLICE_LIT("DELETE"), HTTP_DELETE},
		{SLICE_LIT("OPTIONS"), HTTP_OPTIONS},
	};
	for (size_t i = 0; i < ARRAY_LEN(methods); i++)
		if (slice_eq(text, methods[i].text))
			return methods[i].method;
	return HTTP_OTHER;
}

static bool is_port(struct slice s)
{
	uint64_t port;
	return s.len <= 5 && slice_to_u64(s, &port) && port <= 65535;
}

/*
 * "name", "1.2.3.4" or "[::1]", with ":port" or without. Narrower than the grammar of URIs, which
 * allows a comma or a percent sign in a name.
 */
static bool is_host(struct slice s)
{
	size_t len;
	if (s.len > 0 && s.ptr[0] == '[') {
		len = 1;
		while (len < s.len && syntax_is(s.ptr[len], SYNTAX_IPV6))
			len++;
		if (len == 1 || len == s.len || s.ptr[len] != ']')
			return false;
		len++;
	} else {
		len = 0;
		while (len < s.len && syntax_is(s.ptr[len], SYNTAX_HOST))
			len++;
		if (len == 0)
			return false;
	}
	return len == s.len || (s.ptr[len] == ':' && is_port(slice_from(s, len + 1)));
}

/* "http://authority/path?query": moves the authority to *ret_host. */
static bool cut_absolute(struct slice *target, struct slice *ret_host)
{
	struct url url;
	if (!url_split(*target, &url) || (url.rest.len && url.rest.ptr[0] != '/'))
		return false;
	*ret_host = url.authority;
	*target = url.rest.len ? url.rest : S("/");
	return is_host(*ret_host);
}

static bool parse_target(struct slice target, struct request_head *ret, struct slice *ret_host)
{
	if (target.len == 0 || syntax_has_space_or_control(target) ||
		slice_find(target, '#') < target.len)
		return false;
	if (target.ptr[0] != '/' && !(slice_eq(target, S("*")) && ret->method == HTTP_OPTIONS) &&
		!cut_absolute(&target, ret_host))
		return false;
	ret->target = target;
	ret->query = target;
	(void)slice_cut(&ret->query, '?', &ret->path);
	return true;
}

static enum head_result parse_version(struct slice s, int *ret_minor)
{
	if (s.len != 8 || !slice_starts(s, S("HTTP/")) || !ascii_digit(s.ptr[5]) ||
		s.ptr[6] != '.' || !ascii_digit(s.ptr[7]))
		return HEAD_BAD;
	if (s.ptr[5] != '1' || s.ptr[7] > '1')
		return HEAD_VERSION;
	*ret_minor = s.ptr[7] - '0';
	return HEAD_DONE;
}

/* METHOD SP target SP HTTP/1.x */
static enum head_result parse_request_line(
	struct slice line, struct request_head *ret, struct slice *ret_host)
{
	struct slice target;
	ret->fault = "the request line is not METHOD, target and HTTP/1.1";
	if (!slice_cut(&line, ' ', &ret->method_text) || !syntax_is_token(ret->method_text) ||
		!slice_cut(&line, ' ', &target))
		return HEAD_BAD;
	ret->method = method_of(ret->method_text);
	enum head_result result = parse_version(line, &ret->minor);
	if (result == HEAD_VERSION)
		ret->fault = "the version of HTTP is neither 1.0 nor 1.1";
	if (result != HEAD_DONE)
		return result;
	ret->fault = "the target of the request is too long";
	if (target.len > LIMIT_TARGET_BYTES)
		return HEAD_TOO_LONG;
	ret->fault = "the target of the request is not valid";
	return parse_target(target, ret, ret_host) ? HEAD_DONE : HEAD_BAD;
}

/* Digits without a leading zero, which another reader could take for an octal number. */
static bool parse_length(struct slice s, uint64_t *ret)
{
	uint64_t length;
	if (!slice_to_u64(s, &length) || length > INT64_MAX || (s.len > 1 && s.ptr[0] == '0'))
		return false;
	*ret = length;
	return true;
}

static void parse_connection(struct slice list, struct framing *framing)
{
	while (list.len > 0) {
		struct slice token;
		(void)slice_cut(&list, ',', &token);
		token = slice_trim(token);
		framing->close |= slice_eq_nocase(token, S("close"));
		framing->keep_alive |= slice_eq_nocase(token, S("keep-alive"));
	}
}

/* The headers that say how the message and the connection go on. False if they must not stand. */
static bool note_header(
	const struct http_header *header, struct request_head *ret, struct framing *framing)
{
	struct slice name = header->name;
	struct slice value = header->value;
	switch (name.len) {
	case 4:
		if (slice_eq_nocase(name, S("Host"))) {
			ret->fault = "there are two Host headers, or one that is no host";
			if (framing->host || !is_host(value))
				return false;
			framing->host = true;
			ret->host = value;
		}
		return true;
	case 6:
		if (slice_eq_nocase(name, S("Expect"))) {
			framing->expect = true;
			ret->fault = "the Expect header is not 100-continue";
			return slice_eq_nocase(value, S("100-continue"));
		}
		return true;
	case 10:
		if (slice_eq_nocase(name, S("Connection")))
			parse_connection(value, framing);
		return true;
	case 14:
		if (slice_eq_nocase(name, S("Content-Length"))) {
			ret->fault = "there are two Content-Length headers, or one that is no "
				     "number of bytes";
			if (framing->length || !parse_length(value, &ret->content_length))
				return false;
			framing->length = true;
		}
		return true;
	case 17:
		if (slice_eq_nocase(name, S("Transfer-Encoding"))) {
			ret->fault = "there are two Transfer-Encoding headers, or one that is not "
				     "chunked";
			if (framing->chunked || !slice_eq_nocase(value, S("chunked")))
				return false;
			framing->chunked = true;
		}
		return true;
	default:
		return true;
	}
}

/* name ":" OWS value OWS; `line` is without its CRLF. */
static bool parse_header(struct slice line, struct http_header *ret)
{
	size_t len = syntax_token_len(line);
	if (len == 0 || len == line.len || line.ptr[len] != ':')
		return false;
	ret->name = slice_head(line, len);
	ret->value = slice_trim(slice_from(line, len + 1));
	return !syntax_has_control(ret->value);
}

/* All header lines, without the empty one; each ends with LF, and CR is before it. */
static enum head_result parse_headers(
	struct slice lines, struct request_head *ret, struct framing *framing)
{
	ret->header_count = 0;
	while (lines.len > 0) {
		struct slice line;
		(void)slice_cut(&lines, '\n', &line);
		line.len--;
		ret->fault = "there are too many headers";
		if (ret->header_count == LIMIT_HEADERS)
			return HEAD_TOO_LONG;
		struct http_header *header = &ret->headers[ret->header_count];
		ret->fault = "a header line is not name, colon and value";
		if (!parse_header(line, header) || !note_header(header, ret, framing))
			return HEAD_BAD;
		ret->header_count++;
	}
	return HEAD_DONE;
}

/* What the headers say together. */
static bool conclude(struct request_head *ret, const struct framing *framing)
{
	ret->fault = "Transfer-Encoding is not for HTTP/1.0";
	if (framing->chunked && ret->minor == 0)
		return false;
	ret->fault = "there is no Host header";
	ret->both_lengths = framing->chunked && framing->length;
	if (ret->both_lengths)
		ret->content_length = 0;
	if (ret->minor == 1 && !framing->host)
		return false;
	ret->body = framing->chunked  ? HTTP_BODY_CHUNKED
		    : framing->length ? HTTP_BODY_LENGTH
				      : HTTP_BODY_NONE;
	ret->keep_alive = !framing->close && (ret->minor == 1 || framing->keep_alive);
	/* RFC 9110 section 10.1.1: not from HTTP/1.0, and only in front of a body. */
	ret->expect_continue =
		framing->expect && ret->minor == 1 && (framing->chunked || ret->content_length > 0);
	return true;
}

static enum head_result parse_head(struct slice head, struct request_head *ret)
{
	struct framing framing = {0};
	struct slice line, authority = {NULL, 0};
	ret->content_length = 0;
	ret->host = slice_of(NULL, 0);
	(void)slice_cut(&head, '\n', &line);
	line.len--;
	enum head_result result = parse_request_line(line, ret, &authority);
	if (result != HEAD_DONE)
		return result;
	head.len -= 2;
	result = parse_headers(head, ret, &framing);
	if (result != HEAD_DONE)
		return result;
	if (!conclude(ret, &framing))
		return HEAD_BAD;
	if (authority.ptr)
		ret->host = authority;
	return HEAD_DONE;
}

enum head_result request_head_parse(
	struct slice text, size_t from, struct request_head *ret, size_t *ret_size)
{
	text = slice_head(text, LIMIT_HEAD_BYTES);
	ret->fault = "the request does not begin with a method: is it TLS?";
	if (text.len > 0 && !syntax_is(text.ptr[0], SYNTAX_TOKEN))
		return HEAD_BAD;
	enum head_result result = find_end(text, from, ret_size);
	ret->fault = result == HEAD_BAD ? "a line of the head does not end with CR and LF"
					: "the head is too long";
	if (result == HEAD_MORE && text.len == LIMIT_HEAD_BYTES)
		return HEAD_TOO_LONG;
	if (result != HEAD_DONE)
		return result;
	return parse_head(slice_head(text, *ret_size), ret);
}

size_t request_head_skip(struct slice text)
{
	size_t len = 0;
	while (len + 2 <= text.len && text.ptr[len] == '\r' && text.ptr[len + 1] == '\n')
		len += 2;
	return len;
}

bool request_head_awaited(struct slice text)
{
	return text.len == 0 || slice_eq(text, S("\r"));
}

struct slice request_head_get(const struct request_head *head, struct slice name)
{
	for (size_t i = 0; i < head->header_count; i++)
		if (slice_eq_nocase(head->headers[i].name, name))
			return head->headers[i].value;
	return slice_of(NULL, 0);
}

/* The header before number `i` that has its name; NULL if there is none. */
static struct http_header *same_before(struct request_head *head, size_t i, struct slice name)
{
	for (size_t k = 0; k < i; k++)
		if (slice_eq_nocase(head->headers[k].name, name))
			return &head->headers[k];
	return NULL;
}

static bool has_repeats(const struct request_head *head)
{
	for (size_t i = 1; i < head->header_count; i++)
		for (size_t k = 0; k < i; k++)
			if (slice_eq_nocase(head->headers[k].name, head->headers[i].name))
				return true;
	return false;
}

static bool append_value(struct slice *value, struct slice more, struct arena *arena)
{
	SCOPED_STRBUF(joined, LIMIT_HEAD_BYTES);
	strbuf_add_slice(&joined, *value);
	strbuf_addc(&joined, ',');
	strbuf_add_slice(&joined, more);
	*value = arena_copy(arena, strbuf_slice(&joined));
	return value->ptr && !strbuf_broken(&joined);
}

enum head_join request_head_join(const struct request_head *head,
	bool (*is_single)(struct slice name), struct arena *arena, const struct request_head **ret,
	struct slice *ret_conflict)
{
	*ret = head;
	if (!has_repeats(head))
		return HEAD_JOIN_OK;
	struct request_head *joined = arena_alloc(arena, sizeof(*joined));
	if (!joined)
		return HEAD_JOIN_NO_MEMORY;
	*joined = *head;
	joined->header_count = 0;
	for (size_t i = 0; i < head->header_count; i++) {
		const struct http_header *header = &head->headers[i];
		struct http_header *before =
			same_before(joined, joined->header_count, header->name);
		if (!before) {
			joined->headers[joined->header_count++] = *header;
		} else if (!is_single(header->name)) {
			if (!append_value(&before->value, header->value, arena))
				return HEAD_JOIN_NO_MEMORY;
		} else if (!slice_eq(before->value, header->value)) {
			*ret_conflict = header->name;
			return HEAD_JOIN_CONFLICT;
		}
	}
	*ret = joined;
	return HEAD_JOIN_OK;
}
