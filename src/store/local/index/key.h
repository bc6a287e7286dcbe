/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The keys of the index. The first byte is the kind of a key; numbers are big-endian, so that they
 * sort. A NUL separates an object's key, which has none, from what follows, so that everything of
 * one key is adjacent and keys keep their order. docs/on-disk.md has a table.
 */
#ifndef STORE_LOCAL_INDEX_KEY_H
#define STORE_LOCAL_INDEX_KEY_H

#include <stdint.h>

#include "base/limits.h"
#include "base/slice.h"

enum {
	KEY_NUMBER_BYTES = 9, /* a kind and a number */
	KEY_MAX = KEY_NUMBER_BYTES + LIMIT_KEY_BYTES + 1 + 8,
};

enum key_kind {
	KEY_BUCKET = 'b',
	KEY_COUNTS = 'c',         /* of a bucket */
	KEY_DEAD_PART_LIST = 'd', /* a part list that is to be removed */
	KEY_ENDED = 'e', /* where the record lies that says that a version or upload was ended */
	KEY_FILE = 'f',
	KEY_MOVED = 'g',  /* a segment from which something was moved */
	KEY_NULL = 'n',   /* the version "null" of an object, if it is not the current one */
	KEY_OBJECT = 'o', /* a current object */
	KEY_STATE = 'p',
	KEY_BUCKET_RECORD = 'r', /* where the record of a bucket is */
	KEY_SEGMENT = 's',
	KEY_TRASH = 't',
	KEY_MULTIPART = 'u',
	KEY_VERSION = 'v', /* an older version of an object, or a delete marker */
	KEY_PART = 'x',
};

struct key {
	size_t len;
	char bytes[KEY_MAX];
};

/* The kind alone, as the key of the state or the prefix of all its keys. */
void key_kind(struct key *ret, enum key_kind kind);
/* A kind and a number: files, segments, and the prefix of what belongs to a bucket or a part list.
 */
void key_number(struct key *ret, enum key_kind kind, uint64_t number);
void key_bucket(struct key *ret, struct slice name);
void key_object(struct key *ret, uint64_t bucket_id, struct slice key);
void key_null(struct key *ret, uint64_t bucket_id, struct slice key);
/* All older versions of a key: the prefix of their keys. */
void key_versions(struct key *ret, uint64_t bucket_id, struct slice key);
/* One of them; the newest sorts first. */
void key_version(struct key *ret, uint64_t bucket_id, struct slice key, uint64_t version);
void key_upload(struct key *ret, uint64_t bucket_id, struct slice key, uint64_t upload);
void key_part(struct key *ret, uint64_t list, uint64_t number);
/* That a version or upload, which was read from `segment`, was ended (ended_label()). */
void key_ended(struct key *ret, uint64_t segment, uint64_t label);

/*
 * Parses what follows the bucket's number in the key of a version or an upload. False if it is not
 * well-formed.
 */
bool key_split_version(struct slice rest, struct slice *ret_key, uint64_t *ret_version);
bool key_split_upload(struct slice rest, struct slice *ret_key, uint64_t *ret_upload);

/* The first string that is greater than all that begin with `key`. */
void key_past(struct key *key);
/* Adds `bytes`, cut off at the end of the longest key that there is. */
void key_append(struct key *key, struct slice bytes);

#endif
