/* SPDX-License-Identifier: Apache-2.0 */
/* How an index batch changes the counts of the buckets. */
#include "store/local/apply/index_batch_internal.h"
#include "store/local/index/counts.h"
#include "store/rules/rules.h"

bool index_batch_reserve_counts(struct index_batch *batch)
{
	if (batch->count_count < batch->count_size)
		return true;
	size_t size = batch->count_size * 2 + 16;
	struct count_delta *counts = realloc(batch->counts, size * sizeof(*counts));
	if (!counts)
		return false;
	batch->counts = counts;
	batch->count_size = size;
	return true;
}

static struct store_bucket_stats *change_of(struct index_batch *batch, uint64_t bucket_id)
{
	/* Most batches are about a bucket or two. */
	for (size_t i = batch->count_count; i-- > 0;)
		if (batch->counts[i].bucket_id == bucket_id)
			return &batch->counts[i].counts;
	struct count_delta *added = &batch->counts[batch->count_count++];
	*added = (struct count_delta){.bucket_id = bucket_id};
	return &added->counts;
}

void index_batch_count(
	struct index_batch *batch, uint64_t bucket_id, const struct store_bucket_stats *change)
{
	rules_add_counts(change_of(batch, bucket_id), change);
	batch->next.objects += change->objects;
	batch->next.bytes += change->bytes;
}

/* What the bucket will hold; false if it has been deleted. */
static bool next_counts(
	struct index_batch *batch, const struct count_delta *count, struct store_bucket_stats *ret)
{
	if (!buckets_counts(batch->buckets, count->bucket_id, ret))
		return false;
	rules_add_counts(ret, &count->counts);
	return true;
}

void index_batch_put_counts(struct index_batch *batch)
{
	struct store_bucket_stats next;
	for (size_t i = 0; i < batch->count_count; i++)
		if (next_counts(batch, &batch->counts[i], &next))
			counts_put(batch->tx, batch->counts[i].bucket_id, &next);
}

void index_batch_apply_counts(struct index_batch *batch)
{
	struct store_bucket_stats next;
	for (size_t i = 0; i < batch->count_count; i++)
		if (next_counts(batch, &batch->counts[i], &next))
			buckets_set_counts(batch->buckets, batch->counts[i].bucket_id, &next);
}
