/* SPDX-License-Identifier: Apache-2.0 */
#include "app/jwt/jwt.h"

#include <jansson.h>
#include <stdio.h>

#include "base/encode.h"
#include "oss/text/json_load.h"

/* A time beyond this is no date, and a double does not hold it exactly. */
#define SECONDS_MAX 9007199254740992.0

struct reading {
	const struct jwt_keys *keys;
	const struct jwt_rules *rules;
	int64_t now;
	struct arena *arena;
	const char *why;
	/* The three parts as sent, and the first two with the dot between them. */
	struct slice header, payload, signature, signed_text;
	enum signature_algorithm algorithm;
	bool has_kid;
	const struct signature_key *key;
};

static void scoped_json(json_t **value)
{
	json_decref(*value);
}

static enum jwt_result refuse(struct reading *r, const char *why)
{
	r->why = why;
	return JWT_REFUSED;
}

static bool split(struct reading *r, struct slice text)
{
	struct slice rest = text;
	if (!slice_cut(&rest, '.', &r->header) || !slice_cut(&rest, '.', &r->payload))
		return false;
	r->signature = rest;
	r->signed_text = slice_head(text, r->header.len + 1 + r->payload.len);
	return slice_find(rest, '.') == rest.len;
}

/* NULL unless the part is one JSON object whose members stand there once. */
static json_t *decode(struct slice part)
{
	SCOPED_STRBUF(text, LIMIT_JWT_BYTES);
	if (part.len == 0 || !base64url_decode(&text, part))
		return NULL;
	bool no_memory;
	json_t *value =
		json_load_text(strbuf_slice(&text), JSON_REJECT_DUPLICATES, NULL, &no_memory);
	if (json_is_object(value))
		return value;
	json_decref(value);
	return NULL;
}

static struct slice text_of(const json_t *value)
{
	return json_is_string(value) ? slice_of(json_string_value(value), json_string_length(value))
				     : S("");
}

/* ---- The header -------------------------------------------------------------------------------
 */

static bool read_algorithm(const json_t *header, enum signature_algorithm *ret)
{
	static const struct {
		struct slice name;
		enum signature_algorithm algorithm;
	} known[] = {
		{SLICE_LIT("HS256"), SIGNATURE_HS256},
		{SLICE_LIT("RS256"), SIGNATURE_RS256},
		{SLICE_LIT("ES256"), SIGNATURE_ES256},
		{SLICE_LIT("EdDSA"), SIGNATURE_EDDSA},
	};
	struct slice name = text_of(json_object_get(header, "alg"));
	for (size_t i = 0; i < ARRAY_LEN(known); i++) {
		if (slice_eq(name, known[i].name)) {
			*ret = known[i].algorithm;
			return true;
		}
	}
	return false;
}

/* RFC 8725 section 3.11; RFC 9068 has the second. */
static bool is_token_type(const json_t *typ)
{
	struct slice name = text_of(typ), prefix = S("application/");
	if (name.len > prefix.len && slice_eq_nocase(slice_head(name, prefix.len), prefix))
		name = slice_from(name, prefix.len);
	return !typ || slice_eq_nocase(name, S("JWT")) || slice_eq_nocase(name, S("at+jwt"));
}

static enum jwt_result read_header(struct reading *r)
{
	static const char *const refused[] = {"crit", "b64", "jwk", "jku", "x5u", "x5c"};
	CLEANUP(scoped_json) json_t *header = decode(r->header);
	const json_t *kid = json_object_get(header, "kid");
	if (!header)
		return refuse(r, "the token's header cannot be read");
	for (size_t i = 0; i < ARRAY_LEN(refused); i++)
		if (json_object_get(header, refused[i]))
			return refuse(r, "the token's header has crit, b64, jwk, jku, x5u or x5c");
	if (!read_algorithm(header, &r->algorithm))
		return refuse(r, "the token's algorithm is not HS256, RS256, ES256 or EdDSA");
	if (!is_token_type(json_object_get(header, "typ")))
		return refuse(r, "the token's typ is neither JWT nor at+jwt");
	if (kid && (!json_is_string(kid) || json_string_length(kid) > LIMIT_JWT_KID_BYTES))
		return refuse(r, "the token's kid is no text, or too long");
	r->has_kid = kid != NULL;
	r->key = jwt_keys_find(r->keys, r->algorithm, r->has_kid, text_of(kid));
	if (r->key)
		return JWT_VALID;
	r->why = "no key is known that the token could be signed with";
	return JWT_NO_KEY;
}

static enum jwt_result verify(struct reading *r)
{
	SCOPED_STRBUF(signature, LIMIT_JWT_BYTES);
	if (!base64url_decode(&signature, r->signature) ||
		!signature_verify(r->key, r->signed_text, strbuf_slice(&signature)))
		return refuse(r, "the token's signature does not verify");
	return JWT_VALID;
}

/* ---- The claims -------------------------------------------------------------------------------
 */

static bool lists(const json_t *aud, struct slice audience)
{
	size_t i;
	json_t *value;
	if (json_is_string(aud))
		return slice_eq(text_of(aud), audience);
	json_array_foreach(aud, i, value)
	{
		if (json_is_string(value) && slice_eq(text_of(value), audience))
			return true;
	}
	return false;
}

/* RFC 7519 section 4.1.3: a token for somebody else is refused, and we are nobody by default. */
static const char *audience_fault(const struct reading *r, const json_t *claims)
{
	const json_t *aud = json_object_get(claims, "aud");
	if (r->rules->audience.len == 0)
		return aud ? "the token has an audience, and jwt_audience is not set" : NULL;
	return lists(aud, r->rules->audience) ? NULL : "the token is for another audience";
}

static const char *time_fault(const struct reading *r, const json_t *claims)
{
	const json_t *exp = json_object_get(claims, "exp"), *nbf = json_object_get(claims, "nbf");
	const json_t *iat = json_object_get(claims, "iat");
	double now = (double)r->now, leeway = (double)r->rules->leeway;
	if (!exp)
		return "the token has no exp";
	if (!json_is_number(exp))
		return "the token's exp is no number";
	if (json_number_value(exp) < 0 || json_number_value(exp) > SECONDS_MAX)
		return "the token's exp is no time in seconds since 1970";
	if (nbf && !json_is_number(nbf))
		return "the token's nbf is no number";
	if (iat && !json_is_number(iat))
		return "the token's iat is no number";
	if (now >= json_number_value(exp) + leeway)
		return "the token has expired";
	if (nbf && now + leeway < json_number_value(nbf))
		return "the token is not valid yet";
	return NULL;
}

static const char *claims_fault(const struct reading *r, const json_t *claims)
{
	const json_t *sub = json_object_get(claims, "sub");
	const char *fault = time_fault(r, claims);
	if (fault)
		return fault;
	if (r->rules->issuer.len > 0 &&
		!slice_eq(text_of(json_object_get(claims, "iss")), r->rules->issuer))
		return "the token is from another issuer";
	if (sub && (!json_is_string(sub) || json_string_length(sub) > LIMIT_CLAIM_BYTES))
		return "the token's sub is no text, or too long";
	return audience_fault(r, claims);
}

/* False without memory. What is neither text nor an integer, or is too long, is the same as none.
 */
static bool keep_value(struct reading *r, const json_t *value, struct slice *ret)
{
	char digits[32];
	struct slice text = text_of(value);
	*ret = S("");
	if (json_is_integer(value)) {
		int len = snprintf(
			digits, sizeof(digits), "%lld", (long long)json_integer_value(value));
		text = slice_of(digits, (size_t)len);
	}
	if (text.len == 0 || text.len > LIMIT_CLAIM_BYTES)
		return true;
	*ret = arena_copy(r->arena, text);
	return ret->ptr != NULL;
}

static enum jwt_result read_claims(struct reading *r, struct jwt_claims *ret)
{
	const struct jwt_rules *rules = r->rules;
	CLEANUP(scoped_json) json_t *claims = decode(r->payload);
	const char *fault = claims ? claims_fault(r, claims) : "the token's claims cannot be read";
	if (fault)
		return refuse(r, fault);
	*ret = (struct jwt_claims){
		.expires = (int64_t)json_number_value(json_object_get(claims, "exp"))};
	if (!keep_value(r, json_object_get(claims, "sub"), &ret->subject))
		return JWT_FAULT;
	for (size_t i = 0; i < rules->claim_count; i++) {
		/* Its slices have a NUL behind them (settings.h). */
		const json_t *value = json_object_get(claims, rules->claims[i].ptr);
		if (!keep_value(r, value, &ret->values[i]))
			return JWT_FAULT;
	}
	return JWT_VALID;
}

enum jwt_result jwt_check(const struct jwt_keys *keys, const struct jwt_rules *rules,
	struct slice text, int64_t now, struct arena *arena, struct jwt_claims *ret,
	const char **why)
{
	struct reading r = {.keys = keys, .rules = rules, .now = now, .arena = arena};
	enum jwt_result result = JWT_VALID;
	if (text.len > LIMIT_JWT_BYTES)
		result = refuse(&r, "the token is too long");
	else if (!split(&r, text))
		result = refuse(&r, "the token has not three parts");
	if (result == JWT_VALID)
		result = read_header(&r);
	if (result == JWT_VALID)
		result = verify(&r);
	if (result == JWT_VALID)
		result = read_claims(&r, ret);
	*why = r.why;
	return result;
}
