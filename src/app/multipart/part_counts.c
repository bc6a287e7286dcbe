/* SPDX-License-Identifier: Apache-2.0 */
#include "app/multipart/part_counts.h"

#include <pthread.h>
#include <stdlib.h>

#include "base/limits.h"
#include "crypto/digest.h"

struct part_counts {
	pthread_mutex_t lock; /* of all below */
	struct {
		uint64_t upload; /* of its digest */
		size_t signed_;  /* and not yet listed */
		size_t listed;
	} rows[LIMIT_UPLOADS_COUNTED];
};

struct part_counts *part_counts_new(void)
{
	struct part_counts *counts = calloc(1, sizeof(*counts));
	if (counts && pthread_mutex_init(&counts->lock, NULL) != 0) {
		free(counts);
		return NULL;
	}
	return counts;
}

void part_counts_free(struct part_counts *counts)
{
	if (!counts)
		return;
	pthread_mutex_destroy(&counts->lock);
	free(counts);
}

/* Never 0, which is an empty row. */
static uint64_t digest_of(struct slice upload)
{
	uint8_t bytes[SHA256_BYTES];
	uint64_t digest;
	sha256_of(upload, bytes);
	memcpy(&digest, bytes, sizeof(digest));
	return digest | 1;
}

void part_counts_begin(struct part_counts *counts, struct slice upload)
{
	uint64_t digest = digest_of(upload);
	size_t row = (digest >> 1) % LIMIT_UPLOADS_COUNTED;
	pthread_mutex_lock(&counts->lock);
	counts->rows[row].upload = digest;
	counts->rows[row].signed_ = 0;
	counts->rows[row].listed = 0;
	pthread_mutex_unlock(&counts->lock);
}

bool part_counts_due(struct part_counts *counts, struct slice upload, size_t count)
{
	uint64_t digest = digest_of(upload);
	size_t row = (digest >> 1) % LIMIT_UPLOADS_COUNTED;
	pthread_mutex_lock(&counts->lock);
	bool known = counts->rows[row].upload == digest;
	bool due = !known || counts->rows[row].signed_ + count > PART_COUNTS_EVERY;
	if (!due)
		counts->rows[row].signed_ += count;
	pthread_mutex_unlock(&counts->lock);
	return due;
}

void part_counts_summed(
	struct part_counts *counts, struct slice upload, size_t listed, size_t count)
{
	uint64_t digest = digest_of(upload);
	size_t row = (digest >> 1) % LIMIT_UPLOADS_COUNTED;
	pthread_mutex_lock(&counts->lock);
	bool known = counts->rows[row].upload == digest;
	size_t before = known ? counts->rows[row].listed : listed;
	size_t waiting = known ? counts->rows[row].signed_ : 0;
	size_t arrived = listed > before ? listed - before : 0;
	counts->rows[row].upload = digest;
	counts->rows[row].signed_ = (waiting > arrived ? waiting - arrived : 0) + count;
	counts->rows[row].listed = listed;
	pthread_mutex_unlock(&counts->lock);
}
