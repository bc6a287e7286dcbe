/* SPDX-License-Identifier: Apache-2.0 */
/* Tokens and their keys: the examples of RFC 7515 and RFC 8037, and what RFC 8725 warns of. */
#include "app/jwt/jwt.h"

#include "base/encode.h"
#include "crypto/hmac.h"
#include "tap.h"

#define NOW 1300819000 /* before the examples end */

#define EXAMPLE_PAYLOAD                                           \
	"eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA" \
	"6Ly9leGFtcGxlLmNvbS9pc19yb290Ijp0cnVlfQ"

#define RSA_N                                                      \
	"ofgWCuLjybRlzo0tZWJjNiuSfb4p4fAkd_wWJcyQoTbji9k0l8W26mPd" \
	"dxHmfHQp-Vaw-4qPCJrcS2mJPMEzP1Pt0Bm4d4QlL-yRT-SFd2lZS-pC" \
	"gNMsD1W_YpRPEwOWvG6b32690r2jZ47soMZo9wGzjb_7OMg0LOL-bSf6" \
	"3kpaSHSXndS5z5rexMdbBYUsLA9e-KXBdQOS-UTo7WTBEMa2R2CapHg6" \
	"65xsmtdVMTBQY4uDZlxvb3qCo5ZwKh9kG4LT6_I5IhlJH7aGhyxXFvUK" \
	"-DWNmoudF8NAco9_h9iaGNj8q2ethFkMLs91kzk2PAcDTW9gb54h4FRW" \
	"yuXpoQ"
#define WEAK_N                                                     \
	"ysHQC-S9OQuo9dSJpePl_UcdIJvppBtBAljD_5Gyezd2fx0pCLeMl_Eu" \
	"l2rAqAlCaIgjQQW4bRaLIAugB2VRGLxlNUteqhsZ5HozMvRxCkAnWHMi" \
	"n-Zp7ZzZlNha7hiOxxBmDrycyWKQX9YT8k59n-7APb7rygSacpZHnqgE" \
	"tZE"
#define EC_XY                                                    \
	"\"crv\":\"P-256\","                                     \
	"\"x\":\"f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU\"," \
	"\"y\":\"x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0\""
#define ED_X "\"crv\":\"Ed25519\",\"x\":\"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo\""
#define RSA_JWK "{\"kty\":\"RSA\",\"n\":\"" RSA_N "\",\"e\":\"AQAB\""

static const char rs256_token[] =
	"eyJhbGciOiJSUzI1NiJ9." EXAMPLE_PAYLOAD
	".cC4hiUPoj9Eetdgtv3hF80EGrhuB__dzERat0XF9g2VtQgr9PJbu3XOiZj5RZmh7"
	"AAuHIm4Bh-0Qc_lF5YKt_O8W2Fp5jujGbds9uJdbF9CUAr7t1dnZcAcQjbKBYNX4"
	"BAynRFdiuB--f_nZLgrnbyTyWzO75vRK5h6xBArLIARNPvkSjtQBMHlb1L07Qe7K"
	"0GarZRmB_eSN9383LcOLn6_dO--xi12jzDwusC-eOkHWEsqtFZESc6BfI7noOPqv"
	"hJ1phCnvWh6IeYI2w9QOYEUipUTI8np6LbgGY9Fs98rqVt5AXLIhWkWywlVmtVrB"
	"p0igcN_IoypGlUPQGe77Rw";
static const char es256_token[] =
	"eyJhbGciOiJFUzI1NiJ9." EXAMPLE_PAYLOAD
	".DtEhU3ljbEg8L38VWAfUAqOyKAM6-Xx-F4GawxaepmXFCgfTjDxw5djxLa8ISlSA"
	"pmWQxfKTUJqPP3-Kg6NU1Q";
static const char hs256_token[] = "eyJ0eXAiOiJKV1QiLA0KICJhbGciOiJIUzI1NiJ9." EXAMPLE_PAYLOAD
				  ".dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk";
static const char hs256_key[] =
	"AyM1SysPpbyDfgZld3umj1qzKObwVMkoqQ-EstJQLr_T-1qS0gZH75aKtMN3Yj0iPS4hcgUuTwjAzZr1Z9CAow";

static const char secret[] = "0123456789abcdef0123456789abcdef";

static struct jwt_rules rules = {.issuer = SLICE_LIT("joe")};
static struct jwt_claims claims;
static struct arena arena;
static const char *why;

static enum jwt_result check_at(const struct jwt_keys *keys, const char *token, int64_t now)
{
	arena_reset(&arena);
	why = NULL;
	return jwt_check(keys, &rules, slice_str(token), now, &arena, &claims, &why);
}

static struct jwt_keys *keys_of(const char *text)
{
	struct jwt_keys *keys = NULL;
	if (jwt_keys_parse(slice_str(text), &keys, &why) != ERR_OK)
		return NULL;
	return keys;
}

static void examples(void)
{
	SCOPED_STRBUF(key, 100);
	struct jwt_keys *keys = NULL;
	OK(base64url_decode(&key, slice_str(hs256_key)), "the key's text");
	IS_INT(jwt_keys_secret(strbuf_slice(&key), &keys, &why), ERR_OK, "RFC 7515 A.1: the key");
	IS_INT(check_at(keys, hs256_token, NOW), JWT_VALID, "RFC 7515 A.1: HS256");
	IS_INT(claims.expires, 1300819380, "its exp");
	IS_INT(check_at(keys, rs256_token, NOW), JWT_NO_KEY, "RS256 with a secret");
	jwt_keys_release(keys);

	keys = keys_of(RSA_JWK "}");
	IS_INT(check_at(keys, rs256_token, NOW), JWT_VALID, "RFC 7515 A.2: RS256");
	IS_INT(check_at(keys, es256_token, NOW), JWT_NO_KEY, "ES256 with an RSA key");
	jwt_keys_release(keys);

	keys = keys_of("{\"kty\":\"EC\"," EC_XY "}");
	IS_INT(check_at(keys, es256_token, NOW), JWT_VALID, "RFC 7515 A.3: ES256");
	jwt_keys_release(keys);

	struct signature_key *curve = NULL;
	strbuf_clear(&key);
	OK(base64url_decode(&key, S("11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo")), "a key");
	IS_INT(signature_key_ed25519(strbuf_slice(&key), &curve, &why), ERR_OK, "is of Ed25519");
	strbuf_clear(&key);
	OK(base64url_decode(&key, S("hgyY0il_MGCjP0JzlnLWG1PPOt7-09PGcvMg3AIbQR6dWbhijcNR4ki4iylGjg"
				    "5BhVsPt9g7sVvpAr_MuM0KAg")),
		"a signature");
	struct slice text = S("eyJhbGciOiJFZERTQSJ9.RXhhbXBsZSBvZiBFZDI1NTE5IHNpZ25pbmc");
	OK(signature_verify(curve, text, strbuf_slice(&key)), "RFC 8037 A.4: EdDSA");
	OK(!signature_verify(curve, slice_head(text, text.len - 1), strbuf_slice(&key)),
		"but not of another text");
	OK(!signature_verify(curve, text, slice_head(strbuf_slice(&key), 63)), "nor a shorter one");
	signature_key_free(curve);
}

/* A token signed by HS256 with `key`, whatever its header says. */
static const char *token_of(const char *header, const char *payload, struct slice key)
{
	static char room[LIMIT_JWT_BYTES * 3];
	SCOPED_STRBUF(text, sizeof(room) - 1);
	uint8_t mac[SHA256_BYTES];
	base64url_encode(&text, slice_str(header));
	strbuf_addc(&text, '.');
	base64url_encode(&text, slice_str(payload));
	hmac_sha256_of(key, strbuf_slice(&text), mac);
	strbuf_addc(&text, '.');
	base64url_encode(&text, slice_of(mac, sizeof(mac)));
	memcpy(room, text.ptr, text.len + 1);
	return room;
}

#define GOOD_HEADER "{\"alg\":\"HS256\"}"
#define GOOD_CLAIMS "{\"iss\":\"joe\",\"exp\":1300819380,\"sub\":\"ann\"}"

struct row {
	const char *name, *header, *payload, *why;
};

static const struct row refused[] = {
	{"alg none", "{\"alg\":\"none\"}", GOOD_CLAIMS,
		"the token's algorithm is not HS256, RS256, ES256 or EdDSA"},
	{"alg NONE", "{\"alg\":\"NONE\"}", GOOD_CLAIMS,
		"the token's algorithm is not HS256, RS256, ES256 or EdDSA"},
	{"alg HS512", "{\"alg\":\"HS512\"}", GOOD_CLAIMS,
		"the token's algorithm is not HS256, RS256, ES256 or EdDSA"},
	{"no alg", "{}", GOOD_CLAIMS, "the token's algorithm is not HS256, RS256, ES256 or EdDSA"},
	{"alg is a number", "{\"alg\":256}", GOOD_CLAIMS,
		"the token's algorithm is not HS256, RS256, ES256 or EdDSA"},
	{"crit", "{\"alg\":\"HS256\",\"crit\":[\"exp\"]}", GOOD_CLAIMS,
		"the token's header has crit, b64, jwk, jku, x5u or x5c"},
	{"b64", "{\"alg\":\"HS256\",\"b64\":false}", GOOD_CLAIMS,
		"the token's header has crit, b64, jwk, jku, x5u or x5c"},
	{"jku", "{\"alg\":\"HS256\",\"jku\":\"https://a/\"}", GOOD_CLAIMS,
		"the token's header has crit, b64, jwk, jku, x5u or x5c"},
	{"x5u", "{\"alg\":\"HS256\",\"x5u\":\"https://a/\"}", GOOD_CLAIMS,
		"the token's header has crit, b64, jwk, jku, x5u or x5c"},
	{"x5c", "{\"alg\":\"HS256\",\"x5c\":[]}", GOOD_CLAIMS,
		"the token's header has crit, b64, jwk, jku, x5u or x5c"},
	{"an embedded jwk", "{\"alg\":\"HS256\",\"jwk\":{\"kty\":\"oct\",\"k\":\"AAAA\"}}",
		GOOD_CLAIMS, "the token's header has crit, b64, jwk, jku, x5u or x5c"},
	{"a header with a member twice", "{\"alg\":\"none\",\"alg\":\"HS256\"}", GOOD_CLAIMS,
		"the token's header cannot be read"},
	{"a header that is a list", "[]", GOOD_CLAIMS, "the token's header cannot be read"},
	{"another type of token", "{\"alg\":\"HS256\",\"typ\":\"logout+jwt\"}", GOOD_CLAIMS,
		"the token's typ is neither JWT nor at+jwt"},
	{"a kid that is no text", "{\"alg\":\"HS256\",\"kid\":1}", GOOD_CLAIMS,
		"the token's kid is no text, or too long"},
	{"claims with a member twice", GOOD_HEADER,
		"{\"iss\":\"joe\",\"exp\":1,\"exp\":1300819380}",
		"the token's claims cannot be read"},
	{"claims that are text", GOOD_HEADER, "\"a\"", "the token's claims cannot be read"},
	{"a NUL in a claim", GOOD_HEADER,
		"{\"iss\":\"joe\",\"exp\":1300819380,\"sub\":\"a\\u0000b\"}",
		"the token's claims cannot be read"},
	{"no exp", GOOD_HEADER, "{\"iss\":\"joe\"}", "the token has no exp"},
	{"exp that is text", GOOD_HEADER, "{\"iss\":\"joe\",\"exp\":\"1300819380\"}",
		"the token's exp is no number"},
	{"exp that is null", GOOD_HEADER, "{\"iss\":\"joe\",\"exp\":null}",
		"the token's exp is no number"},
	{"exp beyond all time", GOOD_HEADER, "{\"iss\":\"joe\",\"exp\":1e300}",
		"the token's exp is no time in seconds since 1970"},
	{"exp that is now", GOOD_HEADER, "{\"iss\":\"joe\",\"exp\":1300819000}",
		"the token has expired"},
	{"nbf that is to come", GOOD_HEADER,
		"{\"iss\":\"joe\",\"exp\":1300819380,\"nbf\":1300819001}",
		"the token is not valid yet"},
	{"nbf that is text", GOOD_HEADER, "{\"iss\":\"joe\",\"exp\":1300819380,\"nbf\":\"1\"}",
		"the token's nbf is no number"},
	{"iat that is text", GOOD_HEADER, "{\"iss\":\"joe\",\"exp\":1300819380,\"iat\":\"1\"}",
		"the token's iat is no number"},
	{"another issuer", GOOD_HEADER, "{\"iss\":\"jo\",\"exp\":1300819380}",
		"the token is from another issuer"},
	{"no issuer", GOOD_HEADER, "{\"exp\":1300819380}", "the token is from another issuer"},
	{"an audience that nobody expects", GOOD_HEADER,
		"{\"iss\":\"joe\",\"exp\":1300819380,\"aud\":\"us\"}",
		"the token has an audience, and jwt_audience is not set"},
	{"a sub that is a number", GOOD_HEADER, "{\"iss\":\"joe\",\"exp\":1300819380,\"sub\":7}",
		"the token's sub is no text, or too long"},
};

static void refusals(const struct jwt_keys *keys)
{
	for (size_t i = 0; i < ARRAY_LEN(refused); i++) {
		const struct row *row = &refused[i];
		const char *token = token_of(row->header, row->payload, slice_str(secret));
		IS_INT(check_at(keys, token, NOW), JWT_REFUSED, row->name);
		IS(slice_str(why), slice_str(row->why), row->name);
	}
}

static void shapes(const struct jwt_keys *keys)
{
	char token[1000];
	static const char *const bad[] = {"", ".", "..", "...", "a", "a.b", "a.b.c.d", "!.!.!"};
	for (size_t i = 0; i < ARRAY_LEN(bad); i++)
		IS_INT(check_at(keys, bad[i], NOW), JWT_REFUSED, bad[i]);
	snprintf(token, sizeof(token), "%s", token_of(GOOD_HEADER, GOOD_CLAIMS, slice_str(secret)));
	IS_INT(check_at(keys, token, NOW), JWT_VALID, "a good one");
	IS(claims.subject, S("ann"), "its subject");
	size_t len = strlen(token);
	for (size_t i = 0; i < len; i++) {
		char was = token[i];
		token[i] = was == 'A' ? 'B' : 'A';
		if (check_at(keys, token, NOW) == JWT_VALID)
			OK(false, "byte %zu changed", i);
		token[i] = was;
	}
	snprintf(token + len, sizeof(token) - len, "=");
	IS_INT(check_at(keys, token, NOW), JWT_REFUSED, "padding");
	token[len] = '\0';
	for (size_t i = 0; i < len; i++)
		if (jwt_check(keys, &rules, slice_head(slice_str(token), i), NOW, &arena, &claims,
			    &why) == JWT_VALID)
			OK(false, "cut at %zu", i);
	IS_INT(check_at(keys, token_of(GOOD_HEADER, GOOD_CLAIMS, S("")), NOW), JWT_REFUSED,
		"signed with nothing");
	static char longest[LIMIT_JWT_BYTES + 2];
	memset(longest, 'a', sizeof(longest) - 1);
	IS_INT(check_at(keys, longest, NOW), JWT_REFUSED, "too long");
}

static void times(const struct jwt_keys *keys)
{
	char token[1000];
	snprintf(token, sizeof(token), "%s",
		token_of(GOOD_HEADER, "{\"iss\":\"joe\",\"exp\":2000.5,\"nbf\":1000,\"iat\":9000}",
			slice_str(secret)));
	IS_INT(check_at(keys, token, 999), JWT_REFUSED, "a second early");
	IS_INT(check_at(keys, token, 1000), JWT_VALID, "in time");
	IS_INT(check_at(keys, token, 2000), JWT_VALID, "half a second is left");
	IS_INT(check_at(keys, token, 2001), JWT_REFUSED, "over");
	rules.leeway = 60;
	IS_INT(check_at(keys, token, 939), JWT_REFUSED, "with leeway: too early");
	IS_INT(check_at(keys, token, 940), JWT_VALID, "with leeway: in time");
	IS_INT(check_at(keys, token, 2060), JWT_VALID, "with leeway: still");
	IS_INT(check_at(keys, token, 2061), JWT_REFUSED, "with leeway: over");
	rules.leeway = 0;
}

static enum jwt_result with_audience(const struct jwt_keys *keys, const char *aud)
{
	char payload[200];
	snprintf(payload, sizeof(payload), "{\"iss\":\"joe\",\"exp\":1300819380%s}", aud);
	return check_at(keys, token_of(GOOD_HEADER, payload, slice_str(secret)), NOW);
}

static void audiences(const struct jwt_keys *keys)
{
	rules.audience = S("us");
	IS_INT(with_audience(keys, ",\"aud\":\"us\""), JWT_VALID, "our audience");
	IS_INT(with_audience(keys, ",\"aud\":[\"them\",\"us\"]"), JWT_VALID, "one of several");
	IS_INT(with_audience(keys, ",\"aud\":[\"them\",7]"), JWT_REFUSED, "none of several");
	IS_INT(with_audience(keys, ",\"aud\":\"use\""), JWT_REFUSED, "a longer one");
	IS_INT(with_audience(keys, ""), JWT_REFUSED, "none at all");
	rules.audience = S("");
}

static void wanted_claims(const struct jwt_keys *keys)
{
	const char *payload = "{\"iss\":\"joe\",\"exp\":1300819380,\"sub\":\"s\",\"org\":\"x y\","
			      "\"id\":12,\"list\":[1],\"real\":1.5}";
	rules.claim_count = 5;
	rules.claims[0] = S("org");
	rules.claims[1] = S("id");
	rules.claims[2] = S("list");
	rules.claims[3] = S("real");
	rules.claims[4] = S("absent");
	IS_INT(check_at(keys, token_of(GOOD_HEADER, payload, slice_str(secret)), NOW), JWT_VALID,
		"other claims");
	IS(claims.values[0], S("x y"), "text");
	IS(claims.values[1], S("12"), "an integer");
	IS_INT(claims.values[2].len + claims.values[3].len + claims.values[4].len, 0, "or nothing");
	rules.claim_count = 0;
}

/* The public key as a secret: the attack that the algorithm in a header invites. */
static void confusion(void)
{
	static const char pem[] = "-----BEGIN PUBLIC KEY-----\n"
				  "MCowBQYDK2VwAyEAUwoVNADk7jhQml8EfwmMUPBMCcXM/96eCNW1A1iJC6k=\n"
				  "-----END PUBLIC KEY-----\n";
	struct jwt_keys *keys = keys_of(pem), *none = NULL;
	OK(keys != NULL, "a PEM of Ed25519");
	IS_INT(check_at(keys, token_of(GOOD_HEADER, GOOD_CLAIMS, slice_str(pem)), NOW), JWT_NO_KEY,
		"HS256 with the public key as the secret");
	IS_INT(check_at(keys, token_of("{\"alg\":\"EdDSA\"}", GOOD_CLAIMS, slice_str(pem)), NOW),
		JWT_REFUSED, "the same called EdDSA");
	jwt_keys_release(keys);
	IS_INT(jwt_keys_secret(slice_str(pem), &none, &why), ERR_INVALID_ARGUMENT,
		"a public key is no secret");
	IS_INT(jwt_keys_secret(S(RSA_JWK "}"), &none, &why), ERR_INVALID_ARGUMENT, "nor is a JWK");
	IS_INT(jwt_keys_secret(slice_head(slice_str(secret), 31), &none, &why),
		ERR_INVALID_ARGUMENT, "nor are 31 bytes");
}

static const char p384[] = "-----BEGIN PUBLIC KEY-----\n"
			   "MHYwEAYHKoZIzj0CAQYFK4EEACIDYgAEjr8e7gUn3gtwthUuAo4KdSfP/bfVhW4D\n"
			   "B4wcGM95+PlTSGAJQ+Nkamr1EA4WnDoeOo/6ChJ2pQhpxelqEhXqvFJUsoxX/p/d\n"
			   "qZaUJYScS0f5yjQLvfhHj0h5ibQ5WkNp\n"
			   "-----END PUBLIC KEY-----\n";
static const char weak[] = "-----BEGIN PUBLIC KEY-----\n"
			   "MIGfMA0GCSqGSIb3DQEBAQUAA4GNADCBiQKBgQDKwdAL5L05C6j11Iml4+X9Rx0g\n"
			   "m+mkG0ECWMP/kbJ7N3Z/HSkIt4yX8S6XasCoCUJoiCNBBbhtFosgC6AHZVEYvGU1\n"
			   "S16qGxnkejMy9HEKQCdYcyKf5mntnNmU2FruGI7HEGYOvJzJYpBf1hPyTn2f7sA9\n"
			   "vuvKBJpylkeeqAS1kQIDAQAB\n"
			   "-----END PUBLIC KEY-----\n";

static const char *const no_keys[] = {"", "nonsense", "[]", "{}", "{\"keys\":[]}", "{\"keys\":7}",
	p384, weak,
	/* Weak, wrong or unfinished. */
	"{\"kty\":\"RSA\",\"e\":\"AQAB\",\"n\":\"" WEAK_N "\"}",
	"{\"kty\":\"RSA\",\"e\":\"AQ\",\"n\":\"" RSA_N "\"}",
	"{\"kty\":\"RSA\",\"e\":\"Ag\",\"n\":\"" RSA_N "\"}", "{\"kty\":\"RSA\",\"e\":\"AQAB\"}",
	"{\"kty\":\"EC\",\"crv\":\"P-256\",\"x\":\"AA\",\"y\":\"AA\"}",
	"{\"kty\":\"EC\",\"crv\":\"P-256\",\"x\":\"f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU\","
	"\"y\":\"f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU\"}",
	"{\"kty\":\"EC\",\"crv\":\"P-384\",\"x\":\"AA\",\"y\":\"AA\"}",
	"{\"kty\":\"OKP\",\"crv\":\"X25519\",\"x\":\"11qYAYKxCrfVS_"
	"7TyWQHOg7hcvPapiMlrwIaaPcHURo\"}",
	/* For something else. */
	"{\"kty\":\"oct\",\"k\":\"AyM1SysPpbyDfgZld3umj1qzKObwVMkoqQ-EstJQLr_T-"
	"1qS0gZH75aKtMN3Yj0i\"}",
	RSA_JWK ",\"use\":\"enc\"}", RSA_JWK ",\"key_ops\":[\"sign\"]}",
	RSA_JWK ",\"alg\":\"PS256\"}", RSA_JWK ",\"alg\":\"RS512\"}",
	/* Two that cannot be told apart, and JSON that two readers read differently. */
	"{\"keys\":[" RSA_JWK ",\"kid\":\"a\"}," RSA_JWK ",\"kid\":\"a\"}]}",
	"{\"kty\":\"oct\",\"kty\":\"RSA\",\"e\":\"AQAB\",\"n\":\"" RSA_N "\"}"};

static void bad_keys(void)
{
	for (size_t i = 0; i < ARRAY_LEN(no_keys); i++)
		OK(!keys_of(no_keys[i]) && why, "no keys: %zu", i);
}

static bool finds(const struct jwt_keys *keys, enum signature_algorithm algorithm, const char *name)
{
	return jwt_keys_find(keys, algorithm, name != NULL, slice_str(name)) != NULL;
}

static void names(void)
{
	struct jwt_keys *keys =
		keys_of("{\"keys\":[{\"kty\":\"oct\",\"kid\":\"z\",\"k\":\"AAAA\"}," RSA_JWK
			",\"kid\":\"a\",\"use\":\"sig\",\"alg\":\"RS256\",\"key_ops\":[\"verify\"]}"
			"," RSA_JWK ",\"kid\":\"b\"},{\"kty\":\"EC\",\"kid\":\"a\"," EC_XY "},"
			"{\"kty\":\"OKP\"," ED_X "}]}");
	OK(finds(keys, SIGNATURE_RS256, "a") && finds(keys, SIGNATURE_RS256, "b"), "by name");
	OK(!finds(keys, SIGNATURE_RS256, "c"), "not one that is not there");
	OK(!finds(keys, SIGNATURE_RS256, NULL), "nor one of two");
	OK(finds(keys, SIGNATURE_ES256, NULL), "the only one needs no name");
	OK(finds(keys, SIGNATURE_ES256, "a") && !finds(keys, SIGNATURE_ES256, "b"),
		"the same name is another key with another algorithm");
	OK(finds(keys, SIGNATURE_EDDSA, "x"), "a key without a name serves any name");
	OK(!finds(keys, SIGNATURE_HS256, "z"), "a secret is not taken from a set");
	jwt_keys_release(keys);
}

int main(void)
{
	struct jwt_keys *keys = NULL;
	arena_init(&arena, NULL, 0, MIB(1));
	examples();
	IS_INT(jwt_keys_secret(slice_str(secret), &keys, &why), ERR_OK, "a secret of 32 bytes");
	refusals(keys);
	shapes(keys);
	times(keys);
	audiences(keys);
	wanted_claims(keys);
	jwt_keys_release(keys);
	confusion();
	bad_keys();
	names();
	arena_reset(&arena);
	return tap_done();
}
