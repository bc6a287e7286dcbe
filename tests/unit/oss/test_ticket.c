/* SPDX-License-Identifier: Apache-2.0 */
/* Grants: the round trip, and everything that must not pass. */
#include "oss/callback/ticket.h"

#include <stdlib.h>

#include "tap.h"

#define ID "0123456789abcdef01234567"

static struct ticket_key key;

static bool issue(struct slice prefix, int64_t expires, struct strbuf *out)
{
	const struct ticket_terms terms = {
		.id = ID, .prefix = prefix, .issued = 500, .expires = expires};
	return ticket_issue(&key, &terms, out);
}

static void round_trip(void)
{
	static const char *const prefixes[] = {
		"", "a", "user/", "user-dir-prefix/", "\xe4\xb8\xad/?>~&=%+ /", "\xff\xfe\xfb"};
	for (size_t i = 0; i < ARRAY_LEN(prefixes); i++) {
		SCOPED_STRBUF(text, TICKET_TEXT_MAX);
		SCOPED_STRBUF(object, 2000);
		struct ticket grant;
		OK(issue(slice_str(prefixes[i]), 1000, &text), "issued");
		bool safe = true;
		for (size_t j = 0; j < text.len; j++)
			safe = safe && strchr("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
					      "0123456789.-_",
					       text.ptr[j]);
		OK(safe, "nothing in it needs escaping: %s", text.ptr);
		strbuf_adds(&object, prefixes[i]);
		strbuf_adds(&object, "name");
		IS_INT(ticket_check(&key, strbuf_slice(&text), strbuf_slice(&object), 999, &grant),
			TICKET_VALID, "valid");
		IS(slice_of(grant.prefix, grant.prefix_len), slice_str(prefixes[i]), "its prefix");
		IS_INT(grant.expires, 1000, "its expiry");
		IS(slice_of(grant.id, sizeof(grant.id)), S(ID), "its id");
		OK(grant.kind == TICKET_FORM && grant.issued == 500, "its kind, and when");
		if (prefixes[i][0])
			IS_INT(ticket_check(
				       &key, strbuf_slice(&text), S("Other/name"), 999, &grant),
				TICKET_OTHER_OBJECT, "but not for another folder");
	}
	char long_prefix[LIMIT_KEY_BYTES + 1];
	memset(long_prefix, 'p', sizeof(long_prefix));
	SCOPED_STRBUF(text, TICKET_TEXT_MAX);
	OK(!issue(slice_of(long_prefix, sizeof(long_prefix)), 1000, &text),
		"a prefix longer than any key");
	strbuf_clear(&text);
	struct ticket grant;
	OK(issue(slice_of(long_prefix, LIMIT_KEY_BYTES), 1000, &text) &&
			ticket_check(&key, strbuf_slice(&text),
				slice_of(long_prefix, LIMIT_KEY_BYTES), 1, &grant) == TICKET_VALID,
		"the longest prefix");
}

static void expiry(void)
{
	SCOPED_STRBUF(text, TICKET_TEXT_MAX);
	struct ticket grant;
	OK(issue(S("d/"), 1000, &text), "issued");
	struct slice s = strbuf_slice(&text);
	IS_INT(ticket_check(&key, s, S("d/x"), 1000 + TICKET_SLACK_SECONDS, &grant), TICKET_VALID,
		"lasts as long as an upload may");
	IS_INT(ticket_check(&key, s, S("d/x"), 1001 + TICKET_SLACK_SECONDS, &grant), TICKET_EXPIRED,
		"and no second more");
}

static void forgeries(void)
{
	SCOPED_STRBUF(text, TICKET_TEXT_MAX);
	struct ticket grant;
	OK(issue(S("dir/"), 1000, &text), "issued");
	int passed = 0;
	for (size_t i = 0; i < text.len; i++) {
		for (int bit = 0; bit < 8; bit++) {
			text.ptr[i] = (char)(text.ptr[i] ^ 1 << bit);
			passed += ticket_check(&key, strbuf_slice(&text), S("dir/x"), 1, &grant) ==
				  TICKET_VALID;
			text.ptr[i] = (char)(text.ptr[i] ^ 1 << bit);
		}
	}
	IS_INT(passed, 0, "no changed bit passes");
	for (size_t len = 0; len < text.len; len++) {
		char *copy = malloc(len ? len : 1);
		memcpy(copy, text.ptr, len);
		passed += ticket_check(&key, slice_of(copy, len), S("dir/x"), 1, &grant) ==
			  TICKET_VALID;
		free(copy);
	}
	IS_INT(passed, 0, "nothing cut short passes");
	struct ticket_key other;
	ticket_key_derive(S("another secret"), &other);
	IS_INT(ticket_check(&other, strbuf_slice(&text), S("dir/x"), 1, &grant), TICKET_FORGED,
		"another server's grant");
	ticket_key_derive(S("the secret"), &other);
	IS_INT(ticket_check(&other, strbuf_slice(&text), S("dir/x"), 1, &grant), TICKET_VALID,
		"a copy of this server accepts it");
}

static void kinds(void)
{
	SCOPED_STRBUF(text, TICKET_TEXT_MAX);
	struct ticket grant;
	struct ticket_key other;
	char one[TICKET_ID_LENGTH], two[TICKET_ID_LENGTH];
	ticket_key_derive(S("another secret"), &other);
	const struct ticket_terms terms = {.kind = TICKET_CLASSIC,
		.id = ID,
		.profile = S("a-B_9"),
		.prefix = S("d/"),
		.issued = 7,
		.expires = 8};
	OK(ticket_issue(&key, &terms, &text) &&
			ticket_check(&key, strbuf_slice(&text), S("d/x"), 8, &grant) ==
				TICKET_VALID &&
			grant.kind == TICKET_CLASSIC && grant.issued == 7 && grant.expires == 8,
		"a classic one");
	OK(ticket_has_form(strbuf_slice(&text)), "has the form");
	OK(ticket_is_of(&key, strbuf_slice(&text)), "is of the key");
	OK(!ticket_is_of(&other, strbuf_slice(&text)), "of no other");
	text.ptr[text.len - 1] = text.ptr[text.len - 1] == '0' ? '1' : '0';
	OK(ticket_has_form(strbuf_slice(&text)) && !ticket_is_of(&key, strbuf_slice(&text)),
		"a forged one has the form too");
	static const char *const formless[] = {"", "x", "grant",
		ID ".f.1.2.ZA.0123456789abcdef0123456789abcdeg",
		ID ".f.1.2.ZA.0123456789abcdef0123456789abcde",
		ID ".g.1.2.ZA.0123456789abcdef0123456789abcdef",
		ID ".1.2.ZA.0123456789abcdef0123456789abcdef",
		"G" ID ".f.1.2.ZA.0123456789abcdef0123456789abcdef",
		ID ".f.-1.2.ZA.0123456789abcdef0123456789abcdef"};
	for (size_t i = 0; i < ARRAY_LEN(formless); i++)
		OK(!ticket_has_form(slice_str(formless[i])), "no grant: %s", formless[i]);
	OK(ticket_has_form(S(ID ".f.1.2.ZA.0123456789abcdef0123456789abcdef")), "but this is");
	ticket_make_id(1700000000998, one);
	ticket_make_id(1700000000999, two);
	OK(memcmp(one, two, sizeof(one)) < 0, "ids rise with each millisecond");
	ticket_make_id(1700000001000, one);
	OK(memcmp(two, one, sizeof(one)) < 0, "and second");
	ticket_make_id(1700000001000, two);
	OK(memcmp(one, two, sizeof(one)) != 0, "no two are the same");
}

/* What comes back with the callback, whatever it is. */
static void with_variables(void)
{
	SCOPED_STRBUF(text, TICKET_TEXT_MAX);
	struct ticket_key grants;
	struct ticket grant;
	char long_one[LIMIT_VARIABLES_BYTES + 1], long_prefix[LIMIT_KEY_BYTES];
	memset(long_one, 'a', sizeof(long_one));
	memset(long_prefix, 'a', sizeof(long_prefix));
	struct ticket_terms terms = {.id = ID,
		.profile = S("p"),
		.prefix = S("d/"),
		.variables = S("{\"a\":\"${x:b}&.\"}"),
		.issued = 7,
		.expires = 8};
	ticket_key_derive(S("the secret of grants"), &grants);
	OK(ticket_issue(&key, &terms, &text) && ticket_has_form(strbuf_slice(&text)), "issued");
	IS_INT(ticket_check(&key, strbuf_slice(&text), S("d/x"), 8, &grant), TICKET_VALID,
		"is valid");
	IS(slice_of(grant.variables, grant.variables_len), terms.variables, "brings them");
	IS(slice_of(grant.prefix, grant.prefix_len), S("d/"), "and its prefix");
	OK(grant.kind == TICKET_FORM && strcmp(grant.profile, "p") == 0, "and what it is");
	int passed = 0;
	for (size_t i = 0; i < text.len; i++) {
		text.ptr[i] = (char)(text.ptr[i] ^ 1);
		passed += ticket_check(&key, strbuf_slice(&text), S("d/x"), 8, &grant) ==
			  TICKET_VALID;
		text.ptr[i] = (char)(text.ptr[i] ^ 1);
	}
	IS_INT(passed, 0, "no changed bit passes");
	OK(ticket_countersign(&grants, &text) && ticket_is_signers(&key, strbuf_slice(&text)),
		"with a second MAC");
	IS_INT(ticket_check(&grants, strbuf_slice(&text), S("d/x"), 8, &grant), TICKET_VALID,
		"is valid");
	IS(slice_of(grant.variables, grant.variables_len), terms.variables, "brings them");
	terms.kind = TICKET_CLASSIC;
	terms.prefix = slice_of(long_prefix, sizeof(long_prefix));
	terms.variables = slice_of(long_one, LIMIT_VARIABLES_BYTES);
	terms.issued = terms.expires = 999999999999;
	strbuf_clear(&text);
	OK(ticket_issue(&key, &terms, &text) && ticket_countersign(&grants, &text),
		"the longest has room");
	IS_INT(ticket_check(&grants, strbuf_slice(&text), terms.prefix, 8, &grant), TICKET_VALID,
		"and is valid");
	IS(slice_of(grant.variables, grant.variables_len), terms.variables, "with all of them");
	terms.variables = slice_of(long_one, sizeof(long_one));
	OK(!ticket_issue(&key, &terms, &text), "no longer ones");
	OK(!ticket_has_form(S(ID ".f.1.2.ZA.ZA.0123456789abcdef0123456789abcdef")) &&
			!ticket_has_form(S(ID ".F.1.2.ZA.0123456789abcdef0123456789abcdef")),
		"the kind says whether there are some");
}

/* A second MAC: the first says who has signed, the second who is believed. */
static void countersigned(void)
{
	SCOPED_STRBUF(text, TICKET_TEXT_MAX);
	SCOPED_STRBUF(once, TICKET_TEXT_MAX);
	SCOPED_STRBUF(theirs, TICKET_TEXT_MAX);
	struct ticket_key grants, other;
	struct ticket grant;
	ticket_key_derive(S("the secret of grants"), &grants);
	ticket_key_derive(S("another secret"), &other);
	OK(issue(S("dir/"), 1000, &text), "issued");
	strbuf_add_slice(&once, strbuf_slice(&text));
	OK(ticket_countersign(&grants, &text), "with a second MAC");
	struct slice both = strbuf_slice(&text);
	OK(ticket_has_form(both), "is a ticket");
	IS_INT(ticket_check(&grants, both, S("dir/x"), 1, &grant), TICKET_VALID,
		"is valid by the second");
	IS(slice_of(grant.prefix, grant.prefix_len), S("dir/"), "its prefix");
	IS_INT(ticket_check(&key, both, S("dir/x"), 1, &grant), TICKET_FORGED, "not by the first");
	OK(ticket_is_signers(&key, both), "is of who has made the first");
	OK(!ticket_is_signers(&grants, both) && !ticket_is_signers(&other, both), "of nobody else");
	OK(ticket_is_signers(&key, strbuf_slice(&once)), "as one without a second is");
	IS_INT(ticket_check(&grants, strbuf_slice(&once), S("dir/x"), 1, &grant), TICKET_FORGED,
		"without its second MAC it is not believed");
	/* Who has a key of the store, and a ticket, makes none of its own of it. */
	const struct ticket_terms terms = {
		.id = ID, .prefix = S("dir/"), .issued = 500, .expires = 1000};
	OK(ticket_issue(&other, &terms, &theirs), "another key makes one");
	strbuf_add_slice(&theirs, slice_from(both, both.len - 33));
	OK(ticket_is_signers(&other, strbuf_slice(&theirs)), "which is its own,");
	IS_INT(ticket_check(&grants, strbuf_slice(&theirs), S("dir/x"), 1, &grant), TICKET_FORGED,
		"but the second MAC is for another");
	OK(ticket_countersign(&grants, &text) && !ticket_has_form(strbuf_slice(&text)),
		"three are too many");
	int passed = 0;
	strbuf_truncate(&text, both.len);
	for (size_t i = 0; i < text.len; i++) {
		text.ptr[i] = (char)(text.ptr[i] ^ 1);
		passed += ticket_check(&grants, strbuf_slice(&text), S("dir/x"), 1, &grant) ==
			  TICKET_VALID;
		text.ptr[i] = (char)(text.ptr[i] ^ 1);
	}
	IS_INT(passed, 0, "no changed bit passes");
}

int main(void)
{
	ticket_key_derive(S("the secret"), &key);
	countersigned();
	round_trip();
	expiry();
	forgeries();
	kinds();
	with_variables();
	return tap_done();
}
