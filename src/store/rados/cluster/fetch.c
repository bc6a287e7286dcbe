/* SPDX-License-Identifier: Apache-2.0 */
#include "store/rados/cluster/fetch.h"

#include <errno.h>

#include "store/rados/cluster/cluster_internal.h"

/* What has been asked for with one call. */
struct asked {
	bool by_keys;
	struct slice *keys; /* the slices are ours, what they point to is not; by_keys */
	size_t key_count;
	char *after; /* otherwise */
	char *prefix;
	uint64_t max;

	void *iterator; /* librados's, which owns the rows */
	unsigned char more;
	int failed;
	struct row *list;
	struct rows rows;
};

struct fetch {
	const struct librados *api; /* once it has been run */
	bool starved;
	struct asked *asked;
	size_t count;
	size_t size;
};

struct fetch *fetch_new(void)
{
	return calloc(1, sizeof(struct fetch));
}

void fetch_free(struct fetch *fetch)
{
	if (!fetch)
		return;
	for (size_t i = 0; i < fetch->count; i++) {
		struct asked *asked = &fetch->asked[i];
		if (asked->iterator)
			fetch->api->omap_get_end(asked->iterator);
		free(asked->keys);
		free(asked->after);
		free(asked->prefix);
		free(asked->list);
	}
	free(fetch->asked);
	free(fetch);
}

/* Room for what is asked; without memory one that is not looked at. */
static struct asked *add(struct fetch *fetch)
{
	if (fetch->count == fetch->size) {
		size_t size = fetch->size ? 2 * fetch->size : 8;
		struct asked *asked = reallocarray(fetch->asked, size, sizeof(*asked));
		if (!asked) {
			fetch->starved = true;
			return NULL;
		}
		fetch->asked = asked;
		fetch->size = size;
	}
	struct asked *asked = &fetch->asked[fetch->count++];
	*asked = (struct asked){.by_keys = false};
	return asked;
}

size_t fetch_keys(struct fetch *fetch, const struct slice *keys, size_t count)
{
	struct asked *asked = add(fetch);
	if (!asked)
		return 0;
	asked->by_keys = true;
	asked->keys = reallocarray(NULL, count + 1, sizeof(*keys));
	fetch->starved = fetch->starved || !asked->keys;
	for (size_t i = 0; asked->keys && i < count; i++)
		asked->keys[i] = keys[i];
	asked->key_count = count;
	return fetch->count - 1;
}

size_t fetch_range(struct fetch *fetch, const char *after, const char *prefix, uint64_t max)
{
	struct asked *asked = add(fetch);
	if (!asked)
		return 0;
	asked->after = strdup(after);
	asked->prefix = strdup(prefix);
	asked->max = max;
	fetch->starved = fetch->starved || !asked->after || !asked->prefix;
	return fetch->count - 1;
}

static int ask_keys(const struct librados *api, void *op, struct asked *asked)
{
	const char **keys = reallocarray(NULL, asked->key_count + 1, sizeof(*keys));
	size_t *lens = reallocarray(NULL, asked->key_count + 1, sizeof(*lens));
	bool ok = keys && lens;
	for (size_t i = 0; ok && i < asked->key_count; i++) {
		keys[i] = asked->keys[i].ptr;
		lens[i] = asked->keys[i].len;
	}
	if (ok)
		api->read_op_omap_get_vals_by_keys2(
			op, keys, asked->key_count, lens, &asked->iterator, &asked->failed);
	free(keys);
	free(lens);
	return ok ? 0 : -ENOMEM;
}

static int ask(struct fetch *fetch, void *op)
{
	int result = 0;
	for (size_t i = 0; i < fetch->count && result == 0; i++) {
		struct asked *asked = &fetch->asked[i];
		if (asked->by_keys)
			result = ask_keys(fetch->api, op, asked);
		else
			fetch->api->read_op_omap_get_vals2(op, asked->after, asked->prefix,
				asked->max, &asked->iterator, &asked->more, &asked->failed);
	}
	return result;
}

/* Makes a list of what has come. */
static int collect(const struct librados *api, struct asked *asked)
{
	size_t size = 0;
	struct row row;
	char *key;
	char *value;
	while (api->omap_get_next2(asked->iterator, &key, &value, &row.key.len, &row.value.len) ==
			0 &&
		key) {
		if (asked->rows.count == size) {
			size = size ? 2 * size : 16;
			struct row *list = reallocarray(asked->list, size, sizeof(*list));
			if (!list)
				return -ENOMEM;
			asked->list = list;
		}
		row.key.ptr = key;
		row.value.ptr = value;
		asked->list[asked->rows.count++] = row;
	}
	asked->rows.rows = asked->list;
	asked->rows.more = asked->more != 0;
	return 0;
}

int fetch_run(struct fetch *fetch, struct pool *pool, const char *object)
{
	if (fetch->starved)
		return -ENOMEM;
	fetch->api = pool->api;
	void *op = pool->api->create_read_op();
	int64_t begin_us = counting_begin();
	int result = ask(fetch, op);
	if (result == 0) {
		result = pool->api->read_op_operate(op, pool->io, object, 0);
		counting_end(pool, CLUSTER_READ_ROWS, begin_us, result);
	}
	pool->api->release_read_op(op);
	for (size_t i = 0; i < fetch->count && result == 0; i++) {
		result = fetch->asked[i].failed;
		if (result == 0)
			result = collect(pool->api, &fetch->asked[i]);
	}
	return result;
}

const struct rows *fetch_rows(const struct fetch *fetch, size_t number)
{
	return &fetch->asked[number].rows;
}

size_t fetch_bytes(const struct fetch *fetch)
{
	size_t bytes = 0;
	for (size_t i = 0; i < fetch->count; i++) {
		const struct rows *rows = &fetch->asked[i].rows;
		for (size_t j = 0; j < rows->count; j++)
			bytes += sizeof(struct row) + rows->rows[j].key.len +
				 rows->rows[j].value.len;
	}
	return bytes;
}

struct slice fetched_value(const struct rows *rows, struct slice key)
{
	size_t low = 0;
	size_t high = rows->count;
	while (low < high) {
		size_t middle = (low + high) / 2;
		if (slice_cmp(rows->rows[middle].key, key) < 0)
			low = middle + 1;
		else
			high = middle;
	}
	return low < rows->count && slice_eq(rows->rows[low].key, key) ? rows->rows[low].value
								       : S("");
}
