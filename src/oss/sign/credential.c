/* SPDX-License-Identifier: Apache-2.0 */
#include "oss/sign/credential.h"

#include "crypto/secret.h"
#include "oss/text/iso8601.h"

#define ENDING "aliyun_v4_request"

enum credential_result credential_parse(struct slice text, struct credential *ret)
{
	struct credential c;
	struct slice ending = text;
	if (!slice_cut(&ending, '/', &c.access_key_id) || !slice_cut(&ending, '/', &c.day) ||
		!slice_cut(&ending, '/', &c.region) || !slice_cut(&ending, '/', &c.product))
		return CREDENTIAL_MALFORMED;
	if (c.access_key_id.len == 0 || c.region.len == 0)
		return CREDENTIAL_MALFORMED;
	if (!iso8601_parse_basic_date(c.day, &c.day_ms))
		return CREDENTIAL_BAD_DATE;
	if (!slice_eq(c.product, S("oss")) && !slice_eq(c.product, S("oss-cloudbox")))
		return CREDENTIAL_BAD_PRODUCT;
	if (!slice_eq(ending, S(ENDING)))
		return CREDENTIAL_BAD_ENDING;
	*ret = c;
	return CREDENTIAL_OK;
}

void credential_add(const struct credential *c, struct strbuf *out)
{
	strbuf_add_slice(out, c->access_key_id);
	strbuf_addc(out, '/');
	credential_add_scope(c, out);
}

void credential_add_scope(const struct credential *c, struct strbuf *out)
{
	strbuf_add_slice(out, c->day);
	strbuf_addc(out, '/');
	strbuf_add_slice(out, c->region);
	strbuf_addc(out, '/');
	strbuf_add_slice(out, c->product);
	strbuf_adds(out, "/" ENDING);
}

void sign_key_cache_clear(struct sign_key_cache *cache)
{
	secret_wipe(cache, sizeof(*cache));
}

/* What an HMAC fills its key up to, and over which it takes the key's digest instead. */
#define KEY_BLOCK_BYTES 64

/* The first key of the chain, "aliyun_v4" and the secret, or its digest where HMAC takes that. */
static struct slice first_key(struct slice secret, uint8_t buffer[KEY_BLOCK_BYTES])
{
	static const struct slice word = SLICE_LIT("aliyun_v4");
	if (secret.len > KEY_BLOCK_BYTES - word.len) {
		struct digest_sha256 d;
		digest_sha256_init(&d);
		digest_sha256_update(&d, word);
		digest_sha256_update(&d, secret);
		digest_sha256_final(&d, buffer);
		secret_wipe(&d, sizeof(d));
		return slice_of(buffer, SHA256_BYTES);
	}
	memcpy(buffer, word.ptr, word.len);
	if (secret.len > 0)
		memcpy(buffer + word.len, secret.ptr, secret.len);
	return slice_of(buffer, word.len + secret.len);
}

/* Each step's result is the next one's key. */
static void derive(const struct credential *c, struct slice secret, struct hmac_sha256 *ret)
{
	const struct slice steps[] = {c->day, c->region, c->product, S(ENDING)};
	uint8_t buffer[KEY_BLOCK_BYTES];
	struct slice key = first_key(secret, buffer);
	for (size_t i = 0; i < ARRAY_LEN(steps); i++) {
		hmac_sha256_of(key, steps[i], buffer);
		key = slice_of(buffer, SHA256_BYTES);
	}
	hmac_sha256_key(ret, key);
	secret_wipe(buffer, sizeof(buffer));
}

/* Each text goes in behind its length, so that no two lists of texts look alike. */
static void tag_add(struct digest_sha256 *d, struct slice text)
{
	digest_sha256_update(d, slice_of(&text.len, sizeof(text.len)));
	digest_sha256_update(d, text);
}

/*
 * The secret is part of the tag, not the access key id: a secret that was changed finds nothing,
 * and two keys that share everything else never meet.
 */
static void make_tag(const struct credential *c, struct slice secret, uint8_t ret[SHA256_BYTES])
{
	struct digest_sha256 d;
	digest_sha256_init(&d);
	tag_add(&d, secret);
	tag_add(&d, c->day);
	tag_add(&d, c->region);
	tag_add(&d, c->product);
	digest_sha256_final(&d, ret);
	secret_wipe(&d, sizeof(d));
}

void credential_signing_key(const struct credential *c, struct slice secret,
	struct sign_key_cache *cache, struct hmac_sha256 *ret)
{
	if (!cache) {
		derive(c, secret, ret);
		return;
	}
	uint8_t tag[SHA256_BYTES];
	make_tag(c, secret, tag);
	size_t at = tag[0] % SIGN_KEY_CACHE_SLOTS;
	(void)pthread_mutex_lock(&cache->lock_);
	if (!cache->slots_[at].used || memcmp(cache->slots_[at].tag, tag, sizeof(tag)) != 0) {
		derive(c, secret, &cache->slots_[at].key);
		memcpy(cache->slots_[at].tag, tag, sizeof(tag));
		cache->slots_[at].used = true;
	}
	*ret = cache->slots_[at].key;
	(void)pthread_mutex_unlock(&cache->lock_);
}
