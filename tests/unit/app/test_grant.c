/* SPDX-License-Identifier: Apache-2.0 */
/* Grants: the round trip, and everything that must not pass. */
#include "app/grant.h"

#include <stdlib.h>

#include "tap.h"

static struct grant_key key;

static void round_trip(void)
{
	static const char *const prefixes[] = {
		"", "a", "user/", "user-dir-prefix/", "\xe4\xb8\xad/?>~&=%+ /", "\xff\xfe\xfb"};
	for (size_t i = 0; i < ARRAY_LEN(prefixes); i++) {
		SCOPED_STRBUF(text, GRANT_TEXT_MAX);
		SCOPED_STRBUF(object, 2000);
		struct grant grant;
		OK(grant_issue(&key, slice_str(prefixes[i]), 1000, &text), "issued");
		bool safe = true;
		for (size_t j = 0; j < text.len; j++)
			safe = safe && strchr("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
					      "0123456789.-_",
					       text.ptr[j]);
		OK(safe, "nothing in it needs escaping: %s", text.ptr);
		strbuf_adds(&object, prefixes[i]);
		strbuf_adds(&object, "name");
		IS_INT(grant_check(&key, strbuf_slice(&text), strbuf_slice(&object), 999, &grant),
			GRANT_VALID, "valid");
		IS(slice_of(grant.prefix, grant.prefix_len), slice_str(prefixes[i]), "its prefix");
		IS_INT(grant.expires, 1000, "its expiry");
		IS(slice_of(grant.id, sizeof(grant.id)), slice_head(strbuf_slice(&text), 24),
			"its id");
		if (prefixes[i][0])
			IS_INT(grant_check(&key, strbuf_slice(&text), S("Other/name"), 999, &grant),
				GRANT_OTHER_OBJECT, "but not for another folder");
	}
	char long_prefix[LIMIT_KEY_BYTES + 1];
	memset(long_prefix, 'p', sizeof(long_prefix));
	SCOPED_STRBUF(text, GRANT_TEXT_MAX);
	OK(!grant_issue(&key, slice_of(long_prefix, sizeof(long_prefix)), 1000, &text),
		"a prefix longer than any key");
	strbuf_clear(&text);
	struct grant grant;
	OK(grant_issue(&key, slice_of(long_prefix, LIMIT_KEY_BYTES), 1000, &text) &&
			grant_check(&key, strbuf_slice(&text),
				slice_of(long_prefix, LIMIT_KEY_BYTES), 1, &grant) == GRANT_VALID,
		"the longest prefix");
}

static void expiry(void)
{
	SCOPED_STRBUF(text, GRANT_TEXT_MAX);
	struct grant grant;
	OK(grant_issue(&key, S("d/"), 1000, &text), "issued");
	struct slice s = strbuf_slice(&text);
	IS_INT(grant_check(&key, s, S("d/x"), 1000 + GRANT_SLACK_SECONDS, &grant), GRANT_VALID,
		"lasts as long as an upload may");
	IS_INT(grant_check(&key, s, S("d/x"), 1001 + GRANT_SLACK_SECONDS, &grant), GRANT_EXPIRED,
		"and no second more");
}

static void forgeries(void)
{
	SCOPED_STRBUF(text, GRANT_TEXT_MAX);
	struct grant grant;
	OK(grant_issue(&key, S("dir/"), 1000, &text), "issued");
	int passed = 0;
	for (size_t i = 0; i < text.len; i++) {
		for (int bit = 0; bit < 8; bit++) {
			text.ptr[i] = (char)(text.ptr[i] ^ 1 << bit);
			passed += grant_check(&key, strbuf_slice(&text), S("dir/x"), 1, &grant) ==
				  GRANT_VALID;
			text.ptr[i] = (char)(text.ptr[i] ^ 1 << bit);
		}
	}
	IS_INT(passed, 0, "no changed bit passes");
	for (size_t len = 0; len < text.len; len++) {
		char *copy = malloc(len ? len : 1);
		memcpy(copy, text.ptr, len);
		passed += grant_check(&key, slice_of(copy, len), S("dir/x"), 1, &grant) ==
			  GRANT_VALID;
		free(copy);
	}
	IS_INT(passed, 0, "nothing cut short passes");
	struct grant_key other;
	grant_key_derive(S("another secret"), &other);
	IS_INT(grant_check(&other, strbuf_slice(&text), S("dir/x"), 1, &grant), GRANT_FORGED,
		"another server's grant");
	grant_key_derive(S("the secret"), &other);
	IS_INT(grant_check(&other, strbuf_slice(&text), S("dir/x"), 1, &grant), GRANT_VALID,
		"a copy of this server accepts it");
	SCOPED_STRBUF(again, GRANT_TEXT_MAX);
	OK(grant_issue(&key, S("dir/"), 1000, &again) &&
			!slice_eq(strbuf_slice(&text), strbuf_slice(&again)),
		"no two grants are the same");
}

int main(void)
{
	grant_key_derive(S("the secret"), &key);
	round_trip();
	expiry();
	forgeries();
	return tap_done();
}
