/* SPDX-License-Identifier: Apache-2.0 */
#include "app/credentials/credentials.h"

#include <stdlib.h>

#include "crypto/secret.h"
#include "oss/text/json_text.h"

#define BYTES_MAX KIB(64)

static bool keep(struct credentials *c, struct slice text, struct slice *ret)
{
	*ret = arena_copy(&c->arena_, text);
	return ret->ptr != NULL;
}

static bool keep_json(struct credentials *c)
{
	SCOPED_STRBUF(json, KIB(8));
	json_add_string(&json, c->values.id);
	return !strbuf_broken(&json) && keep(c, strbuf_slice(&json), &c->id_json);
}

struct credentials *credentials_new(
	const struct credential_values *values, struct slice grant_secret)
{
	struct credentials *c = calloc(1, sizeof(*c));
	if (!c)
		return NULL;
	atomic_init(&c->references_, 1);
	arena_init(&c->arena_, NULL, 0, BYTES_MAX);
	c->keys_v4 = calloc(1, sizeof(*c->keys_v4));
	c->values.expires = values->expires;
	if (!c->keys_v4 || !keep(c, values->id, &c->values.id) ||
		!keep(c, values->secret, &c->values.secret) ||
		!keep(c, values->token, &c->values.token) || !keep_json(c)) {
		credentials_release(c);
		return NULL;
	}
	hmac_sha1_key(&c->key_v1, values->secret);
	ticket_key_derive(values->secret, &c->ticket_key);
	c->countersigned = grant_secret.len > 0 && !slice_eq_secret(grant_secret, values->secret);
	ticket_key_derive(c->countersigned ? grant_secret : values->secret, &c->grant_key);
	return c;
}

struct credentials *credentials_share(struct credentials *c)
{
	atomic_fetch_add(&c->references_, 1);
	return c;
}

static void wipe(struct slice text)
{
	if (text.len > 0)
		secret_wipe((void *)(uintptr_t)text.ptr, text.len);
}

void credentials_release(struct credentials *c)
{
	if (!c || atomic_fetch_sub(&c->references_, 1) > 1)
		return;
	wipe(c->values.secret);
	wipe(c->values.token);
	arena_reset(&c->arena_);
	if (c->keys_v4)
		sign_key_cache_clear(c->keys_v4);
	free(c->keys_v4);
	secret_wipe(c, sizeof(*c));
	free(c);
}

bool credentials_issue(
	const struct credentials *c, const struct ticket_terms *terms, struct strbuf *out)
{
	return ticket_issue(&c->ticket_key, terms, out) &&
	       (!c->countersigned || ticket_countersign(&c->grant_key, out));
}

int64_t credentials_until(const struct credentials *c, int64_t expires)
{
	return !c || expires < c->values.expires ? expires : c->values.expires;
}
