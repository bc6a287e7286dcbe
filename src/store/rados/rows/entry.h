/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The value of a row that describes a version, a marker or an upload (docs/on-rados.md). Values and
 * pure functions. The parsers take whatever bytes: they come from the cluster.
 */
#ifndef STORE_RADOS_ROWS_ENTRY_H
#define STORE_RADOS_ROWS_ENTRY_H

#include "base/limits.h"
#include "base/strbuf.h"
#include "store/store.h"

/* Where the bytes of a version are. */
enum entry_place {
	ENTRY_NOWHERE, /* there are none */
	ENTRY_INLINE,  /* in the row ROW_BYTES */
	ENTRY_DATA,    /* in the data of one number */
	ENTRY_EXTENTS, /* in those that the row ROW_EXTENTS names */
	ENTRY_PLACES,
};

struct entry {
	/* Differs after any change: equal entries mean that nothing has changed. */
	uint64_t revision;
	struct store_object object; /* of an upload, `version` is its number */
	enum entry_place place;
	uint64_t data; /* the number, for ENTRY_DATA */
};

enum {
	ENTRY_HEADERS_BYTES_MAX = 32 << 10, /* as store.h says */
	ENTRY_TAGS_BYTES_MAX = 8 << 10,
	ENTRY_BYTES_MAX = 80 + ENTRY_HEADERS_BYTES_MAX + ENTRY_TAGS_BYTES_MAX,
};

void entry_write(const struct entry *entry, struct strbuf *out);
/* The slices of *ret point into `value`. */
bool entry_read(struct slice value, struct entry *ret) MUST_USE;

/* ---- Parts and extents ----------------------------------------------------------------------- */

/* A run of bytes: data of one number, all of it. */
struct extent {
	uint64_t data;
	uint64_t size; /* not 0 */
};

/* The value of a row ROW_PART. An empty part has no data. */
struct part_entry {
	struct store_part part; /* `number` is in the row's key */
	uint64_t data;          /* 0: none */
};

void part_format(const struct part_entry *part, struct strbuf *out);
bool part_parse(struct slice value, struct part_entry *ret) MUST_USE;

enum {
	EXTENT_BYTES = 16,
};

/* The value of a row ROW_EXTENTS or ROW_GARBAGE. Not empty. */
struct extents {
	struct slice bytes;
	size_t count;
};

void extents_add(struct strbuf *out, struct extent extent);
bool extents_parse(struct slice value, struct extents *ret) MUST_USE;
struct extent extents_at(const struct extents *extents, size_t i);

/* ---- Data ------------------------------------------------------------------------------------ */

/* Whose bytes data was to be: the attribute `of` of its first chunk. */
struct data_owner {
	uint64_t bucket;
	uint64_t upload; /* 0: they were not to be a part */
	uint32_t part;
	struct slice key; /* as long as a key may be */
};

enum {
	DATA_OWNER_BYTES_MAX = 24 + LIMIT_KEY_BYTES
};

void data_owner_format(const struct data_owner *owner, struct strbuf *out);
/* The key points into `value`. */
bool data_owner_parse(struct slice value, struct data_owner *ret) MUST_USE;

#endif
