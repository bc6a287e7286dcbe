/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The records of the log: encoding, and a parser that trusts no input. docs/on-disk.md has the
 * format. A record is a header, a name (an object's key or a bucket's name), meta data, and the
 * bytes of a small object; zeros fill it up to a multiple of RECORD_ALIGN.
 */
#ifndef STORE_LOCAL_WAL_RECORD_H
#define STORE_LOCAL_WAL_RECORD_H

#include <stddef.h>
#include <stdint.h>

#include "base/limits.h"
#include "base/slice.h"
#include "store/store.h"

enum {
	RECORD_ALIGN = 8,
	RECORD_HEADER_BYTES = 48,
	RECORD_NAME_MAX = LIMIT_KEY_BYTES,
	OBJECT_META_BYTES = 112, /* without headers and tags */
	OBJECT_ENDED_MAX = 2,
	ENDED_BYTES = 24, /* the data of RECORD_ENDED */
	OBJECT_HEADERS_MAX = 32 << 10,
	OBJECT_TAGS_MAX = 48 << 10,
	OBJECT_META_MAX = OBJECT_META_BYTES + OBJECT_HEADERS_MAX + OBJECT_TAGS_MAX,
	BUCKET_SETTING_MAX = (int)LIMIT_SETTING_BYTES,
	BUCKET_META_BYTES = 32 + 4 * STORE_SETTING_COUNT, /* without the settings' bytes */
	BUCKET_META_MAX = BUCKET_META_BYTES + STORE_SETTING_COUNT * BUCKET_SETTING_MAX,
	RECORD_META_MAX = BUCKET_META_MAX > OBJECT_META_MAX ? BUCKET_META_MAX : OBJECT_META_MAX,
	RECORD_DATA_MAX = 1 << 20, /* LIMIT_INLINE_BYTES has been as much */
	RECORD_MAX = RECORD_HEADER_BYTES + RECORD_NAME_MAX + RECORD_META_MAX + RECORD_DATA_MAX +
		     RECORD_ALIGN,
};

/* Those about objects have an object's meta data if nothing else is said. */
enum record_kind {
	RECORD_BUCKET = 1,        /* a bucket as it is from now on */
	RECORD_BUCKET_DELETE = 2, /* no meta, no data */
	RECORD_OBJECT = 3,        /* an object as it is from now on */
	RECORD_OBJECT_DELETE = 4, /* no meta, no data: the current one, which is not kept */
	RECORD_MOVE = 5,          /* a version or a part is read from here from now on */
	/* What is known of a version or a part; data: location_write() of the record it is read
	 * from. */
	RECORD_METADATA = 6,
	RECORD_MARKER = 7,         /* a delete marker */
	RECORD_VERSION_DELETE = 8, /* the version that the meta data names */
	RECORD_MULTIPART = 9,      /* an upload begins; its number is the meta's version */
	RECORD_MULTIPART_ABORT = 10,
	RECORD_PART = 11, /* of the upload that is the meta's version */
	RECORD_COMPLETE =
		12,         /* the object; data: numbers of parts that are dropped, 4 bytes each */
	RECORD_APPEND = 13, /* a piece that is appended; headers if it is the first */
	RECORD_ENDED = 14,  /* no meta; data: struct ended_record */
};

struct record {
	enum record_kind kind;
	uint64_t sequence; /* one more than the record before it */
	uint64_t batch;    /* the sequence of the first record of its group commit */
	uint64_t bucket_id;
	struct slice name;
	struct slice meta;
	struct slice data;
	size_t total; /* bytes with header and padding */
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
enum record_kind record_head_kind(const unsigned char *head);
/*
 * Completes a header; `head` is followed by name and meta. The checksum begins with the segment's
 * secret salt, so no stored bytes can pass for a record.
 */
void record_seal(
	unsigned char *head, uint64_t salt, uint64_t sequence, uint64_t batch, struct slice data);

/*
 * The record at the front of `bytes`, its checksum verified; the slices of *ret point into it.
 * The meta data is only framed here: object_meta_parse() and bucket_meta_parse() read it.
 */
enum record_result record_parse(struct slice bytes, uint64_t salt, struct record *ret) MUST_USE;
/* The same, but the checksum is not compared. */
enum record_result record_split(struct slice bytes, struct record *ret) MUST_USE;
/*
 * Where in `bytes`, in steps of RECORD_ALIGN, a header may begin: its first four bytes are a
 * record's. Otherwise the first place with less than RECORD_HEADER_BYTES behind it.
 */
size_t record_find_head(struct slice bytes);
/* Whether the first four of RECORD_HEADER_BYTES are a record's, but for one bit at most. */
bool record_may_begin(const char *bytes);
/* The exclusive or of the checksum that a record has and the one that it says. */
uint64_t record_difference(struct slice bytes, uint64_t salt, const struct record *record);

/* ---- Meta data of an object ----------------------------------------------------------------- */

enum object_place {
	OBJECT_INLINE = 1,    /* its bytes are the record's data */
	OBJECT_FILE = 2,      /* they are a file of their own */
	OBJECT_PART_LIST = 3, /* they are those of a part list, in order of their numbers */
	OBJECT_NONE = 4,      /* a delete marker or an upload: there are none */
};

/* What becomes of the object that was there. */
enum object_mode {
	OBJECT_REPLACES,      /* nothing: versions were never kept in the bucket */
	OBJECT_KEEPS,         /* it becomes an older version */
	OBJECT_REPLACES_NULL, /* the same, but the version "null", current or not, goes */
};

/*
 * A version or an upload that a record ends: `number` is the sequence of the record that made it,
 * `segment` the segment that it is read from. Once that segment is gone, nothing could bring it
 * back.
 */
struct ended {
	uint64_t number; /* 0: nothing */
	uint64_t segment;
};

struct location;

/*
 * An object of format 1 has version 0. Instead of that the offset of its record is taken, which no
 * other object in the segment has.
 */
struct ended ended_entry(uint64_t version, const struct location *where);
/* The version again. */
uint64_t ended_version(const struct ended *ended);
/*
 * What the index knows it by. Numbers that were kept of another store are below that of their
 * bucket, and several keys may have the same: of these it is made of bucket and key as well.
 */
uint64_t ended_label(const struct ended *ended, uint64_t bucket_id, struct slice key);

struct object_meta {
	enum object_place place;
	enum object_mode mode;
	uint64_t file;   /* the number of the file, or of the part list */
	bool has_sums;   /* of OBJECT_FILE: the file has sums of its blocks (sums.h) */
	bool is_part;    /* of a part list, also of that of an appendable object */
	uint64_t number; /* of a part: its number, or where in the object it begins */
	struct ended ended[OBJECT_ENDED_MAX];
	struct store_object object;
};

/*
 * Into OBJECT_META_BYTES at `to`; object.headers and then object.tags must follow there. Of a part
 * object.version is the number of its part list.
 */
void object_meta_write(unsigned char *to, const struct object_meta *meta);
/* Changes what is only known when the record gets its place in the log. */
void object_meta_set_version(
	unsigned char *meta, uint64_t version, bool is_null, enum object_mode mode);
/* This too is only known then: which version or upload the record ends. */
void object_meta_set_ended(unsigned char *meta, const struct ended *ended);
/* How long the meta data at the front of `bytes` is with headers and tags; 0 if it is none. */
size_t object_meta_len(struct slice bytes);
/* False if it is not well-formed. The headers and tags point into `bytes`. */
bool object_meta_parse(struct slice bytes, struct object_meta *ret) MUST_USE;

/* Headers and tags behind the OBJECT_META_BYTES of `meta`. */
void object_meta_write_text(unsigned char *meta, const struct store_object *object);

/* ---- What was ended earlier ------------------------------------------------------------------ */

/*
 * RECORD_ENDED: the collector writes it when it removes a record that ended something, as long as
 * that something could come back. For a bucket `what.segment` is 0: its records may be in any
 * segment, up to the record that ended it.
 */
struct ended_record {
	struct ended what;
	uint64_t until; /* the sequence of the record that ended it */
};

void ended_write(unsigned char *to, const struct ended_record *ended);
/* False if it has another length. */
bool ended_parse(struct slice data, struct ended_record *ret) MUST_USE;

/* Whether it brings the bytes of an object or a part, or names the file that has them. */
bool record_brings_bytes(const struct record *record) MUST_USE;

/* ---- Meta data of a bucket ------------------------------------------------------------------ */

/* Bytes that bucket_meta_write() will write. */
size_t bucket_meta_size(const struct store_bucket *bucket);
void bucket_meta_write(unsigned char *to, const struct store_bucket *bucket);
/* False if it is not well-formed. The settings point into `bytes`; ret->name is left alone. */
bool bucket_meta_parse(struct slice bytes, struct store_bucket *ret) MUST_USE;

#endif
