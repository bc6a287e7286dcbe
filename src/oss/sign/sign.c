/* SPDX-License-Identifier: Apache-2.0 */
#include "oss/sign/sign.h"

#include <assert.h>

#include "crypto/secret.h"
#include "oss/sign/sign_internal.h"
#include "oss/sign/sign_v1.h"
#include "oss/sign/sign_v4.h"
#include "oss/text/iso8601.h"

#define TOKEN_HEADER S("x-oss-security-token")
#define DATE_HEADER S("x-oss-date")

/* A request while its claims are read. */
struct reading {
	const struct sign_request *request;
	struct arena *arena;
	struct sign_parsed *parsed;
	struct refusal *why;
};

static enum err refuse(struct reading *g, enum err e, struct slice message, const char *ec)
{
	g->why->message = message;
	g->why->ec = ec;
	return e;
}

static enum err malformed(struct reading *g)
{
	return refuse(
		g, ERR_INVALID_AUTHORIZATION, S("The Authorization header is malformed."), NULL);
}

static enum err bad_date(struct reading *g)
{
	return refuse(g, ERR_ACCESS_DENIED, S("OSS authentication requires a valid Date."), "");
}

static bool has_param(const struct reading *g, struct slice name)
{
	return query_find(&g->request->query, name) != NULL;
}

/* The value of the parameter; empty if there is none. */
static struct slice param(const struct reading *g, struct slice name)
{
	const struct query_param *p = query_find(&g->request->query, name);
	return p ? p->value : (struct slice){NULL, 0};
}

/* Base64 of a parameter that was not encoded for a query: its pluses were taken for spaces. */
static struct slice base64_param(const struct reading *g, struct slice name)
{
	struct slice value = param(g, name);
	char *text = arena_alloc(g->arena, value.len + 1);
	if (!text)
		return (struct slice){NULL, 0};
	for (size_t i = 0; i < value.len; i++)
		text[i] = value.ptr[i] == ' ' ? '+' : value.ptr[i];
	return slice_of(text, value.len);
}

/* The month of a date, "01" to "12"; empty if it is none. */
static struct slice month_digits(struct slice name)
{
	static const char names[] = "JanFebMarAprMayJunJulAugSepOctNovDec";
	static const char digits[] = "010203040506070809101112";
	for (size_t i = 0; i < 12; i++)
		if (slice_eq(name, slice_of(names + 3 * i, 3)))
			return slice_of(digits + 2 * i, 2);
	return (struct slice){NULL, 0};
}

/*
 * `Wed, 28 Dec 2022 10:27:41 GMT` (RFC 1123), the one form that is signed. Re-ordered it is the
 * basic form of ISO 8601, whose parser knows the calendar.
 */
static bool parse_rfc1123(struct slice text, int64_t *ret_ms)
{
	char basic[16];
	if (text.len != 29 || !slice_eq(slice_of(text.ptr + 3, 2), S(", ")) || text.ptr[7] != ' ' ||
		text.ptr[11] != ' ' || text.ptr[16] != ' ' || text.ptr[19] != ':' ||
		text.ptr[22] != ':' || !slice_ends(text, S(" GMT")))
		return false;
	struct slice month = month_digits(slice_of(text.ptr + 8, 3));
	if (month.len == 0)
		return false;
	/* Not snprintf: each signed request comes by here. */
	memcpy(basic, text.ptr + 12, 4);
	memcpy(basic + 4, month.ptr, 2);
	memcpy(basic + 6, text.ptr + 5, 2);
	basic[8] = 'T';
	memcpy(basic + 9, text.ptr + 17, 2);
	memcpy(basic + 11, text.ptr + 20, 2);
	memcpy(basic + 13, text.ptr + 23, 2);
	basic[15] = 'Z';
	return iso8601_parse_basic(slice_of(basic, sizeof(basic)), ret_ms);
}

/* ---- V1 ----------------------------------------------------------------------------------- */

static enum err parse_v1_header(struct reading *g, struct slice rest)
{
	struct sign_parsed *p = g->parsed;
	p->scheme = SIGN_V1_HEADER;
	if (!slice_cut(&rest, ':', &p->access_key_id) || p->access_key_id.len == 0 || rest.len == 0)
		return malformed(g);
	p->signature = rest;
	p->security_token = sign_header_value(g->request, TOKEN_HEADER);
	p->time_text = slice_trim(sign_header_value(g->request, DATE_HEADER));
	if (p->time_text.len == 0)
		p->time_text = slice_trim(sign_header_value(g->request, S("date")));
	return parse_rfc1123(p->time_text, &p->time_ms) ? ERR_OK : bad_date(g);
}

static enum err parse_v1_url(struct reading *g)
{
	struct sign_parsed *p = g->parsed;
	uint64_t seconds;
	p->scheme = SIGN_V1_URL;
	p->access_key_id = param(g, S("OSSAccessKeyId"));
	p->signature = base64_param(g, S("Signature"));
	p->security_token = param(g, S("security-token"));
	p->time_text = param(g, S("Expires"));
	if (p->access_key_id.len == 0 || p->signature.len == 0 || p->time_text.len == 0)
		return refuse(g, ERR_ACCESS_DENIED,
			S("Query-string authentication requires the Signature, Expires and "
			  "OSSAccessKeyId parameters."),
			"");
	if (!slice_to_u64(p->time_text, &seconds) || seconds > INT64_MAX / 1000)
		return refuse(g, ERR_ACCESS_DENIED,
			S("The Expires parameter must be a number of seconds since 1970-01-01 "
			  "UTC."),
			"");
	p->time_ms = p->expires_ms = (int64_t)seconds * 1000;
	return ERR_OK;
}

/* ---- V4 ----------------------------------------------------------------------------------- */

static enum err parse_credential(struct reading *g, struct slice text)
{
	struct sign_parsed *p = g->parsed;
	switch (credential_parse(text, &p->credential)) {
	case CREDENTIAL_OK:
		break;
	case CREDENTIAL_MALFORMED:
		return refuse(g, ERR_INVALID_ARGUMENT,
			S("The credential must be "
			  "<AccessKeyId>/<date>/<region>/oss/aliyun_v4_request."),
			NULL);
	case CREDENTIAL_BAD_DATE:
		return refuse(g, ERR_INVALID_ARGUMENT,
			S("The date of the credential must be YYYYMMDD."), NULL);
	case CREDENTIAL_BAD_PRODUCT:
		return refuse(g, ERR_INVALID_ARGUMENT,
			S("The product of the credential must be oss."), NULL);
	case CREDENTIAL_BAD_ENDING:
		return refuse(g, ERR_INVALID_ARGUMENT,
			S("The credential must end in aliyun_v4_request."), NULL);
	}
	p->access_key_id = p->credential.access_key_id;
	if (!slice_eq(p->credential.day, slice_head(p->time_text, 8)))
		return refuse(g, ERR_INVALID_ARGUMENT,
			S("The date of the credential must be the UTC day of the request."), NULL);
	return ERR_OK;
}

static int cmp_slice(const void *a, const void *b)
{
	return slice_cmp(*(const struct slice *)a, *(const struct slice *)b);
}

/* The next name of a `;` separated list in lower case; ptr is NULL without memory. */
static struct slice next_name(struct slice *list, struct arena *arena)
{
	struct slice name;
	(void)slice_cut(list, ';', &name);
	name = slice_trim(name);
	char *text = arena_alloc(arena, name.len + 1);
	for (size_t i = 0; text && i < name.len; i++)
		text[i] = ascii_lower(name.ptr[i]);
	return slice_of(text, text ? name.len : 0);
}

static enum err parse_additional(struct reading *g, struct slice list)
{
	size_t most = 1, count = 0;
	for (size_t i = 0; i < list.len; i++)
		most += list.ptr[i] == ';';
	struct slice *names = arena_alloc(g->arena, most * sizeof(*names));
	if (!names)
		return ERR_UNAVAILABLE;
	while (list.len > 0) {
		struct slice name = next_name(&list, g->arena);
		if (!name.ptr)
			return ERR_UNAVAILABLE;
		if (name.len == 0 || sign_v4_is_default_header(name))
			continue;
		if (!sign_header_find(g->request, name)) {
			g->why->argument_name = "AdditionalHeaders";
			g->why->argument_value = name;
			return refuse(g, ERR_INVALID_ARGUMENT,
				S("A header of the list of additional headers is not part of the "
				  "request."),
				"0002-00000077");
		}
		names[count++] = name;
	}
	qsort(names, count, sizeof(*names), cmp_slice);
	size_t kept = 0;
	for (size_t i = 0; i < count; i++)
		if (i == 0 || !slice_eq(names[i], names[i - 1]))
			names[kept++] = names[i];
	g->parsed->additional = names;
	g->parsed->additional_count = kept;
	return ERR_OK;
}

/* The time of a V4 header: x-oss-date, or Date written the same way. */
static enum err parse_v4_time(struct reading *g)
{
	struct sign_parsed *p = g->parsed;
	const struct http_header *date = sign_header_find(g->request, DATE_HEADER);
	if (date) {
		p->time_text = slice_trim(date->value);
		return iso8601_parse_basic(p->time_text, &p->time_ms) ? ERR_OK : bad_date(g);
	}
	p->date_text = slice_trim(sign_header_value(g->request, S("date")));
	if (!parse_rfc1123(p->date_text, &p->time_ms))
		return bad_date(g);
	SCOPED_STRBUF(text, 32);
	iso8601_add_basic(&text, p->time_ms);
	p->time_text = arena_copy(g->arena, strbuf_slice(&text));
	return p->time_text.ptr && !strbuf_broken(&text) ? ERR_OK : ERR_UNAVAILABLE;
}

/* The parts of a V4 Authorization header. */
struct parts {
	struct slice credential;
	struct slice additional;
	struct slice signature;
};

/* SDKs differ in the order of the parts and in spaces; what is not known is left alone. */
static bool split_parts(struct slice rest, struct parts *ret)
{
	*ret = (struct parts){{NULL, 0}, {NULL, 0}, {NULL, 0}};
	while (rest.len > 0) {
		struct slice value, name;
		(void)slice_cut(&rest, ',', &value);
		if (!slice_cut(&value, '=', &name))
			return false;
		name = slice_trim(name);
		struct slice *part = slice_eq(name, S("Credential"))          ? &ret->credential
				     : slice_eq(name, S("AdditionalHeaders")) ? &ret->additional
				     : slice_eq(name, S("Signature"))         ? &ret->signature
									      : NULL;
		if (!part)
			continue;
		if (part->len > 0)
			return false;
		*part = slice_trim(value);
	}
	return ret->credential.len > 0 && ret->signature.len > 0;
}

static enum err parse_v4_header(struct reading *g, struct slice rest)
{
	struct sign_parsed *p = g->parsed;
	struct parts parts;
	p->scheme = SIGN_V4_HEADER;
	if (!split_parts(rest, &parts))
		return malformed(g);
	p->signature = parts.signature;
	p->security_token = sign_header_value(g->request, TOKEN_HEADER);
	enum err e = parse_v4_time(g);
	if (!e)
		e = parse_credential(g, parts.credential);
	if (!e)
		e = parse_additional(g, parts.additional);
	if (e)
		return e;
	if (!slice_eq(sign_header_value(g->request, S("x-oss-content-sha256")), S(SIGN_V4_PAYLOAD)))
		return refuse(g, ERR_INVALID_ARGUMENT,
			S("The header x-oss-content-sha256 must be " SIGN_V4_PAYLOAD "."), NULL);
	return ERR_OK;
}

/* The first parameter of a V4 URL that is missing. */
static enum err missing_v4(struct reading *g)
{
	static const struct {
		struct slice name;
		const char *ec;
	} required[] = {
		{SLICE_LIT("x-oss-credential"), "0002-00000217"},
		{SLICE_LIT("x-oss-date"), NULL},
		{SLICE_LIT("x-oss-expires"), "0002-00000215"},
		{SLICE_LIT("x-oss-signature"), NULL},
	};
	for (size_t i = 0; i < ARRAY_LEN(required); i++) {
		if (param(g, required[i].name).len > 0)
			continue;
		g->why->argument_name = required[i].name.ptr;
		return refuse(g, ERR_INVALID_ARGUMENT,
			S("A URL signed by " SIGN_V4_ALGORITHM
			  " requires the parameters x-oss-credential, "
			  "x-oss-date, x-oss-expires and x-oss-signature."),
			required[i].ec);
	}
	return ERR_OK;
}

static enum err parse_v4_url(struct reading *g)
{
	struct sign_parsed *p = g->parsed;
	uint64_t seconds;
	p->scheme = SIGN_V4_URL;
	if (!slice_eq(param(g, S("x-oss-signature-version")), S(SIGN_V4_ALGORITHM)))
		return refuse(g, ERR_INVALID_ARGUMENT,
			S("The parameter x-oss-signature-version must be " SIGN_V4_ALGORITHM "."),
			"0002-00000066");
	enum err e = missing_v4(g);
	if (e)
		return e;
	p->signature = param(g, S("x-oss-signature"));
	p->security_token = param(g, S("x-oss-security-token"));
	p->time_text = param(g, S("x-oss-date"));
	if (!iso8601_parse_basic(p->time_text, &p->time_ms))
		return bad_date(g);
	if (!slice_to_u64(param(g, S("x-oss-expires")), &seconds) || seconds < 1 ||
		seconds > LIMIT_PRESIGN_SECONDS)
		return refuse(g, ERR_INVALID_ARGUMENT,
			S("The parameter x-oss-expires must be a number of seconds from 1 to "
			  "604800."),
			"0002-00000232");
	p->expires_ms = p->time_ms + (int64_t)seconds * 1000;
	e = parse_credential(g, param(g, S("x-oss-credential")));
	return e ? e : parse_additional(g, param(g, S("x-oss-additional-headers")));
}

/* ---- All ---------------------------------------------------------------------------------- */

static enum err parse_header(struct reading *g, struct slice value)
{
	struct slice rest = slice_trim(value), scheme;
	(void)slice_cut(&rest, ' ', &scheme);
	rest = slice_trim(rest);
	if (slice_eq(scheme, S("OSS")))
		return parse_v1_header(g, rest);
	if (slice_eq(scheme, S(SIGN_V4_ALGORITHM)))
		return parse_v4_header(g, rest);
	return ERR_INVALID_AUTHORIZATION;
}

static bool has_v1_url(const struct reading *g)
{
	return has_param(g, S("OSSAccessKeyId")) || has_param(g, S("Signature"));
}

static bool has_v4_url(const struct reading *g)
{
	return has_param(g, S("x-oss-signature-version")) || has_param(g, S("x-oss-signature")) ||
	       has_param(g, S("x-oss-credential"));
}

static bool has_header(const struct sign_request *r)
{
	return sign_header_find(r, S("authorization")) != NULL;
}

bool sign_claimed(const struct sign_request *r)
{
	struct reading g = {.request = r};
	return has_header(r) || has_v1_url(&g) || has_v4_url(&g);
}

static bool is_v4(const struct sign_parsed *p)
{
	return p->scheme == SIGN_V4_HEADER || p->scheme == SIGN_V4_URL;
}

enum err sign_parse(const struct sign_request *r, struct arena *arena, struct sign_parsed *ret,
	struct refusal *why)
{
	struct sign_parsed parsed = {.scheme = SIGN_NONE};
	struct reading g = {.request = r, .arena = arena, .parsed = &parsed, .why = why};
	bool header = has_header(r);
	bool v1_url = has_v1_url(&g);
	bool v4_url = has_v4_url(&g);
	if (header + v1_url + v4_url > 1)
		return refuse(&g, ERR_INVALID_ARGUMENT,
			S("Only one signature is allowed: in the Authorization header, or in the "
			  "URL."),
			NULL);
	enum err e = ERR_OK;
	if (header)
		e = parse_header(&g, sign_header_value(r, S("authorization")));
	else if (v1_url)
		e = parse_v1_url(&g);
	else if (v4_url)
		e = parse_v4_url(&g);
	if (!e && (header || v1_url) && !is_v4(&parsed) && sign_v1_ambiguous(r))
		e = refuse(&g, ERR_ACCESS_DENIED,
			S("What signature version 1 signs of this request can be read as another "
			  "request: it has a `?` in the key, a `&` in a value, or a delimiter in "
			  "the "
			  "name of a parameter. Sign it with version 4 (" SIGN_V4_ALGORITHM ")."),
			"");
	if (!e)
		*ret = parsed;
	return e;
}

enum err sign_check_region(const struct sign_parsed *p, struct slice region)
{
	if (!is_v4(p) || region.len == 0 || slice_eq(p->credential.region, region))
		return ERR_OK;
	return ERR_INVALID_REGION;
}

enum err sign_check_time(const struct sign_parsed *p, int64_t now_ms)
{
	bool url = p->scheme == SIGN_V1_URL || p->scheme == SIGN_V4_URL;
	if (p->scheme == SIGN_NONE)
		return ERR_OK;
	if (url && now_ms > p->expires_ms)
		return ERR_REQUEST_EXPIRED;
	if (p->scheme != SIGN_V1_URL && p->time_ms - now_ms > LIMIT_CLOCK_SKEW_MS)
		return ERR_TIME_TOO_SKEWED;
	if (!url && now_ms - p->time_ms > LIMIT_CLOCK_SKEW_MS)
		return ERR_TIME_TOO_SKEWED;
	return ERR_OK;
}

static enum err match_v1(const struct sign_parsed *p, const struct sign_request *r,
	struct slice secret, struct strbuf *text)
{
	SCOPED_STRBUF(signature, 64);
	if (!sign_v1_text(r, p->time_text, text))
		return ERR_UNAVAILABLE;
	sign_v1_signature(secret, strbuf_slice(text), &signature);
	if (strbuf_broken(&signature))
		return ERR_UNAVAILABLE;
	return slice_eq_secret(strbuf_slice(&signature), p->signature) ? ERR_OK
								       : ERR_SIGNATURE_MISMATCH;
}

/* `text` is what OSS would have signed, whatever the client has. */
static enum err verify_v1(const struct sign_parsed *p, const struct sign_request *r,
	struct slice secret, struct strbuf *text)
{
	enum err e = match_v1(p, r, secret, text);
	if (e != ERR_SIGNATURE_MISMATCH || r->bucket.len == 0 || r->key.len || r->path.len)
		return e;
	struct sign_request bare = *r;
	SCOPED_STRBUF(other, SIGN_TEXT_BYTES);
	bare.bare_bucket = true;
	return match_v1(p, &bare, secret, &other);
}

/* One way of writing the query. */
static enum err verify_v4_as(enum sign_v4_empty empty, const struct sign_parsed *p,
	const struct sign_request *r, const struct hmac_sha256 *key, struct strbuf *text,
	struct strbuf *canonical)
{
	SCOPED_STRBUF(signature, 128);
	strbuf_clear(text);
	strbuf_clear(canonical);
	if (!sign_v4_canonical(r, p->additional, p->additional_count, empty, canonical))
		return ERR_UNAVAILABLE;
	sign_v4_text(&p->credential, p->time_text, strbuf_slice(canonical), text);
	sign_v4_signature(key, strbuf_slice(text), &signature);
	if (strbuf_broken(text) || strbuf_broken(&signature))
		return ERR_UNAVAILABLE;
	return slice_eq_secret(strbuf_slice(&signature), p->signature) ? ERR_OK
								       : ERR_SIGNATURE_MISMATCH;
}

/*
 * The JavaScript SDK writes `name=` for a parameter without a value where the others write `name`
 * (spec: signatures section 7). If neither holds, what is shown is the usual form.
 */
static enum err verify_v4_query(const struct sign_parsed *p, const struct sign_request *r,
	const struct hmac_sha256 *key, struct strbuf *text, struct strbuf *canonical)
{
	enum err e = verify_v4_as(SIGN_V4_EMPTY_BARE, p, r, key, text, canonical);
	if (e != ERR_SIGNATURE_MISMATCH || r->query.count == 0)
		return e;
	e = verify_v4_as(SIGN_V4_EMPTY_EQUALS, p, r, key, text, canonical);
	if (e != ERR_SIGNATURE_MISMATCH)
		return e;
	return verify_v4_as(SIGN_V4_EMPTY_BARE, p, r, key, text, canonical);
}

/*
 * The Go SDK (version 1) sends no x-oss-date, and signs the header Date as it stands instead of the
 * same time in ISO 8601. If neither holds, what is shown is the form of the documentation.
 */
static enum err verify_v4(const struct sign_parsed *p, const struct sign_request *r,
	const struct hmac_sha256 *key, struct strbuf *text, struct strbuf *canonical)
{
	enum err e = verify_v4_query(p, r, key, text, canonical);
	if (e != ERR_SIGNATURE_MISMATCH || p->date_text.len == 0)
		return e;
	struct sign_parsed as_sent = *p;
	as_sent.time_text = p->date_text;
	e = verify_v4_query(&as_sent, r, key, text, canonical);
	if (e != ERR_SIGNATURE_MISMATCH)
		return e;
	return verify_v4_query(p, r, key, text, canonical);
}

enum err sign_verify(const struct sign_parsed *p, const struct sign_request *r, struct slice secret,
	struct sign_key_cache *cache, struct strbuf *string_to_sign,
	struct strbuf *canonical_request)
{
	assert(p->scheme != SIGN_NONE);
	strbuf_clear(string_to_sign);
	strbuf_clear(canonical_request);
	if (!is_v4(p))
		return verify_v1(p, r, secret, string_to_sign);
	struct hmac_sha256 key;
	credential_signing_key(&p->credential, secret, cache, &key);
	enum err e = verify_v4(p, r, &key, string_to_sign, canonical_request);
	secret_wipe(&key, sizeof(key));
	return e;
}
