/* SPDX-License-Identifier: Apache-2.0 */
#include "app/counts/counts.h"

#include <pthread.h>
#include <stdlib.h>

#include "crypto/hmac.h"
#include "crypto/random.h"
#include "crypto/secret.h"

#define WAYS 4
#define KEY_BYTES 32

struct counts {
	struct hmac_sha256 key;
	size_t sets;
	pthread_mutex_t lock; /* rows */
	struct counts_row rows[];
};

struct counts *counts_new(size_t rows)
{
	char key[KEY_BYTES];
	size_t sets = (rows + WAYS - 1) / WAYS;
	struct counts *counts =
		calloc(1, sizeof(*counts) + sets * WAYS * sizeof(struct counts_row));
	if (!counts)
		return NULL;
	if (pthread_mutex_init(&counts->lock, NULL) != 0) {
		free(counts);
		return NULL;
	}
	counts->sets = sets;
	random_bytes(key, sizeof(key));
	hmac_sha256_key(&counts->key, slice_of(key, sizeof(key)));
	secret_wipe(key, sizeof(key));
	return counts;
}

void counts_free(struct counts *counts)
{
	if (!counts)
		return;
	(void)pthread_mutex_destroy(&counts->lock);
	free(counts);
}

static uint64_t digest_of(const struct counts *counts, struct slice name)
{
	uint8_t bytes[SHA256_BYTES];
	uint64_t digest;
	hmac_sha256_sign(&counts->key, name, bytes);
	memcpy(&digest, bytes, sizeof(digest));
	return digest | 1;
}

struct counts_row *counts_lock(struct counts *counts, struct slice name)
{
	uint64_t digest = digest_of(counts, name);
	(void)pthread_mutex_lock(&counts->lock);
	struct counts_row *set = &counts->rows[(digest >> 1) % counts->sets * WAYS];
	struct counts_row *oldest = set;
	for (size_t i = 0; i < WAYS; i++) {
		if (set[i].name_ == digest)
			return &set[i];
		if (oldest->name_ != 0 && (set[i].name_ == 0 || set[i].used_ms < oldest->used_ms))
			oldest = &set[i];
	}
	*oldest = (struct counts_row){.name_ = digest, .used_ms = COUNTS_NEVER};
	return oldest;
}

void counts_unlock(struct counts *counts)
{
	(void)pthread_mutex_unlock(&counts->lock);
}
