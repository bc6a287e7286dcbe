/* SPDX-License-Identifier: Apache-2.0 */
#include "ops/rules/setting_cache.h"

#include "base/limits.h"
#include "tap.h"

static unsigned parsed;
static unsigned freed;

/* A document is its own value; "bad" cannot be read. */
static enum err parse(struct slice document, void **ret, struct strbuf *reason)
{
	if (slice_eq(document, S("bad"))) {
		strbuf_adds(reason, "it is bad");
		return ERR_MALFORMED_XML;
	}
	*ret = strndup(document.ptr, document.len);
	parsed++;
	return *ret ? ERR_OK : ERR_UNAVAILABLE;
}

static void free_value(void *value)
{
	freed += value != NULL;
	free(value);
}

static const struct setting_kind kind = {
	.name = "test",
	.setting = STORE_SETTING_CORS,
	.parse = parse,
	.free = free_value,
};

/* Whether the cache has `text` as the setting of the bucket. */
static bool has(struct setting_cache *cache, uint64_t id, uint64_t generation, const char *text)
{
	const struct store_bucket bucket = {
		.id = id,
		.name = S("bucket"),
		.generation = generation,
		.settings = {[STORE_SETTING_CORS] = slice_str(text)},
	};
	const void *value;
	bool same = setting_cache_take(cache, &bucket, &value) == ERR_OK && value &&
		    strcmp(value, text) == 0;
	if (value)
		setting_cache_done(cache);
	return same;
}

/* All buckets that there can be, `apart` in their generations; how many had the wrong value. */
static unsigned all_buckets(struct setting_cache *cache, uint64_t first, uint64_t apart)
{
	unsigned wrong = 0;
	char text[32];
	for (uint64_t i = 0; i < LIMIT_BUCKETS; i++) {
		(void)snprintf(text, sizeof(text), "of %d", (int)(first + i));
		wrong += !has(cache, first + i, first + i * apart, text);
	}
	return wrong;
}

int main(void)
{
	struct setting_cache *cache = setting_cache_new(&kind);
	if (!cache)
		return 1;
	IS_INT(all_buckets(cache, 1, 64), 0, "the settings of all buckets");
	IS_INT(all_buckets(cache, 1, 64), 0, "and once more");
	IS_INT(parsed, LIMIT_BUCKETS, "each is compiled once");
	OK(has(cache, 7, 1000001, "new"), "a changed bucket");
	IS_INT(freed, 1, "replaces what it had");
	OK(has(cache, 7, 1000001, "new") && parsed == LIMIT_BUCKETS + 1, "once");
	OK(!has(cache, 8, 1000002, "bad"), "what cannot be read is not there");
	OK(!has(cache, 9, 1000003, ""), "nor what is not set");
	IS_INT(all_buckets(cache, 2000, 1), 0, "other buckets in the place of all");
	IS_INT(all_buckets(cache, 2000, 1), 0, "and once more");
	IS_INT(parsed, 2 * LIMIT_BUCKETS + 1, "they are compiled once, too");
	setting_cache_free(cache);
	IS_INT(freed, parsed, "all are freed");
	return tap_done();
}
