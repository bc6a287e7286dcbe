/* SPDX-License-Identifier: Apache-2.0 */
/* Whether a store on Ceph has exactly the objects that its rows refer to. */
#ifndef TESTS_STORE_CEPH_CLEAN_H
#define TESTS_STORE_CEPH_CLEAN_H

#include "base/clock.h"
#include "store/rados/tablet/heads.h"
#include "unit/store/ceph.h"

enum {
	CLEAN_PATIENCE_MS = 240000 /* until all objects are what they are to be */
};

struct expected {
	struct rados *r;
	char **lines;
	size_t count;
	size_t garbage; /* rows of it */
};

static inline void expect(struct expected *e, const char *pool, const char *name)
{
	char **lines = reallocarray(e->lines, e->count + 1, sizeof(*lines));
	if (!lines || asprintf(&lines[e->count], "%s %s\n", pool, name) < 0)
		abort();
	e->lines = lines;
	e->count++;
}

static inline void expect_data(struct expected *e, uint64_t data, uint64_t size)
{
	char name[RADOS_NAME_BYTES];
	for (uint64_t i = 0; data && i * e->r->sizes.chunk_bytes < size; i++)
		expect(e, rados_pool_of(e->r, size) == e->r->small ? "small" : "data",
			rados_chunk_name(name, data, i));
}

static inline void expect_row(struct expected *e, const struct row *row)
{
	struct entry entry;
	struct part_entry part;
	struct extents extents;
	switch (row->key.ptr[0]) {
	case ROW_OBJECT:
	case ROW_VERSION:
		if (!entry_read(row->value, &entry))
			abort();
		expect_data(e, entry.data, entry.object.size);
		break;
	case ROW_PART:
		if (!part_parse(row->value, &part))
			abort();
		expect_data(e, part.data, part.part.size);
		break;
	case ROW_EXTENTS:
		if (!extents_parse(row->value, &extents))
			abort();
		for (size_t i = 0; i < extents.count; i++) {
			struct extent extent = extents_at(&extents, i);
			expect_data(e, extent.data, extent.size);
		}
		break;
	default:
		e->garbage++;
		break;
	}
}

static inline void expect_rows(struct expected *e, const char *tablet, char kind)
{
	const char prefix[] = {kind, '\0'};
	struct row_key after = {.len = 0};
	bool more = true;
	while (more) {
		struct fetch *fetch = fetch_new();
		size_t number = fetch_range(fetch, after.bytes, prefix, FETCH_ROWS_MAX);
		if (fetch_run(fetch, e->r->index, tablet) != 0)
			abort();
		const struct rows *rows = fetch_rows(fetch, number);
		for (size_t i = 0; i < rows->count; i++) {
			struct slice key = rows->rows[i].key;
			expect_row(e, &rows->rows[i]);
			memcpy(after.bytes, key.ptr, key.len);
			after.bytes[key.len] = '\0';
		}
		more = rows->more && rows->count;
		fetch_free(fetch);
	}
}

static inline void expect_bucket(const struct store_bucket *bucket, void *ctx)
{
	static const char kinds[] = {ROW_OBJECT, ROW_VERSION, ROW_PART, ROW_EXTENTS, ROW_GARBAGE};
	struct expected *e = ctx;
	char name[RADOS_NAME_BYTES];
	uint64_t tablet = 0;
	do {
		struct seen seen;
		rados_tablet_name(name, bucket->id, tablet);
		expect(e, "index", name);
		for (size_t i = 0; i < ARRAY_LEN(kinds); i++)
			expect_rows(e, name, kinds[i]);
		if (tablet_see(e->r, bucket->id, tablet, &seen) != ERR_OK)
			abort();
		tablet = seen.head.right;
		seen_release(&seen);
	} while (tablet);
}

/* Whether there are exactly the objects that rows refer to, and no garbage. */
static inline bool is_clean(struct ceph *ceph, struct store *s, const char *space)
{
	struct expected e = {.r = rados_of(s)};
	char *text = NULL;
	size_t size = 0;
	char *found = ceph_objects(ceph, space);
	expect(&e, "index", "buckets");
	expect(&e, "index", "gateways");
	store_bucket_each(s, expect_bucket, &e);
	qsort(e.lines, e.count, sizeof(*e.lines), ceph_compare_lines);
	FILE *to = open_memstream(&text, &size);
	for (size_t i = 0; i < e.count; i++) {
		(void)fputs(e.lines[i], to);
		free(e.lines[i]);
	}
	(void)fclose(to);
	free(e.lines);
	bool same = strcmp(text, found) == 0 && e.garbage == 0;
	free(text);
	free(found);
	return same;
}

static inline bool becomes_clean(struct ceph *ceph, struct store *s, const char *space)
{
	for (int64_t end = clock_monotonic_ms() + CLEAN_PATIENCE_MS; clock_monotonic_ms() < end;) {
		if (is_clean(ceph, s, space))
			return true;
		(void)usleep(10000);
	}
	return false;
}

#endif
