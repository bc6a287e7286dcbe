/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The credential of a V4 signature, `AK/YYYYMMDD/region/product/aliyun_v4_request`, and the key
 * that is derived from it and the secret (spec: signatures sections 3 and 4).
 */
#ifndef OSS_SIGN_CREDENTIAL_H
#define OSS_SIGN_CREDENTIAL_H

#include <pthread.h>
#include <stdint.h>

#include "base/slice.h"
#include "base/strbuf.h"
#include "crypto/hmac.h"

/* Every part is non-empty, `day` is a date, `product` is one of OSS's. Borrows the text. */
struct credential {
	struct slice access_key_id;
	struct slice day;     /* YYYYMMDD */
	struct slice region;  /* "cn-hangzhou" */
	struct slice product; /* "oss" or "oss-cloudbox" */
	int64_t day_ms;       /* the midnight at which the day begins */
};

/* What parts of a credential's text is wrong. */
enum credential_result {
	CREDENTIAL_OK,
	CREDENTIAL_MALFORMED, /* not five parts, or an empty one */
	CREDENTIAL_BAD_DATE,
	CREDENTIAL_BAD_PRODUCT,
	CREDENTIAL_BAD_ENDING, /* not aliyun_v4_request */
};

enum credential_result credential_parse(struct slice text, struct credential *ret) MUST_USE;

/* The text it is parsed from. */
void credential_add(const struct credential *c, struct strbuf *out);
/* Its scope: the text without the access key id. */
void credential_add_scope(const struct credential *c, struct strbuf *out);

/*
 * Signing keys that were derived lately. Deriving takes four HMACs and depends on secret and scope
 * only, so a day's requests share one. All-zero is empty. Any thread, but for clearing it; what
 * is in it is as good as the secrets themselves.
 */
#define SIGN_KEY_CACHE_SLOTS 16

struct sign_key_cache {
	pthread_mutex_t lock_; /* all-zero is PTHREAD_MUTEX_INITIALIZER; held for a copy */
	struct {
		uint8_t tag[SHA256_BYTES]; /* digest of secret and scope */
		bool used;
		struct hmac_sha256 key;
	} slots_[SIGN_KEY_CACHE_SLOTS];
};

void sign_key_cache_clear(struct sign_key_cache *cache);

/* The keyed HMAC to sign with. `cache` may be NULL. */
void credential_signing_key(const struct credential *c, struct slice secret,
	struct sign_key_cache *cache, struct hmac_sha256 *ret);

#endif
