/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Keys of the rows of a tablet. They are ordered as what they name, and have no NUL in them,
 *because librados takes the beginning of a range as a C string:
 *
 *	kind  key  [end]  [number]  [part]
 *
 * `kind` is a letter (docs/on-rados.md). In the key 00, 01, FE and FF become 01 02, 01 03, FE 01
 *and FE 02. The end mark, 01 01, sorts below whatever else may follow; FF behind it all. A number
 *is ten bytes of 0x80 and seven bits each, a part three such bytes.
 *
 * Values and pure functions.
 */
#ifndef STORE_RADOS_ROWS_KEY_H
#define STORE_RADOS_ROWS_KEY_H

#include <stdbool.h>
#include <stdint.h>

#include "base/compiler.h"
#include "base/limits.h"
#include "base/slice.h"

enum {
	ROW_NUMBER_BYTES = 10,
	ROW_PART_BYTES = 3,
	ROW_PART_MAX = (0x7f << 14) - 1, /* so that none begins with FF */
	ROW_KEY_BYTES_MAX = 1 + 2 * LIMIT_KEY_BYTES + 2 + ROW_NUMBER_BYTES + ROW_PART_BYTES + 1,
};

struct row_key {
	size_t len;
	char bytes[ROW_KEY_BYTES_MAX + 1]; /* with a NUL behind them */
};

/* What rows are of a kind, and those that there is one of. */
#define ROW_EPOCH "E"
#define ROW_HEAD "H"
#define ROW_OBJECT 'o'  /* entry of the current object */
#define ROW_HIDDEN 'h'  /* what there is among older versions */
#define ROW_VERSION 'v' /* entry of an older version, or a marker */
#define ROW_BYTES 'd'   /* bytes of a version */
#define ROW_EXTENTS 'e' /* where its bytes are */
#define ROW_UPLOAD 'u'  /* entry of an upload */
#define ROW_PART 'x'    /* part of an upload */
#define ROW_GARBAGE 'z' /* extents that nothing refers to */
#define ROW_OWN 'g'     /* what the changes of an instance come to */
/* A tablet that has to go: it has become part of this one, or was split off in vain. */
#define ROW_MERGED 'm'

static inline struct slice row_key_slice(const struct row_key *key)
{
	return slice_of(key->bytes, key->len);
}

/* The row of a key, or what rows of all keys that begin with it begin with. The key is valid. */
struct row_key row_key_of(char kind, struct slice key);
/* The same with the end mark: what all rows of that key begin with, if they have a number. */
struct row_key row_key_all_of(char kind, struct slice key);
/* Of a version: newer ones come first. */
struct row_key row_key_version(char kind, struct slice key, uint64_t version);
struct row_key row_key_upload(struct slice key, uint64_t upload);
/* All parts of an upload, and one. */
struct row_key row_key_parts(struct slice key, uint64_t upload);
struct row_key row_key_part(struct slice key, uint64_t upload, uint32_t part);
/* Of an instance, of a tablet, and of garbage. */
struct row_key row_key_number(char kind, uint64_t number);
#define GARBAGE_NEW 0 /* the epoch of garbage to which no collector has given one */
struct row_key row_key_garbage(uint64_t epoch, uint64_t revision);
/* Parse those. */
bool row_key_parse_number(struct slice row, char kind, uint64_t *ret) MUST_USE;
bool row_key_parse_garbage(struct slice row, uint64_t *ret_epoch, uint64_t *ret_revision) MUST_USE;
/* Takes a row's key as it is, to go on behind it. False if no row has such a long one. */
bool row_key_take(struct slice row, struct row_key *ret) MUST_USE;
/* Behind all that begins with `key`. */
struct row_key row_key_past(const struct row_key *key);

/* What a row's key names. */
struct row_name {
	char key[LIMIT_KEY_BYTES];
	size_t key_len;
	uint64_t number; /* of the version or the upload; 0 without one */
	uint32_t part;
};

static inline struct slice row_name_key(const struct row_name *name)
{
	return slice_of(name->key, name->key_len);
}

/* Parses the key of a row of kind o, h, v, d, e, u or x. False if it is none. */
bool row_key_parse(struct slice row, struct row_name *ret) MUST_USE;

#endif
