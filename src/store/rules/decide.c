/* SPDX-License-Identifier: Apache-2.0 */
#include "store/rules/rules_internal.h"

bool rules_know(struct rules *rules, unsigned rows)
{
	rules->effects->needs = rows & ~rules->view->known;
	return rules->effects->needs == 0;
}

void rules_count_current(struct rules *rules, int64_t objects, uint64_t bytes)
{
	struct store_bucket_stats *counts = &rules->effects->counts;
	counts->objects += (uint64_t)objects;
	counts->bytes += bytes;
}

void rules_count_old(struct rules *rules, int64_t versions, uint64_t bytes)
{
	struct store_bucket_stats *counts = &rules->effects->counts;
	counts->old_versions += (uint64_t)versions;
	counts->old_bytes += bytes;
}

void rules_count_uploads(struct rules *rules, int64_t uploads, uint64_t part_bytes)
{
	struct store_bucket_stats *counts = &rules->effects->counts;
	counts->uploads += (uint64_t)uploads;
	counts->part_bytes += part_bytes;
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

enum err rules_decide(const struct rules_view *view, const struct rules_mutation *mutation,
	int64_t now_ms, uint64_t version, struct rules_effects *ret)
{
	struct rules rules = {view, mutation, now_ms, version, ret};
	memset(ret, 0, sizeof(*ret));
	switch (mutation->kind) {
	case RULES_PUT:
		return rules_put(&rules);
	case RULES_APPEND:
		return rules_append(&rules);
	case RULES_DELETE:
		return rules_delete(&rules);
	case RULES_CHANGE:
		return rules_change(&rules);
	case RULES_UPLOAD_BEGIN:
		return rules_upload_begin(&rules);
	case RULES_UPLOAD_PART:
		return rules_upload_part(&rules);
	case RULES_UPLOAD_ABORT:
		return rules_upload_abort(&rules);
	case RULES_UPLOAD_COMPLETE:
		return rules_upload_complete(&rules);
	}
	return ERR_INTERNAL;
}
