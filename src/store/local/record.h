/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The records of the log: encoding, and a parser that trusts no byte. docs/on-disk.md draws them.
 * A record is a header, a name (an object's key or a bucket's name), meta data, and the bytes of
 * a small object; zeros fill it up to a multiple of RECORD_ALIGN.
 */
#ifndef STORE_LOCAL_RECORD_H
#define STORE_LOCAL_RECORD_H

#include <stddef.h>
#include <stdint.h>

#include "base/limits.h"
#include "base/slice.h"
#include "store/store.h"

enum {
	RECORD_ALIGN = 8,
	RECORD_HEADER_BYTES = 48,
	RECORD_NAME_MAX = LIMIT_KEY_BYTES,
	OBJECT_META_BYTES = 56, /* without the headers */
	OBJECT_HEADERS_MAX = 32 << 10,
	BUCKET_SETTING_MAX = 64 << 10,
	BUCKET_META_BYTES = 32 + 4 * STORE_SETTING_COUNT, /* without the settings' bytes */
	BUCKET_META_MAX = BUCKET_META_BYTES + STORE_SETTING_COUNT * BUCKET_SETTING_MAX,
	RECORD_META_MAX = BUCKET_META_MAX > OBJECT_META_BYTES + OBJECT_HEADERS_MAX
				  ? BUCKET_META_MAX
				  : OBJECT_META_BYTES + OBJECT_HEADERS_MAX,
	RECORD_DATA_MAX = (int)LIMIT_INLINE_BYTES,
	RECORD_MAX = RECORD_HEADER_BYTES + RECORD_NAME_MAX + RECORD_META_MAX + RECORD_DATA_MAX +
		     RECORD_ALIGN,
};

enum record_kind {
	RECORD_BUCKET = 1,        /* a bucket as it is from now on */
	RECORD_BUCKET_DELETE = 2, /* no meta, no data */
	RECORD_OBJECT = 3,        /* an object as it is from now on */
	RECORD_OBJECT_DELETE = 4, /* no meta, no data */
};

struct record {
	enum record_kind kind;
	uint64_t sequence; /* one more than the record before it */
	uint64_t batch;    /* the sequence of the first record of its group commit */
	uint64_t bucket_id;
	struct slice name;
	struct slice meta;
	struct slice data;
	size_t total; /* bytes with header and filling */
};

enum record_result {
	RECORD_OK,
	RECORD_SHORT, /* may go on behind the end of what was given; record.total says how far */
	RECORD_BAD,   /* not a record */
};

static inline size_t record_total(size_t name, size_t meta, size_t data)
{
	size_t bytes = RECORD_HEADER_BYTES + name + meta + data;
	return (bytes + RECORD_ALIGN - 1) / RECORD_ALIGN * RECORD_ALIGN;
}

/*
 * Writes all of the header that is known before its place in the log is, into
 * RECORD_HEADER_BYTES at `head`; name and meta must follow there, the data may lie elsewhere.
 */
void record_head(unsigned char *head, enum record_kind kind, uint64_t bucket_id, size_t name,
	size_t meta, size_t data);
/*
 * Completes a header; `head` is followed by name and meta. The checksum begins with the salt of
 * the segment: nobody outside knows it, so no bytes that somebody stores can pass for a record.
 */
void record_seal(
	unsigned char *head, uint64_t salt, uint64_t sequence, uint64_t batch, struct slice data);

/*
 * The record at the front of `bytes`, its checksum verified; the slices of *ret point into it.
 * The meta data is only framed here: object_meta_parse() and bucket_meta_parse() read it.
 */
enum record_result record_parse(struct slice bytes, uint64_t salt, struct record *ret) MUST_USE;

/* ---- Meta data of an object ----------------------------------------------------------------- */

enum object_place {
	OBJECT_INLINE = 1, /* its bytes are the record's data */
	OBJECT_FILE = 2,   /* they are a file of their own */
};

struct object_meta {
	enum object_place place;
	uint64_t file; /* the number of the file, for OBJECT_FILE */
	struct store_object object;
};

/* Into OBJECT_META_BYTES at `to`; object.headers must follow there. */
void object_meta_write(unsigned char *to, const struct object_meta *meta);
/* False if it is not well-formed. `headers` points into `bytes`. */
bool object_meta_parse(struct slice bytes, struct object_meta *ret) MUST_USE;

/* ---- Meta data of a bucket ------------------------------------------------------------------ */

/* Bytes that bucket_meta_write() will write. */
size_t bucket_meta_size(const struct store_bucket *bucket);
void bucket_meta_write(unsigned char *to, const struct store_bucket *bucket);
/* False if it is not well-formed. The settings point into `bytes`; ret->name is left alone. */
bool bucket_meta_parse(struct slice bytes, struct store_bucket *ret) MUST_USE;

#endif
