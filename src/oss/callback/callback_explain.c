/* SPDX-License-Identifier: Apache-2.0 */
/*
 * callback_verify_explain() of callback_signature.h: what happened to a callback that does not
 * verify. The signature itself tells which digest was signed, so that the candidates cost one MD5
 * each.
 */
#include <jansson.h>

#include "base/encode.h"
#include "base/limits.h"
#include "crypto/digest.h"
#include "crypto/rsa.h"
#include "oss/callback/callback_signature.h"

#define SIGNATURE_BYTES 2048
#define TARGET_BYTES (LIMIT_TARGET_BYTES * 3) /* encoding can triple it */
#define BODY_BYTES (LIMIT_CALLBACK_BODY_BYTES * 3)
#define PATH_SEGMENTS 16 /* leading ones that are tried without */

/* ---- Changes to path and query -------------------------------------------------------------- */

struct target {
	struct slice path;
	struct slice query; /* with its `?`, or empty */
};

static struct target target_of(struct slice text)
{
	size_t query = slice_find(text, '?');
	return (struct target){slice_head(text, query), slice_from(text, query)};
}

/* Each appends what would stand before the line feed; false if it has nothing to try. */
typedef bool target_change(const struct target *t, struct strbuf *out);

static bool path_decoded(const struct target *t, struct strbuf *out)
{
	if (!percent_decode(out, t->path))
		return false;
	strbuf_add_slice(out, t->query);
	return true;
}

static bool path_undecoded(const struct target *t, struct strbuf *out)
{
	strbuf_add_slice(out, t->path);
	strbuf_add_slice(out, t->query);
	return true;
}

static bool path_decoded_twice(const struct target *t, struct strbuf *out)
{
	SCOPED_STRBUF(once, TARGET_BYTES);
	if (!percent_decode(&once, t->path) || !percent_decode(out, strbuf_slice(&once)))
		return false;
	strbuf_add_slice(out, t->query);
	return true;
}

static bool path_plus_is_space(const struct target *t, struct strbuf *out)
{
	size_t before = out->len;
	if (!path_decoded(t, out))
		return false;
	for (size_t i = before; i < out->len - t->query.len; i++)
		if (out->ptr[i] == '+')
			out->ptr[i] = ' ';
	return true;
}

static bool path_slash_added(const struct target *t, struct strbuf *out)
{
	if (!percent_decode(out, t->path))
		return false;
	strbuf_addc(out, '/');
	strbuf_add_slice(out, t->query);
	return true;
}

static bool path_slash_removed(const struct target *t, struct strbuf *out)
{
	if (t->path.len < 2 || t->path.ptr[t->path.len - 1] != '/')
		return false;
	const struct target shorter = {slice_head(t->path, t->path.len - 1), t->query};
	return path_decoded(&shorter, out);
}

static bool query_removed(const struct target *t, struct strbuf *out)
{
	return percent_decode(out, t->path);
}

static bool query_decoded(const struct target *t, struct strbuf *out)
{
	return percent_decode(out, t->path) && percent_decode(out, t->query);
}

static bool mark_added(const struct target *t, struct strbuf *out)
{
	if (!percent_decode(out, t->path))
		return false;
	strbuf_addc(out, '?');
	strbuf_add_slice(out, t->query);
	return true;
}

/* The two digits of each escape in the query, in the other case. */
static void add_query_recased(struct slice query, bool upper, struct strbuf *out)
{
	size_t digits = 0;
	for (size_t i = 0; i < query.len; i++) {
		char c = query.ptr[i];
		char lower = ascii_lower(c);
		if (digits && lower >= 'a' && lower <= 'f')
			c = upper ? (char)(lower & ~0x20) : lower;
		strbuf_addc(out, c);
		digits = c == '%' ? 2 : digits ? digits - 1 : 0;
	}
}

static bool query_upper_escapes(const struct target *t, struct strbuf *out)
{
	if (!percent_decode(out, t->path))
		return false;
	add_query_recased(t->query, true, out);
	return true;
}

static bool query_lower_escapes(const struct target *t, struct strbuf *out)
{
	if (!percent_decode(out, t->path))
		return false;
	add_query_recased(t->query, false, out);
	return true;
}

static const struct {
	target_change *change;
	const char *text; /* after "verifies if", or NULL for the target as it should be */
} target_changes[] = {
	{path_decoded, NULL},
	{path_undecoded, "the path is not percent-decoded"},
	{path_decoded_twice, "the path is percent-decoded twice (a proxy encoded it again)"},
	{path_plus_is_space, "a + in the path counts as a space"},
	{path_slash_added, "a slash is put at the end of the path"},
	{path_slash_removed, "the slash at the end of the path is left out"},
	{mark_added, "a ? is put behind the path"},
	{query_removed, "the query is left out"},
	{query_decoded, "the query is percent-decoded"},
	{query_upper_escapes, "the escapes of the query are in upper case"},
	{query_lower_escapes, "the escapes of the query are in lower case"},
};

/* ---- Changes to the body -------------------------------------------------------------------- */

typedef bool body_change(struct slice body, struct strbuf *out);

static bool body_as_is(struct slice body, struct strbuf *out)
{
	strbuf_add_slice(out, body);
	return true;
}

static bool body_without_line_end(struct slice body, struct strbuf *out)
{
	size_t len = body.len;
	if (len && body.ptr[len - 1] == '\n')
		len--;
	if (len < body.len && len && body.ptr[len - 1] == '\r')
		len--;
	strbuf_add_slice(out, slice_head(body, len));
	return len < body.len;
}

static bool body_with_lf(struct slice body, struct strbuf *out)
{
	strbuf_add_slice(out, body);
	strbuf_addc(out, '\n');
	return true;
}

static bool body_with_crlf(struct slice body, struct strbuf *out)
{
	strbuf_add_slice(out, body);
	strbuf_adds(out, "\r\n");
	return true;
}

static bool body_decoded(struct slice body, struct strbuf *out)
{
	return percent_decode(out, body);
}

/* Encodes what a form parser decoded: everything but the separators. */
static bool body_encoded(struct slice body, struct strbuf *out)
{
	for (size_t i = 0; i < body.len; i++) {
		if (body.ptr[i] == '&' || body.ptr[i] == '=')
			strbuf_addc(out, body.ptr[i]);
		else
			percent_encode(out, slice_of(body.ptr + i, 1));
	}
	return true;
}

static bool body_plus_to_escape(struct slice body, struct strbuf *out)
{
	for (size_t i = 0; i < body.len; i++) {
		if (body.ptr[i] == '+')
			strbuf_adds(out, "%20");
		else
			strbuf_addc(out, body.ptr[i]);
	}
	return slice_find(body, '+') < body.len;
}

static bool add_json(struct slice body, size_t flags, struct strbuf *out)
{
	json_t *value = json_loadb(body.ptr, body.len, JSON_REJECT_DUPLICATES, NULL);
	char *text = value ? json_dumps(value, JSON_PRESERVE_ORDER | flags) : NULL;
	if (text)
		strbuf_adds(out, text);
	free(text);
	json_decref(value);
	return text != NULL;
}

static bool body_json_compact(struct slice body, struct strbuf *out)
{
	return add_json(body, JSON_COMPACT, out);
}

static bool body_json_spaced(struct slice body, struct strbuf *out)
{
	return add_json(body, 0, out);
}

static const struct {
	body_change *change;
	const char *text;
} body_changes[] = {
	{body_as_is, NULL},
	{body_without_line_end, "the line end at the end of the body is left out"},
	{body_with_lf, "a line feed is put at the end of the body"},
	{body_with_crlf, "a line end (CR LF) is put at the end of the body"},
	{body_json_compact, "the JSON of the body is written without spaces"},
	{body_json_spaced, "the JSON of the body is written with a space after , and :"},
	{body_plus_to_escape, "each + in the body is %20"},
	{body_encoded, "the values in the body are percent-encoded"},
	{body_decoded, "the body is percent-decoded"},
};

/* ---- The search ----------------------------------------------------------------------------- */

/* Whether the digest of head, LF and body is the signed one. */
static bool fits(const uint8_t digest[MD5_BYTES], struct slice head, struct slice body)
{
	struct digest_md5 md5;
	uint8_t got[MD5_BYTES];
	digest_md5_init(&md5);
	digest_md5_update(&md5, head);
	digest_md5_update(&md5, S("\n"));
	digest_md5_update(&md5, body);
	digest_md5_final(&md5, got);
	return memcmp(got, digest, MD5_BYTES) == 0;
}

static void name_variant(
	struct strbuf *out, const char *target_text, size_t segments, const char *body_text)
{
	if (!segments && !target_text && !body_text) {
		strbuf_adds(out, "The signature verifies as it is.");
		return;
	}
	strbuf_adds(out, "The signature is genuine, but what arrived is not what was sent: it "
			 "verifies if ");
	if (segments)
		strbuf_addf(out, "the path begins %zu segment%s later", segments,
			segments == 1 ? "" : "s");
	else if (target_text)
		strbuf_adds(out, target_text);
	if ((segments || target_text) && body_text)
		strbuf_adds(out, " and ");
	if (body_text)
		strbuf_adds(out, body_text);
	strbuf_adds(out, ".");
}

/* Tries every change of the target with one text of the body. */
static bool try_targets(const uint8_t digest[MD5_BYTES], const struct target *t, struct slice body,
	const char *body_text, struct strbuf *out)
{
	SCOPED_STRBUF(head, TARGET_BYTES);
	for (size_t i = 0; i < ARRAY_LEN(target_changes); i++) {
		strbuf_clear(&head);
		if (!target_changes[i].change(t, &head) || !fits(digest, strbuf_slice(&head), body))
			continue;
		name_variant(out, target_changes[i].text, 0, body_text);
		return true;
	}
	struct target shorter = *t;
	for (size_t segments = 1; segments <= PATH_SEGMENTS && shorter.path.len; segments++) {
		struct slice rest = slice_from(shorter.path, 1);
		shorter.path = slice_from(rest, slice_find(rest, '/'));
		strbuf_clear(&head);
		if (shorter.path.len == 0)
			strbuf_addc(&head, '/');
		if (!path_decoded(&shorter, &head) || !fits(digest, strbuf_slice(&head), body))
			continue;
		name_variant(out, NULL, segments, body_text);
		return true;
	}
	return false;
}

/* The targets that callbacks are asked for, with their own query and with the one that came. */
static bool try_expected(const uint8_t digest[MD5_BYTES], const struct target *t,
	const struct target *expected, struct slice body, const char *body_text, struct strbuf *out)
{
	const struct target came = {expected->path, t->query};
	const struct target *const variants[] = {expected, &came};
	SCOPED_STRBUF(head, TARGET_BYTES);
	SCOPED_STRBUF(text, TARGET_BYTES);
	for (size_t i = 0; i < ARRAY_LEN(variants); i++) {
		strbuf_clear(&head);
		if (!path_decoded(variants[i], &head) || !fits(digest, strbuf_slice(&head), body))
			continue;
		/* A query may have a secret. */
		strbuf_addf(&text,
			"the path is that of the callback URL, %.*s%s (a proxy must pass it on "
			"as it is, prefix included)",
			SLICE_FMT(variants[i]->path),
			variants[i]->query.len == 0 ? ""
			: variants[i] == expected   ? " with its query"
						    : " with the query that came");
		name_variant(out, text.ptr, 0, body_text);
		return true;
	}
	return false;
}

static bool try_all(const uint8_t digest[MD5_BYTES], const struct target *t,
	const struct slice *expected, size_t expected_count, struct slice body, struct strbuf *out)
{
	SCOPED_STRBUF(changed, BODY_BYTES);
	for (size_t i = 0; i < ARRAY_LEN(body_changes); i++) {
		strbuf_clear(&changed);
		if (!body_changes[i].change(body, &changed) || strbuf_broken(&changed))
			continue;
		if (try_targets(digest, t, strbuf_slice(&changed), body_changes[i].text, out))
			return true;
		for (size_t j = 0; j < expected_count; j++) {
			const struct target own = target_of(expected[j]);
			if (try_expected(digest, t, &own, strbuf_slice(&changed),
				    body_changes[i].text, out))
				return true;
		}
	}
	return false;
}

bool callback_verify_explain(const struct rsa_public *key, struct slice target,
	struct slice authorization, struct slice body, const struct slice *expected,
	size_t expected_count, struct strbuf *out)
{
	uint8_t digest[MD5_BYTES];
	SCOPED_STRBUF(signature, SIGNATURE_BYTES);
	const struct target t = target_of(target);
	if (!base64_decode(&signature, authorization)) {
		strbuf_adds(out, "The Authorization header is not base64: it must be the bare "
				 "signature, without a scheme word or spaces.");
		return false;
	}
	if (!rsa_public_recover_md5(key, strbuf_slice(&signature), digest)) {
		strbuf_adds(out,
			"The signature was not made with this key: the header was altered, "
			"or the public key is another one than the store signs with.");
		return false;
	}
	if (try_all(digest, &t, expected, expected_count, body, out))
		return true;
	strbuf_adds(out, "The signature was made with this key, but for another path, query or "
			 "body; no usual change explains the difference. Compare what the store "
			 "sent with what arrived, byte by byte.");
	return false;
}
