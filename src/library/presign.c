/* SPDX-License-Identifier: Apache-2.0 */
/* Checks the arguments of postern_presign(), and makes the URL. */
#include "base/encode.h"
#include "library/internal.h"
#include "oss/sign/sign_v1.h"
#include "oss/sign/sign_v4.h"

/* Without what a signature adds. */
#define TEXT_BYTES_MAX KIB(8)
/* The latest second that a date can be written of. */
#define LATEST INT64_C(253402300799)

/* Their sum is bounded, as a request's is. */
static bool are_headers(const struct postern_request *r)
{
	size_t sum = 0;
	if (r->header_count > LIBRARY_HEADERS_MAX || (r->header_count && !r->headers))
		return false;
	for (size_t i = 0; i < r->header_count; i++)
		sum += slice_str(r->headers[i].name).len + slice_str(r->headers[i].value).len;
	return sum <= TEXT_BYTES_MAX;
}

/* Behind it come bucket and key, and then the query. */
static bool is_base(struct slice url)
{
	return (slice_starts(url, S("http://")) || slice_starts(url, S("https://"))) &&
	       slice_find(url, '?') == url.len && slice_find(url, '#') == url.len;
}

static bool is_sound(const struct postern_request *r)
{
	return HAS_MEMBERS(r, header_count) && are_headers(r) && slice_str(r->method).len > 0 &&
	       is_base(slice_str(r->base_url)) && slice_str(r->bucket).len > 0 &&
	       has_room(r->method, LIBRARY_NAME_MAX) && has_room(r->base_url, TEXT_BYTES_MAX) &&
	       has_room(r->key, LIMIT_KEY_BYTES) && has_room(r->query, TEXT_BYTES_MAX) &&
	       has_room(r->bucket, LIBRARY_NAME_MAX) && r->now >= 0 && r->now <= LATEST;
}

/* With the token of a temporary key, which is signed as the rest is. */
static void add_query(
	const struct postern_request *r, const struct postern_signer *signer, struct strbuf *out)
{
	struct slice token = slice_str(signer->security_token);
	strbuf_add_slice(out, slice_str(r->query));
	if (token.len == 0)
		return;
	strbuf_adds(out, out->len > 0 ? "&" : "");
	strbuf_adds(out, signer->version == 1 ? "security-token=" : "x-oss-security-token=");
	percent_encode(out, token);
}

static bool sign(const struct postern_request *r, const struct postern_signer *signer,
	const struct sign_request *text, struct strbuf *out)
{
	const struct sign_v4_signer who = {
		.access_key_id = slice_str(signer->access_key_id),
		.secret = slice_str(signer->access_key_secret),
		.region = slice_str(signer->region),
		.product = S("oss"),
	};
	if (signer->version == 1)
		return sign_v1_url(text, who.access_key_id, who.secret,
			(r->now + r->expires_seconds) * 1000, out);
	return sign_v4_url(text, &who, r->now * 1000, r->expires_seconds, out);
}

static void add_object(const struct postern_request *r, struct strbuf *out)
{
	struct slice base = slice_str(r->base_url);
	while (slice_ends(base, S("/")))
		base = slice_head(base, base.len - 1);
	strbuf_add_slice(out, base);
	strbuf_addc(out, '/');
	percent_encode_path(out, slice_str(r->key));
	strbuf_addc(out, '?');
}

int postern_presign(const struct postern_request *request, const struct postern_signer *signer,
	char *buffer, size_t buffer_size)
{
	struct http_header headers[LIBRARY_HEADERS_MAX];
	struct arena arena;
	SCOPED_STRBUF(query, 4 * TEXT_BYTES_MAX);
	SCOPED_STRBUF(signed_query, LIBRARY_MEMORY_MAX);
	if (!is_signer(signer) || !is_sound(request) || !buffer || buffer_size == 0)
		return POSTERN_INVALID;
	for (size_t i = 0; i < request->header_count; i++)
		headers[i] = (struct http_header){slice_str(request->headers[i].name),
			slice_trim(slice_str(request->headers[i].value))};
	struct sign_request text = {.method = slice_str(request->method),
		.bucket = slice_str(request->bucket),
		.key = slice_str(request->key),
		.headers = headers,
		.header_count = request->header_count};
	struct strbuf url = text_into(buffer, buffer_size);
	add_query(request, signer, &query);
	arena_init(&arena, NULL, 0, LIBRARY_MEMORY_MAX);
	bool parsed =
		!strbuf_broken(&query) && query_parse(strbuf_slice(&query), &arena, &text.query);
	bool refused = parsed && signer->version == 1 && sign_v1_ambiguous(&text);
	bool ok = parsed && !refused && sign(request, signer, &text, &signed_query);
	arena_reset(&arena);
	if (refused)
		return POSTERN_INVALID;
	if (!ok)
		return POSTERN_NO_MEMORY;
	add_object(request, &url);
	strbuf_add_slice(&url, strbuf_slice(&signed_query));
	return result_of(&url);
}
