/* SPDX-License-Identifier: Apache-2.0 */
#include "ops/rules/expiration.h"

#include "base/encode.h"
#include "http/date.h"
#include "ops/ops_internal.h"
#include "ops/respond.h"
#include "oss/rules/lifecycle.h"

static enum err parse(struct slice document, void **ret, struct strbuf *reason)
{
	struct lifecycle *lifecycle = NULL;
	enum err e = lifecycle_parse(document, true, &lifecycle, reason);
	*ret = lifecycle;
	return e;
}

static void release(void *lifecycle)
{
	lifecycle_free(lifecycle);
}

struct setting_cache *expiration_cache_new(void)
{
	static const struct setting_kind kind = {
		.name = "lifecycle rules",
		.setting = STORE_SETTING_LIFECYCLE,
		.parse = parse,
		.free = release,
	};
	return setting_cache_new(&kind);
}

void expiration_add_header(struct request *r, const struct store_bucket *bucket, struct slice key,
	const struct store_object *object)
{
	const void *rules;
	const struct lifecycle_facts facts = {
		.subject = LIFECYCLE_CURRENT,
		.key = key,
		.size = object->size,
		.tags = object->tags,
		.since_ms = object->modified_ms,
	};
	int64_t end_ms;
	struct slice rule;
	if (setting_cache_take(r->ops->lifecycles, bucket, &rules) == ERR_UNAVAILABLE)
		respond_spoil(r);
	if (!rules)
		return;
	if (lifecycle_find(rules, &facts, &end_ms, &rule)) {
		char date[DATE_SIZE];
		SCOPED_STRBUF(value, 1024);
		date_format(end_ms / 1000, date);
		strbuf_addf(&value, "expiry-date=\"%s\", rule-id=\"", date);
		percent_encode(&value, rule);
		strbuf_addc(&value, '"');
		respond_built_header(r, "x-oss-expiration", &value);
	}
	setting_cache_done(r->ops->lifecycles);
}
