/* SPDX-License-Identifier: Apache-2.0 */
#include "oss/sign/sign_v4.h"

#include <inttypes.h>

#include "base/encode.h"
#include "base/limits.h"
#include "crypto/secret.h"
#include "oss/sign/sign_internal.h"
#include "oss/text/iso8601.h"

/* A parameter of the canonical query, encoded. */
struct pair {
	struct slice name;
	struct slice value;
};

bool sign_v4_is_default_header(struct slice name)
{
	return sign_is_oss_name(name) || slice_eq_nocase(name, S("content-type")) ||
	       slice_eq_nocase(name, S("content-md5"));
}

static bool wants_signed(const struct sign_choice *choice, struct slice name)
{
	if (sign_v4_is_default_header(name))
		return true;
	for (size_t i = 0; i < choice->listed_count; i++)
		if (slice_eq_nocase(name, choice->listed[i]))
			return true;
	return false;
}

static bool encode(struct slice text, struct arena *arena, struct slice *ret)
{
	SCOPED_STRBUF(encoded, 3 * text.len);
	percent_encode(&encoded, text);
	*ret = arena_copy(arena, strbuf_slice(&encoded));
	return ret->ptr != NULL && !strbuf_broken(&encoded);
}

/* By name; among the same names by value. */
static int pair_cmp(const void *a, const void *b)
{
	const struct pair *x = a, *y = b;
	int order = slice_cmp(x->name, y->name);
	return order != 0 ? order : slice_cmp(x->value, y->value);
}

static bool add_query(const struct query *query, enum sign_v4_empty empty, struct arena *arena,
	struct strbuf *out)
{
	size_t count = 0;
	if (query->count == 0)
		return true;
	struct pair *pairs = arena_alloc(arena, query->count * sizeof(*pairs));
	if (!pairs)
		return false;
	for (size_t i = 0; i < query->count; i++) {
		const struct query_param *param = &query->params[i];
		/* Only a URL that is signed has it, and it cannot sign itself. */
		if (slice_eq(param->name, S("x-oss-signature")))
			continue;
		if (!encode(param->name, arena, &pairs[count].name) ||
			!encode(param->value, arena, &pairs[count].value))
			return false;
		count++;
	}
	qsort(pairs, count, sizeof(*pairs), pair_cmp);
	for (size_t i = 0; i < count; i++) {
		if (i > 0)
			strbuf_addc(out, '&');
		strbuf_add_slice(out, pairs[i].name);
		if (pairs[i].value.len > 0 || empty == SIGN_V4_EMPTY_EQUALS)
			strbuf_addc(out, '=');
		strbuf_add_slice(out, pairs[i].value);
	}
	return true;
}

static void add_list(const struct slice *list, size_t count, struct strbuf *out)
{
	for (size_t i = 0; i < count; i++) {
		if (i > 0)
			strbuf_addc(out, ';');
		strbuf_add_slice(out, list[i]);
	}
}

bool sign_v4_canonical(const struct sign_request *r, const struct slice *additional,
	size_t additional_count, enum sign_v4_empty empty, struct strbuf *out)
{
	struct sign_choice choice = {wants_signed, additional, additional_count};
	char first[4096];
	struct arena arena;
	arena_init(&arena, first, sizeof(first), LIMIT_REQUEST_ARENA_BYTES);

	SCOPED_STRBUF(resource, LIMIT_HEAD_BYTES);
	sign_add_resource(r, &resource);
	strbuf_add_slice(out, r->method);
	strbuf_addc(out, '\n');
	percent_encode_path(out, strbuf_slice(&resource));
	strbuf_addc(out, '\n');
	bool ok = !strbuf_broken(&resource) && add_query(&r->query, empty, &arena, out);
	strbuf_addc(out, '\n');
	ok = ok && sign_add_headers(r, &choice, &arena, out);
	strbuf_addc(out, '\n');
	add_list(additional, additional_count, out);
	strbuf_adds(out, "\n" SIGN_V4_PAYLOAD);
	arena_reset(&arena);
	return ok && !strbuf_broken(out);
}

void sign_v4_text(const struct credential *c, struct slice time_text, struct slice canonical,
	struct strbuf *out)
{
	uint8_t digest[SHA256_BYTES];
	sha256_of(canonical, digest);
	strbuf_adds(out, SIGN_V4_ALGORITHM "\n");
	strbuf_add_slice(out, time_text);
	strbuf_addc(out, '\n');
	credential_add_scope(c, out);
	strbuf_addc(out, '\n');
	hex_encode_lower(out, slice_of(digest, sizeof(digest)));
}

void sign_v4_signature(const struct hmac_sha256 *key, struct slice text, struct strbuf *out)
{
	uint8_t mac[SHA256_BYTES];
	hmac_sha256_sign(key, text, mac);
	hex_encode_lower(out, slice_of(mac, sizeof(mac)));
}

/* Appends the signature that `signer` makes of `r` under `c`. */
static bool add_signature(const struct sign_request *r, const struct sign_v4_signer *signer,
	const struct credential *c, struct slice time_text, struct strbuf *out)
{
	SCOPED_STRBUF(canonical, SIGN_TEXT_BYTES);
	SCOPED_STRBUF(text, SIGN_TEXT_BYTES);
	struct hmac_sha256 key;
	if (!sign_v4_canonical(r, signer->additional, signer->additional_count, SIGN_V4_EMPTY_BARE,
		    &canonical))
		return false;
	sign_v4_text(c, time_text, strbuf_slice(&canonical), &text);
	if (strbuf_broken(&text))
		return false;
	credential_signing_key(c, signer->secret, NULL, &key);
	sign_v4_signature(&key, strbuf_slice(&text), out);
	secret_wipe(&key, sizeof(key));
	return !strbuf_broken(out);
}

/* `time_text` outlives the credential. */
static struct credential credential_for(const struct sign_v4_signer *signer, struct slice time_text)
{
	return (struct credential){
		.access_key_id = signer->access_key_id,
		.day = slice_head(time_text, 8),
		.region = signer->region,
		.product = signer->product,
	};
}

bool sign_v4_header(const struct sign_request *r, const struct sign_v4_signer *signer,
	int64_t time_ms, struct strbuf *out)
{
	SCOPED_STRBUF(time_text, 32);
	iso8601_add_basic(&time_text, time_ms);
	struct credential c = credential_for(signer, strbuf_slice(&time_text));
	strbuf_adds(out, SIGN_V4_ALGORITHM " Credential=");
	credential_add(&c, out);
	if (signer->additional_count > 0)
		strbuf_adds(out, ",AdditionalHeaders=");
	add_list(signer->additional, signer->additional_count, out);
	strbuf_adds(out, ",Signature=");
	return !strbuf_broken(&time_text) &&
	       add_signature(r, signer, &c, strbuf_slice(&time_text), out);
}

bool sign_v4_url(const struct sign_request *r, const struct sign_v4_signer *signer, int64_t time_ms,
	uint32_t expires_seconds, struct strbuf *out)
{
	SCOPED_STRBUF(time_text, 32);
	SCOPED_STRBUF(text, LIMIT_HEAD_BYTES);
	SCOPED_STRBUF(query, SIGN_TEXT_BYTES);
	iso8601_add_basic(&time_text, time_ms);
	struct credential c = credential_for(signer, strbuf_slice(&time_text));

	strbuf_add_slice(&query, r->query.text);
	strbuf_adds(&query, r->query.text.len > 0 ? "&" : "");
	strbuf_adds(&query, "x-oss-signature-version=" SIGN_V4_ALGORITHM "&x-oss-credential=");
	credential_add(&c, &text);
	percent_encode(&query, strbuf_slice(&text));
	strbuf_addf(
		&query, "&x-oss-date=%s&x-oss-expires=%" PRIu32, time_text.ptr, expires_seconds);
	if (signer->additional_count > 0) {
		strbuf_clear(&text);
		add_list(signer->additional, signer->additional_count, &text);
		strbuf_adds(&query, "&x-oss-additional-headers=");
		percent_encode(&query, strbuf_slice(&text));
	}
	if (strbuf_broken(&time_text) || strbuf_broken(&query) || strbuf_broken(&text))
		return false;
	struct sign_request whole = *r;
	char first[4096];
	struct arena arena;
	arena_init(&arena, first, sizeof(first), LIMIT_REQUEST_ARENA_BYTES);
	bool ok = query_parse(strbuf_slice(&query), &arena, &whole.query);
	strbuf_add_slice(out, strbuf_slice(&query));
	strbuf_adds(out, "&x-oss-signature=");
	ok = ok && add_signature(&whole, signer, &c, strbuf_slice(&time_text), out);
	arena_reset(&arena);
	return ok;
}
