/* SPDX-License-Identifier: Apache-2.0 */
#include "ops/access/referer.h"

#include "ops/ops_internal.h"
#include "ops/respond.h"
#include "oss/rules/referer.h"

static enum err parse(struct slice document, void **ret, struct strbuf *reason)
{
	struct referer *rules = NULL;
	enum err e = referer_parse(document, &rules, reason);
	*ret = rules;
	return e;
}

static void release(void *rules)
{
	referer_free(rules);
}

struct setting_cache *referer_cache_new(void)
{
	static const struct setting_kind kind = {
		.name = "referer rules",
		.setting = STORE_SETTING_REFERER,
		.parse = parse,
		.free = release,
	};
	return setting_cache_new(&kind);
}

bool referer_allowed(struct request *r)
{
	static const enum err errors[] = {
		[REFERER_ALLOWED] = ERR_OK,
		[REFERER_EMPTY] = ERR_REFERER_EMPTY,
		[REFERER_BLACKLISTED] = ERR_REFERER_BLACKLISTED,
		[REFERER_NOT_LISTED] = ERR_REFERER_NOT_LISTED,
	};
	if (r->op->level != OP_OBJECT || request_header(r, S("Authorization")).ptr)
		return true;
	const void *rules;
	enum err e = setting_cache_take(r->ops->referers, r->bucket, &rules);
	if (rules) {
		e = errors[referer_check(rules, request_header(r, S("Referer")))];
		setting_cache_done(r->ops->referers);
	}
	if (e == ERR_OK)
		return true;
	respond_detail(r, "BucketName", r->bucket->name);
	respond_error(r, e);
	return false;
}
