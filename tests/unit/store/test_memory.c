/* SPDX-License-Identifier: Apache-2.0 */
/* The back end in memory: the conformance suite, its bound, and its ordered map. */
#include "store/memory/memory.h"

#include "base/limits.h"
#include "store/memory/map.h"
#include "tap.h"
#include "unit/store/conformance.h"
#include "unit/store/versions.h"

static struct store *open_memory(void *ctx UNUSED)
{
	struct store *s;
	return memory_store_open(&clock_system, &s) == ERR_OK ? s : NULL;
}

static void report(bool ok, const char *name)
{
	OK(ok, "%s", name);
}

static uint64_t bytes_held(void)
{
	struct budget_stats stats;
	budget_stats(&stats);
	return stats.used[BUDGET_STORE];
}

static void conformance(void)
{
	const struct conformance with = {.open = open_memory, .ok = report};
	conformance_run(&with);
	IS_INT(bytes_held(), 0, "nothing is held when it is closed");
}

/* ---- The bound ------------------------------------------------------------------------------- */

enum {
	MANY = 100
};

static struct slice numbered(char *text, size_t size, unsigned i)
{
	int len = snprintf(text, size, "%u", i);
	return slice_of(text, (size_t)len);
}

/* Like a disk: when it is full changes fail, reading goes on, deletes work and make room. */
static void a_full_store(void)
{
	static char bytes[MIB(1)];
	struct slice all = slice_of(bytes, sizeof(bytes));
	struct store *s = open_memory(NULL);
	struct store_stats stats;
	char key[16];
	unsigned count = 0;
	budget_set_with_store(MIB(16));
	bool ok = bucket_create(s, S("b"), STORE_ACL_PRIVATE) == ERR_OK;
	uint64_t id = bucket_id(s, S("b"));
	enum err e = ERR_OK;
	while (e == ERR_OK && count < MANY) {
		e = put_object(s, id, numbered(key, sizeof(key), count), all, NULL);
		count += e == ERR_OK;
	}
	OK(ok && e == ERR_DISK_FULL && count == 7, "half of the budget is for objects");
	OK(object_is(s, id, S("0"), all) && head_object(s, id, S("7")) == ERR_NO_SUCH_KEY,
		"what is there can be read, and nothing is left of what was refused");
	struct store_put_spec spec = {.bucket_id = id, .key = S("hint"), .size_hint = MIB(2)};
	struct store_put *put;
	IS_INT(store_put_begin(s, &spec, &put), ERR_DISK_FULL, "a put that cannot fit is told so");
	ok = set_versioning(s, S("b"), STORE_VERSIONED) == ERR_OK;
	e = ERR_OK;
	for (count = 0; e == ERR_OK && count < 100000; count++)
		e = put_object(s, id, S("tiny"), S(""), NULL);
	OK(ok && e == ERR_DISK_FULL, "empty objects fill it, too");
	/* What is left may be enough for less than an object. */
	struct budget_account rest = {.pool = BUDGET_STORE};
	while (budget_take(&rest, 1))
		continue;
	store_stats(s, &stats);
	OK(stats.refusing != NULL, "the store says that it refuses");
	struct store_metadata_update change = {
		.bucket_id = id, .key = S("0"), .set_tags = true, .tags = S("a=b")};
	IS_INT(object_change(s, &change), ERR_DISK_FULL, "no change");
	uint64_t upload;
	IS_INT(upload_begin(s, id, S("upload"), S(""), &upload), ERR_DISK_FULL, "no upload");
	struct store_delete del = {.bucket_id = id, .key = S("0")};
	OK(delete_version(s, &del) == ERR_OK && del.made_marker, "but a marker is made");
	del = (struct store_delete){.bucket_id = id, .key = S("1"), .version = null_version()};
	OK(delete_version(s, &del) == ERR_OK && del.existed, "and a version deleted");
	store_stats(s, &stats);
	OK(stats.refusing == NULL, "there is room again");
	IS_INT(object_change(s, &change), ERR_NO_SUCH_KEY, "what is deleted is not changed");
	IS_INT(put_object(s, id, S("1"), S("again"), NULL), ERR_OK, "changes work again");
	store_close(s);
	budget_close(&rest);
	IS_INT(bytes_held(), 0, "all is given back");
	budget_set(0);
}

/* What a reader holds stays, and is counted, when the object has gone. */
static void readers_count(void)
{
	struct store *s = open_memory(NULL);
	struct store_get get;
	static char bytes[3000000];
	bool ok = bucket_create(s, S("b"), STORE_ACL_PRIVATE) == ERR_OK;
	uint64_t id = bucket_id(s, S("b"));
	ok = put_object(s, id, S("k"), slice_of(bytes, sizeof(bytes)), NULL) == ERR_OK && ok;
	OK(ok && bytes_held() >= sizeof(bytes) && bytes_held() < sizeof(bytes) + KIB(8),
		"an object takes its size and little more");
	ok = get_begin(s, id, S("k"), false, &get) == ERR_OK &&
	     delete_object(s, id, S("k"), NULL) == ERR_OK;
	OK(ok && bytes_held() >= sizeof(bytes), "what is deleted is held while it is read");
	store_get_release(s, &get);
	IS_INT(bytes_held(), 0, "but no longer");
	store_close(s);
}

/* ---- The map --------------------------------------------------------------------------------- */

enum {
	NODES = 500
};

static uint32_t random_below(uint32_t *random, uint32_t below)
{
	*random = *random * 1664525 + 1013904223;
	return (*random >> 8) % below;
}

static int order(const struct map_node *a, const struct map_node *b)
{
	int o = slice_cmp(a->key, b->key);
	return o ? o : a->number < b->number ? -1 : a->number > b->number;
}

/* The first that is in the map and stands behind what is asked for, the slow way. */
static const struct map_node *slow(const struct map_node *nodes, const bool *in,
	const struct map_node *asked, bool behind_key, bool past)
{
	const struct map_node *found = NULL;
	for (size_t i = 0; i < NODES; i++) {
		const struct map_node *n = &nodes[i];
		int o = behind_key || past ? slice_cmp(n->key, asked->key) : order(n, asked);
		bool fits = behind_key ? o > 0
			    : past     ? o > 0 && !slice_starts(n->key, asked->key)
				       : o >= 0;
		if (in[i] && fits && (!found || order(n, found) < 0))
			found = n;
	}
	return found;
}

static void maps(void)
{
	static struct map_node nodes[NODES];
	static char keys[NODES][3];
	static bool in[NODES];
	struct map map = {.root = NULL};
	uint32_t random = 1;
	for (size_t i = 0; i < NODES; i++) {
		for (size_t j = 0; j < 3; j++)
			keys[i][j] = (char)('a' + random_below(&random, 3));
		nodes[i].key = slice_of(keys[i], random_below(&random, 4));
		nodes[i].number = i % 7 ? i : UINT64_MAX - i;
	}
	bool ok = true;
	for (unsigned round = 0; ok && round < 4000; round++) {
		size_t i = random_below(&random, NODES);
		if (in[i])
			map_remove(&map, &nodes[i]);
		else
			map_insert(&map, &nodes[i]);
		in[i] = !in[i];
		const struct map_node *asked = &nodes[random_below(&random, NODES)];
		bool is_in = in[asked - nodes];
		ok = map_from(&map, asked->key, asked->number) ==
			     slow(nodes, in, asked, false, false) &&
		     map_behind(&map, asked->key) == slow(nodes, in, asked, true, false) &&
		     map_past(&map, asked->key) == slow(nodes, in, asked, false, true) &&
		     map_find(&map, asked->key, asked->number) == (is_in ? asked : NULL);
	}
	OK(ok, "a map finds what it should");
	size_t count = 0;
	size_t expected = 0;
	const struct map_node *last = NULL;
	for (struct map_node *n = map_from(&map, S(""), 0); n; n = map_next(n)) {
		ok = (!last || order(last, n) < 0) && ok;
		last = n;
		count++;
	}
	for (size_t i = 0; i < NODES; i++)
		expected += in[i];
	OK(ok && count == expected && count > 0, "and is walked through in order");
}

int main(void)
{
	conformance();
	a_full_store();
	readers_count();
	maps();
	return tap_done();
}
