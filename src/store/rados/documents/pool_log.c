/* SPDX-License-Identifier: Apache-2.0 */
#include "store/rados/documents/pool_log.h"

#include <assert.h>
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "store/rados/cluster/edit.h"
#include "store/rados/cluster/fetch.h"

/*
 * Rows of a ring: `s` and the number of a place (4 hexadecimal digits): the id that is there (16);
 * `r` and an id: its entry.
 */
#define PLACE_ROW 's'
#define ENTRY_ROW 'r'

enum {
	RINGS = 16,
	PLACE_DIGITS = 4,
	ID_DIGITS = 16,
	ATTEMPTS_MAX = 20, /* if another gateway has the same ring */
	NAME_BYTES = 64,
};

struct pool_log {
	struct shared_log base;
	struct pool_log_options options;
	bool knows;    /* what is in its ring */
	int64_t ids[]; /* of its places; 0: nothing */
};

struct key {
	char bytes[1 + ID_DIGITS + 1];
};

static struct pool_log *of(struct shared_log *log)
{
	return CONTAINER_OF(log, struct pool_log, base);
}

static const char *name_of(const struct pool_log *log, unsigned ring, char ret[NAME_BYTES])
{
	(void)snprintf(ret, NAME_BYTES, "%s.%x", log->options.name, ring % RINGS);
	return ret;
}

static struct key entry_key(int64_t id)
{
	struct key key;
	(void)snprintf(key.bytes, sizeof(key.bytes), "%c%016" PRIx64, ENTRY_ROW, (uint64_t)id);
	return key;
}

static struct key place_key(size_t place)
{
	struct key key;
	(void)snprintf(key.bytes, sizeof(key.bytes), "%c%04zx", PLACE_ROW, place);
	return key;
}

/* Without its letter; what is none is 0. */
static int64_t parse(struct slice digits)
{
	char text[ID_DIGITS + 1] = "";
	if (digits.len == 0 || digits.len > ID_DIGITS)
		return 0;
	memcpy(text, digits.ptr, digits.len);
	return (int64_t)strtoull(text, NULL, 16);
}

/* ---- A ring ---------------------------------------------------------------------------------- */

/* The ids of a ring by their places, for which there is room. 0 or -errno. */
static int read_ring(struct pool_log *log, unsigned ring, int64_t *ret)
{
	static const char prefix[] = {PLACE_ROW, '\0'};
	char name[NAME_BYTES];
	struct fetch *fetch = fetch_new();
	if (!fetch)
		return -ENOMEM;
	memset(ret, 0, log->options.entries * sizeof(*ret));
	size_t number = fetch_range(fetch, "", prefix, FETCH_ROWS_MAX);
	int result = fetch_run(fetch, log->options.pool, name_of(log, ring, name));
	const struct rows *rows = result == 0 ? fetch_rows(fetch, number) : NULL;
	for (size_t i = 0; rows && i < rows->count; i++) {
		int64_t place = parse(slice_from(rows->rows[i].key, 1));
		if (place >= 0 && (size_t)place < log->options.entries)
			ret[place] = parse(rows->rows[i].value);
	}
	fetch_free(fetch);
	/* Nobody has written to it yet. */
	return result == -ENOENT ? 0 : result;
}

/* ---- Adding ---------------------------------------------------------------------------------- */

/* The place of the oldest, or an empty one. */
static size_t oldest(const struct pool_log *log)
{
	size_t place = 0;
	for (size_t i = 1; i < log->options.entries; i++)
		if (log->ids[i] < log->ids[place])
			place = i;
	return place;
}

static void digits_of(int64_t id, char ret[ID_DIGITS + 1])
{
	(void)snprintf(ret, ID_DIGITS + 1, "%016" PRIx64, (uint64_t)id);
}

static int put(struct pool_log *log, size_t place, int64_t id, struct slice bytes)
{
	char name[NAME_BYTES];
	char was[ID_DIGITS + 1] = "";
	char is[ID_DIGITS + 1];
	int64_t gone = log->ids[place];
	struct key at = place_key(place);
	struct key entry = entry_key(id);
	struct key old = entry_key(gone);
	struct edit edit = edit_begin(log->options.pool);
	if (gone)
		digits_of(gone, was);
	digits_of(id, is);
	edit_ensure(&edit);
	edit_compare(&edit, slice_str(at.bytes), slice_str(was));
	edit_set(&edit, slice_str(at.bytes), slice_str(is));
	edit_set(&edit, slice_str(entry.bytes), bytes);
	if (gone)
		edit_remove(&edit, slice_str(old.bytes));
	int result = edit_run(&edit, name_of(log, (unsigned)(log->options.gateway % RINGS), name));
	if (result == 0)
		log->ids[place] = id;
	return result;
}

static enum err add(struct shared_log *base, int64_t id, struct slice bytes)
{
	struct pool_log *log = of(base);
	int result = -ECANCELED;
	for (unsigned i = 0; result == -ECANCELED && i < ATTEMPTS_MAX; i++) {
		result = log->knows ? 0
				    : read_ring(log, (unsigned)(log->options.gateway % RINGS),
					      log->ids);
		if (result == 0)
			result = put(log, oldest(log), id, bytes);
		/* Otherwise somebody else has written, or nobody knows what became of it. */
		log->knows = result == 0;
	}
	return cluster_err(result, "adding to", log->options.name);
}

/* ---- Reading --------------------------------------------------------------------------------- */

struct found {
	int64_t id;
	unsigned ring;
};

/* Of all rings. */
struct reading {
	struct pool_log *log;
	struct found *list;
	size_t count;
	int64_t *ids; /* of one ring */
	struct fetch *fetches[RINGS];
	size_t numbers[RINGS];
};

static int compare_newest(const void *a, const void *b)
{
	const struct found *one = a;
	const struct found *other = b;
	return one->id < other->id ? 1 : one->id > other->id ? -1 : 0;
}

static int find(struct reading *reading, int64_t before)
{
	size_t entries = reading->log->options.entries;
	int result = 0;
	for (unsigned ring = 0; ring < RINGS && result == 0; ring++) {
		result = read_ring(reading->log, ring, reading->ids);
		for (size_t i = 0; i < entries && result == 0; i++)
			if (reading->ids[i] > 0 && reading->ids[i] < before)
				reading->list[reading->count++] =
					(struct found){reading->ids[i], ring};
	}
	if (reading->count)
		qsort(reading->list, reading->count, sizeof(*reading->list), compare_newest);
	return result;
}

/* Reads the first `count` that were found, those of each ring together. */
static int read_entries(struct reading *reading, size_t count)
{
	struct key *keys = reallocarray(NULL, count + 1, sizeof(*keys));
	struct slice *slices = reallocarray(NULL, count + 1, sizeof(*slices));
	int result = keys && slices ? 0 : -ENOMEM;
	for (unsigned ring = 0; ring < RINGS && result == 0; ring++) {
		char name[NAME_BYTES];
		size_t wanted = 0;
		for (size_t i = 0; i < count; i++)
			if (reading->list[i].ring == ring) {
				keys[wanted] = entry_key(reading->list[i].id);
				slices[wanted] = slice_str(keys[wanted].bytes);
				wanted++;
			}
		if (wanted == 0)
			continue;
		struct fetch *fetch = reading->fetches[ring] = fetch_new();
		if (!fetch) {
			result = -ENOMEM;
			break;
		}
		reading->numbers[ring] = fetch_keys(fetch, slices, wanted);
		result = fetch_run(
			fetch, reading->log->options.pool, name_of(reading->log, ring, name));
	}
	free(keys);
	free(slices);
	return result;
}

static void hand_over(
	const struct reading *reading, size_t count, const struct shared_log_query *query)
{
	for (size_t i = 0; i < count; i++) {
		const struct found *found = &reading->list[i];
		struct key key = entry_key(found->id);
		struct slice bytes = fetched_value(
			fetch_rows(reading->fetches[found->ring], reading->numbers[found->ring]),
			slice_str(key.bytes));
		/* One that is not there has just been removed. */
		if (bytes.len && !query->take(query->ctx, found->id, bytes))
			return;
	}
}

static enum err read_log(struct shared_log *base, struct shared_log_query *query)
{
	struct pool_log *log = of(base);
	size_t entries = log->options.entries;
	struct reading reading = {.log = log,
		.list = reallocarray(NULL, RINGS * entries, sizeof(*reading.list)),
		.ids = reallocarray(NULL, entries, sizeof(*reading.ids))};
	int result = reading.list && reading.ids ? find(&reading, query->before) : -ENOMEM;
	size_t count = reading.count < query->limit ? reading.count : query->limit;
	query->more = reading.count > count;
	if (result == 0)
		result = read_entries(&reading, count);
	if (result == 0)
		hand_over(&reading, count, query);
	for (unsigned ring = 0; ring < RINGS; ring++)
		fetch_free(reading.fetches[ring]);
	free(reading.list);
	free(reading.ids);
	return cluster_err(result, "reading", log->options.name);
}

/* ---------------------------------------------------------------------------------------------- */

static int64_t next_id(struct shared_log *base)
{
	const struct pool_log *log = of(base);
	return log->options.next_id(log->options.ctx);
}

static void close_log(struct shared_log *base)
{
	free(of(base));
}

enum err log_in_pool(const struct pool_log_options *options, struct shared_log **ret)
{
	assert(options->entries <= FETCH_ROWS_MAX);
	struct pool_log *log = calloc(1, sizeof(*log) + options->entries * sizeof(int64_t));
	if (!log)
		return ERR_UNAVAILABLE;
	log->base = (struct shared_log){
		.next_id = next_id, .add = add, .read = read_log, .close = close_log};
	log->options = *options;
	*ret = &log->base;
	return ERR_OK;
}
