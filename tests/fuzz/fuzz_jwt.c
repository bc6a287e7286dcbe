/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Tokens and sets of keys, from anybody. No token passes that was not signed here. So that the
 * fuzzer gets beyond the signature, the input is also taken as `header.claims` and signed.
 */
#include <assert.h>

#include "app/jwt/jwt.h"
#include "base/encode.h"
#include "crypto/hmac.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const struct slice secret = SLICE_LIT("0123456789abcdef0123456789abcdef");

static void check_signed(const struct jwt_keys *keys, const struct jwt_rules *rules,
	struct slice input, struct arena *arena)
{
	SCOPED_STRBUF(token, 2 * LIMIT_JWT_BYTES);
	struct jwt_claims claims;
	struct slice header;
	const char *why;
	uint8_t mac[SHA256_BYTES];
	(void)slice_cut(&input, '\n', &header);
	base64url_encode(&token, header);
	strbuf_addc(&token, '.');
	base64url_encode(&token, input);
	hmac_sha256_of(secret, strbuf_slice(&token), mac);
	strbuf_addc(&token, '.');
	base64url_encode(&token, slice_of(mac, sizeof(mac)));
	if (strbuf_broken(&token) ||
		jwt_check(keys, rules, strbuf_slice(&token), 0, arena, &claims, &why) != JWT_VALID)
		return;
	assert(claims.expires >= 0 && claims.subject.len <= LIMIT_CLAIM_BYTES);
	for (size_t i = 0; i < rules->claim_count; i++)
		assert(claims.values[i].len <= LIMIT_CLAIM_BYTES && utf8_valid(claims.values[i]));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const struct jwt_rules rules = {
		.leeway = 1, .claim_count = 2, .claims = {SLICE_LIT("sub"), SLICE_LIT("org")}};
	struct slice input = slice_of(data, size);
	struct jwt_keys *keys = NULL, *parsed = NULL;
	struct jwt_claims claims;
	struct arena arena;
	const char *why = NULL;
	if (jwt_keys_secret(secret, &keys, &why) != ERR_OK)
		return 0;
	arena_init(&arena, NULL, 0, MIB(1));
	assert(jwt_check(keys, &rules, input, 0, &arena, &claims, &why) != JWT_VALID);
	check_signed(keys, &rules, input, &arena);
	if (jwt_keys_parse(input, &parsed, &why) == ERR_OK)
		assert(!jwt_keys_find(parsed, SIGNATURE_HS256, false, S("")));
	jwt_keys_release(parsed);
	jwt_keys_release(keys);
	arena_reset(&arena);
	return 0;
}
