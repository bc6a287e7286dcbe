/* SPDX-License-Identifier: Apache-2.0 */
/* How effects move what a bucket holds, in numbers. */
#include "store/rules/rules.h"

static void add_current(struct store_bucket_stats *counts, int64_t objects, uint64_t bytes)
{
	counts->objects += (uint64_t)objects;
	counts->bytes += bytes;
}

static void add_old(struct store_bucket_stats *counts, int64_t versions, uint64_t bytes)
{
	counts->old_versions += (uint64_t)versions;
	counts->old_bytes += bytes;
}

static void count_current(const struct rules_view *view, const struct rules_effects *effects,
	struct store_bucket_stats *counts)
{
	const struct store_object *current = view->current;
	if (effects->current == RULES_GOES || effects->current == RULES_BECOMES_OLDER)
		add_current(counts, -1, -current->size);
	if (effects->current == RULES_BECOMES_OLDER)
		add_old(counts, 1, current->size);
	if (effects->current == RULES_GROWS)
		add_current(counts, 0, effects->object.size - current->size);
}

static void count_old(
	const struct store_object *object, enum rules_fate fate, struct store_bucket_stats *counts)
{
	if (fate == RULES_GOES || fate == RULES_BECOMES_CURRENT)
		add_old(counts, -1, -object->size);
	if (fate == RULES_BECOMES_CURRENT)
		add_current(counts, 1, object->size);
}

static void count_upload(const struct rules_view *view, const struct rules_effects *effects,
	struct store_bucket_stats *counts)
{
	if (effects->part == RULES_GOES)
		counts->part_bytes -= view->part->size;
	if (effects->upload == RULES_STAYS)
		return;
	counts->uploads--;
	for (size_t i = 0; i < view->part_count; i++)
		counts->part_bytes -= view->parts[i].size;
}

static void count_made(const struct rules_effects *effects, struct store_bucket_stats *counts)
{
	switch (effects->made) {
	case RULES_MADE_NOTHING:
		break;
	case RULES_MADE_CURRENT:
		add_current(counts, 1, effects->object.size);
		break;
	case RULES_MADE_MARKER:
		add_old(counts, 1, 0);
		break;
	case RULES_MADE_UPLOAD:
		counts->uploads++;
		break;
	case RULES_MADE_PART:
		counts->part_bytes += effects->object.size;
		break;
	}
}

void rules_count(const struct rules_view *view, struct rules_effects *effects)
{
	struct store_bucket_stats counts = {.objects = 0};
	count_current(view, effects, &counts);
	count_old(view->null, effects->null, &counts);
	count_old(view->named, effects->named, &counts);
	count_old(view->newest, effects->newest, &counts);
	count_upload(view, effects, &counts);
	count_made(effects, &counts);
	effects->counts = counts;
}

void rules_add_counts(struct store_bucket_stats *to, const struct store_bucket_stats *change)
{
	to->objects += change->objects;
	to->bytes += change->bytes;
	to->old_versions += change->old_versions;
	to->old_bytes += change->old_bytes;
	to->uploads += change->uploads;
	to->part_bytes += change->part_bytes;
}

bool rules_same_counts(const struct store_bucket_stats *a, const struct store_bucket_stats *b)
{
	return a->objects == b->objects && a->bytes == b->bytes &&
	       a->old_versions == b->old_versions && a->old_bytes == b->old_bytes &&
	       a->uploads == b->uploads && a->part_bytes == b->part_bytes;
}
