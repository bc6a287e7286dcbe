/* SPDX-License-Identifier: Apache-2.0 */
#include "app/credentials/grant_keys.h"

#include "crypto/secret.h"

/* The longest life of what is made with one: an upload in parts, and the callback behind it. */
#define KEPT_SECONDS (LIMIT_MULTIPART_SECONDS + TICKET_SLACK_SECONDS)

void grant_keys_init(struct grant_keys *keys)
{
	*keys = (struct grant_keys){.count_ = 0};
	(void)pthread_mutex_init(&keys->lock_, NULL);
}

void grant_keys_release(struct grant_keys *keys)
{
	secret_wipe(keys->list_, sizeof(keys->list_));
	(void)pthread_mutex_destroy(&keys->lock_);
}

/* Where the key is, or the place that it takes. */
static size_t find(const struct grant_keys *keys, const struct ticket_key *key)
{
	uint8_t want[SHA256_BYTES], have[SHA256_BYTES];
	hmac_sha256_sign(&key->hmac, S("which"), want);
	for (size_t i = 0; i < keys->count_; i++) {
		hmac_sha256_sign(&keys->list_[i].key.hmac, S("which"), have);
		if (memcmp(want, have, sizeof(want)) == 0)
			return i;
	}
	return keys->count_ < LIMIT_GRANT_KEYS ? keys->count_ : LIMIT_GRANT_KEYS - 1;
}

void grant_keys_use(struct grant_keys *keys, const struct ticket_key *key, int64_t now)
{
	(void)pthread_mutex_lock(&keys->lock_);
	size_t at = find(keys, key);
	if (at == keys->count_)
		keys->count_++;
	if (at > 0 || keys->count_ == 1) {
		if (keys->count_ > 1)
			keys->list_[0].until = now + KEPT_SECONDS;
		memmove(&keys->list_[1], &keys->list_[0], at * sizeof(keys->list_[0]));
		keys->list_[0].key = *key;
	}
	keys->list_[0].until = INT64_MAX;
	(void)pthread_mutex_unlock(&keys->lock_);
}

bool grant_keys_at(struct grant_keys *keys, size_t at, int64_t now, struct ticket_key *ret)
{
	(void)pthread_mutex_lock(&keys->lock_);
	bool found = at < keys->count_ && now < keys->list_[at].until;
	if (found)
		*ret = keys->list_[at].key;
	(void)pthread_mutex_unlock(&keys->lock_);
	return found;
}

bool grant_keys_made(struct grant_keys *keys, struct slice text, int64_t now)
{
	struct ticket_key key;
	for (size_t i = 0; grant_keys_at(keys, i, now, &key); i++)
		if (ticket_is_of(&key, text))
			return true;
	return false;
}

enum ticket_result grant_keys_check(struct grant_keys *keys, struct slice text, struct slice object,
	int64_t now, struct ticket *ret)
{
	struct ticket_key key;
	enum ticket_result result = TICKET_FORGED;
	for (size_t i = 0; result == TICKET_FORGED && grant_keys_at(keys, i, now, &key); i++)
		result = ticket_check(&key, text, object, now, ret);
	return result;
}
