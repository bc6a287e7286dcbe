/* SPDX-License-Identifier: Apache-2.0 */
/* How what is staged changes the counts of the buckets. */
#include "store/local/apply/stage_internal.h"
#include "store/local/index/counts.h"

bool stage_count_reserve(struct stage *stage)
{
	if (stage->count_count < stage->count_size)
		return true;
	size_t size = stage->count_size * 2 + 16;
	struct stage_count *counts = realloc(stage->counts, size * sizeof(*counts));
	if (!counts)
		return false;
	stage->counts = counts;
	stage->count_size = size;
	return true;
}

static struct store_bucket_stats *change_of(struct stage *stage, uint64_t bucket_id)
{
	/* Most batches are about a bucket or two. */
	for (size_t i = stage->count_count; i-- > 0;)
		if (stage->counts[i].bucket_id == bucket_id)
			return &stage->counts[i].mutation;
	struct stage_count *added = &stage->counts[stage->count_count++];
	*added = (struct stage_count){.bucket_id = bucket_id};
	return &added->mutation;
}

void stage_count_current(struct stage *stage, uint64_t bucket_id, int64_t objects, int64_t bytes)
{
	struct store_bucket_stats *mutation = change_of(stage, bucket_id);
	mutation->objects += (uint64_t)objects;
	mutation->bytes += (uint64_t)bytes;
	stage->staged.objects += (uint64_t)objects;
	stage->staged.bytes += (uint64_t)bytes;
}

void stage_count_old(struct stage *stage, uint64_t bucket_id, int64_t versions, int64_t bytes)
{
	struct store_bucket_stats *mutation = change_of(stage, bucket_id);
	mutation->old_versions += (uint64_t)versions;
	mutation->old_bytes += (uint64_t)bytes;
}

void stage_count_uploads(
	struct stage *stage, uint64_t bucket_id, int64_t uploads, int64_t part_bytes)
{
	struct store_bucket_stats *mutation = change_of(stage, bucket_id);
	mutation->uploads += (uint64_t)uploads;
	mutation->part_bytes += (uint64_t)part_bytes;
}

/* What the bucket will hold; false if it has been deleted. */
static bool next_counts(
	struct stage *stage, const struct stage_count *count, struct store_bucket_stats *ret)
{
	const struct store_bucket_stats *mutation = &count->mutation;
	if (!buckets_counts(stage->buckets, count->bucket_id, ret))
		return false;
	ret->objects += mutation->objects;
	ret->bytes += mutation->bytes;
	ret->old_versions += mutation->old_versions;
	ret->old_bytes += mutation->old_bytes;
	ret->uploads += mutation->uploads;
	ret->part_bytes += mutation->part_bytes;
	return true;
}

void stage_count_put(struct stage *stage)
{
	struct store_bucket_stats next;
	for (size_t i = 0; i < stage->count_count; i++)
		if (next_counts(stage, &stage->counts[i], &next))
			counts_put(stage->tx, stage->counts[i].bucket_id, &next);
}

void stage_count_take_over(struct stage *stage)
{
	struct store_bucket_stats next;
	for (size_t i = 0; i < stage->count_count; i++)
		if (next_counts(stage, &stage->counts[i], &next))
			buckets_set_counts(stage->buckets, stage->counts[i].bucket_id, &next);
}
