/* SPDX-License-Identifier: Apache-2.0 */
/* Credentials, what grants are made with, and who holds the ones used now. */
#include "app/credentials/credentials.h"

#include "app/credentials/grant_keys.h"
#include "app/credentials/provider.h"
#include "tap.h"

#define ID "0123456789abcdef01234567"
#define DAY 86400

static const struct credential_values permanent = {
	SLICE_LIT("AKI"), SLICE_LIT("secret"), SLICE_LIT(""), CREDENTIALS_FOREVER};
static const struct credential_values temporary = {
	SLICE_LIT("STS.\"x"), SLICE_LIT("session secret"), SLICE_LIT("token"), 2000};

static int64_t now_s = 1000;

static int64_t test_wall_ms(const struct clock *clock)
{
	(void)clock;
	return now_s * 1000;
}

static const struct clock test_clock = {test_wall_ms};

static void issue(const struct credentials *c, struct strbuf *out)
{
	const struct ticket_terms terms = {
		.id = ID, .prefix = S("d/"), .issued = 1000, .expires = 1300};
	OK(credentials_issue(c, &terms, out), "issued");
}

static void snapshot(void)
{
	SCOPED_STRBUF(one, TICKET_TEXT_MAX);
	SCOPED_STRBUF(two, TICKET_TEXT_MAX);
	struct credentials *c = credentials_new(&permanent, S(""));
	struct credentials *t = credentials_new(&temporary, S("secret"));
	struct ticket ticket;
	IS(c->id_json, S("\"AKI\""), "the id as JSON");
	IS(t->id_json, S("\"STS.\\\"x\""), "with escapes");
	IS(t->values.token, S("token"), "the token");
	OK(!c->countersigned && t->countersigned, "grants are made with the same secret, or not");
	IS_INT(credentials_until(c, 5000), 5000, "what a permanent key signs lives as it says");
	IS_INT(credentials_until(t, 5000), 2000, "and no longer than a temporary one");
	IS_INT(credentials_until(t, 1500), 1500, "but shorter if it says so");
	issue(c, &one);
	issue(t, &two);
	IS_INT(ticket_check(&c->grant_key, strbuf_slice(&two), S("d/x"), 1000, &ticket),
		TICKET_VALID, "a grant of the temporary key is checked by the permanent one's");
	OK(ticket_is_signers(&t->ticket_key, strbuf_slice(&two)), "and is the temporary key's own");
	OK(one.len + 33 == two.len, "it has a MAC more");
	credentials_release(credentials_share(t));
	IS(t->values.secret, S("session secret"), "is there while there is a reference");
	credentials_release(c);
	credentials_release(t);
	credentials_release(NULL);
}

static struct ticket_key key_of(int number)
{
	struct ticket_key key;
	char name[2] = {(char)('a' + number), '\0'};
	ticket_key_derive(slice_str(name), &key);
	return key;
}

static bool knows(struct grant_keys *keys, int number, int64_t now)
{
	SCOPED_STRBUF(text, TICKET_TEXT_MAX);
	struct ticket_key key = key_of(number);
	struct ticket ticket;
	const struct ticket_terms terms = {
		.id = ID, .prefix = S("d/"), .issued = now, .expires = now + 10};
	bool issued = ticket_issue(&key, &terms, &text);
	enum ticket_result result =
		grant_keys_check(keys, strbuf_slice(&text), S("d/x"), now, &ticket);
	bool made = grant_keys_made(keys, strbuf_slice(&text), now);
	return issued && made && result == TICKET_VALID;
}

static void rotation(void)
{
	struct grant_keys keys;
	struct ticket_key key;
	grant_keys_init(&keys);
	OK(!grant_keys_at(&keys, 0, 0, &key), "no key at first");
	for (int i = 0; i <= LIMIT_GRANT_KEYS; i++) {
		key = key_of(i);
		grant_keys_use(&keys, &key, 100 + i);
		grant_keys_use(&keys, &key, 100 + i);
		OK(knows(&keys, i, 200), "key %d", i);
		OK(i == 0 || knows(&keys, i - 1, 200), "and the one before");
	}
	OK(!knows(&keys, 0, 200), "the oldest of too many is forgotten");
	OK(knows(&keys, 1, 200), "the next is not");
	key = key_of(1);
	grant_keys_use(&keys, &key, 300);
	OK(knows(&keys, 1, 300 + 30 * DAY), "one that comes back stays");
	OK(knows(&keys, LIMIT_GRANT_KEYS, 300 + 7 * DAY), "others as long as an upload may last");
	OK(!knows(&keys, LIMIT_GRANT_KEYS, 300 + 9 * DAY), "and no longer");
	grant_keys_release(&keys);
}

static void used_now(void)
{
	const struct provider_options options = {.pair = temporary, .grant_secret = SLICE_LIT("g")};
	const struct provider_parts parts = {.clock = &test_clock};
	struct provider *p = NULL;
	char why[100] = "";
	IS_INT(provider_new(&options, &parts, &p, why, sizeof(why)), ERR_OK, "a provider");
	OK(provider_begin(p) == ERR_OK, "asks nobody");
	struct credentials *c = provider_get(p);
	OK(c && slice_eq(c->values.id, temporary.id), "has the pair");
	now_s = 1999;
	struct credentials *again = provider_get(p);
	OK(again == c, "the same for everybody");
	now_s = 2000;
	OK(!provider_get(p), "and none once it has ended");
	struct provider_stats stats;
	provider_stats(p, &stats);
	OK(!stats.valid && stats.expires == 2000 && stats.refreshed == 1, "which shows");
	OK(provider_replace(p, &permanent) == ERR_OK, "another pair is taken");
	struct credentials *other = provider_get(p);
	OK(other && slice_eq(other->values.id, permanent.id), "and used at once");
	credentials_release(other);
	provider_stats(p, &stats);
	OK(stats.valid && stats.expires == 0 && stats.refreshed == 2, "which shows, too");
	provider_free(p);
	IS(c->values.token, S("token"), "what was taken is still there");
	credentials_release(c);
	credentials_release(again);
	provider_free(NULL);
}

int main(void)
{
	snapshot();
	rotation();
	used_now();
	return tap_done();
}
