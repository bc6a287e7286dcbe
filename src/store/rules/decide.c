/* SPDX-License-Identifier: Apache-2.0 */
#include "store/rules/rules_internal.h"

bool rules_know(struct rules *rules, unsigned rows)
{
	rules->effects->needs = rows & ~rules->view->known;
	return rules->effects->needs == 0;
}

static enum err decide(struct rules *rules)
{
	switch (rules->mutation->kind) {
	case RULES_PUT:
		return rules_put(rules);
	case RULES_APPEND:
		return rules_append(rules);
	case RULES_DELETE:
		return rules_delete(rules);
	case RULES_CHANGE:
		return rules_change(rules);
	case RULES_UPLOAD_BEGIN:
		return rules_upload_begin(rules);
	case RULES_UPLOAD_PART:
		return rules_upload_part(rules);
	case RULES_UPLOAD_ABORT:
		return rules_upload_abort(rules);
	case RULES_UPLOAD_COMPLETE:
		return rules_upload_complete(rules);
	}
	return ERR_INTERNAL;
}

enum err rules_decide(const struct rules_view *view, const struct rules_mutation *mutation,
	int64_t now_ms, uint64_t version, struct rules_effects *ret)
{
	struct rules rules = {view, mutation, now_ms, version, ret};
	memset(ret, 0, sizeof(*ret));
	enum err e = decide(&rules);
	if (e == ERR_OK && ret->needs == 0)
		rules_count(view, ret);
	return e;
}
