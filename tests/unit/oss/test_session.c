/* SPDX-License-Identifier: Apache-2.0 */
#include <stdlib.h>

#include "base/encode.h"
#include "oss/sign/session.h"
#include "tap.h"

static const uint8_t key[SEAL_KEY_BYTES] = "0123456789abcdef0123456789abcde";
static const uint8_t other_key[SEAL_KEY_BYTES] = "0123456789abcdef0123456789abcdE";

static const struct session example = {
	.id = SLICE_LIT("STS.abc"),
	.secret = SLICE_LIT("secret"),
	.parent = SLICE_LIT("parent"),
	.parent_mark = "0123456789abcde",
	.expires_ms = 1700000000123,
	.restricted = true,
	.policy = SLICE_LIT("any bytes"),
};

static void round_trip(void)
{
	struct arena arena;
	struct session got;
	SCOPED_STRBUF(token, 4096);
	SCOPED_STRBUF(again, 4096);
	arena_init(&arena, NULL, 0, 1 << 16);
	OK(session_seal(&example, key, &token) && session_seal(&example, key, &again),
		"tokens are made");
	OK(!slice_eq(strbuf_slice(&token), strbuf_slice(&again)), "no two are alike");
	OK(session_open(strbuf_slice(&token), key, &arena, &got) == ERR_OK, "one is read");
	IS(got.id, example.id, "its id");
	IS(got.secret, example.secret, "its secret");
	IS(got.parent, example.parent, "its parent");
	IS(got.policy, example.policy, "its policy");
	IS(slice_of(got.parent_mark, SESSION_MARK_BYTES),
		slice_of(example.parent_mark, SESSION_MARK_BYTES), "its parent's mark");
	IS_INT(got.expires_ms, example.expires_ms, "its end");
	OK(got.restricted, "that it is restricted");
	OK(session_open(strbuf_slice(&token), other_key, &arena, &got) ==
			ERR_INVALID_SECURITY_TOKEN,
		"not with another key");
	arena_reset(&arena);
}

static void no_policy(void)
{
	struct arena arena;
	struct session session = example, got;
	SCOPED_STRBUF(token, 4096);
	session.restricted = false;
	session.policy = S("");
	arena_init(&arena, NULL, 0, 1 << 16);
	OK(session_seal(&session, key, &token) &&
			session_open(strbuf_slice(&token), key, &arena, &got) == ERR_OK,
		"a token without a policy");
	OK(!got.restricted && got.policy.len == 0, "is not restricted");
	char long_id[256];
	memset(long_id, 'a', sizeof(long_id));
	session.parent = slice_of(long_id, sizeof(long_id));
	OK(!session_seal(&session, key, &token), "an id of 256 bytes does not fit");
	arena_reset(&arena);
}

/* Each byte changed, each length shorter: all refused. Each in a block of its own, for ASan. */
static void tampered(void)
{
	struct arena arena;
	struct session got;
	SCOPED_STRBUF(token, 4096);
	SCOPED_STRBUF(bytes, 4096);
	unsigned accepted = 0, tried = 0;
	arena_init(&arena, NULL, 0, 1 << 20);
	OK(session_seal(&example, key, &token) && base64_decode(&bytes, strbuf_slice(&token)),
		"a token's bytes");
	for (size_t i = 0; i < bytes.len; i++) {
		for (unsigned bit = 0; bit < 8; bit++) {
			SCOPED_STRBUF(changed, 4096);
			bytes.ptr[i] ^= (char)(1 << bit);
			base64_encode(&changed, strbuf_slice(&bytes));
			bytes.ptr[i] ^= (char)(1 << bit);
			accepted += session_open(strbuf_slice(&changed), key, &arena, &got) !=
				    ERR_INVALID_SECURITY_TOKEN;
			tried++;
		}
	}
	IS_INT(tried, bytes.len * 8, "every bit is changed");
	IS_INT(accepted, 0, "and none goes unnoticed");
	accepted = 0;
	for (size_t len = 0; len < token.len; len++) {
		char *copy = malloc(len ? len : 1);
		if (!copy)
			return;
		memcpy(copy, token.ptr, len);
		accepted += session_open(slice_of(copy, len), key, &arena, &got) !=
			    ERR_INVALID_SECURITY_TOKEN;
		free(copy);
	}
	IS_INT(accepted, 0, "nor that the end is missing");
	arena_reset(&arena);
}

int main(void)
{
	round_trip();
	no_policy();
	tampered();
	return tap_done();
}
