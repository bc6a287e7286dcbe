/* SPDX-License-Identifier: Apache-2.0 */
/* All keys of a bucket in their order, each with what is known of its versions. For one thread. */
#ifndef COPY_KEYS_H
#define COPY_KEYS_H

#include "base/waiter.h"
#include "store/store.h"

/* A version or a delete marker, without its texts. */
struct version_row {
	uint64_t version;
	uint64_t size;
	uint64_t crc64;
	int64_t modified_ms;
	uint64_t texts; /* CRC-64 of headers and tags */
	uint32_t parts;
	unsigned char md5[16];
	unsigned char acl;  /* enum store_acl */
	unsigned char type; /* enum store_type */
	bool is_null;
	bool is_marker;
};

struct version_rows {
	struct version_row *rows; /* newest first; on the heap */
	size_t count;
	size_t size;
};

struct keys {
	/* The key at which it is, until keys_next(). Whoever wants the rows may take them. */
	bool there;
	char key[LIMIT_KEY_BYTES];
	size_t key_len;
	struct version_rows versions;

	/* Private. */
	struct store *store;
	struct waiter waiter;
	struct store_list list; /* a page, if it is open */
	bool is_open;
	uint32_t at;
	char marker[LIMIT_KEY_BYTES];
};

static inline struct slice keys_key(const struct keys *keys)
{
	return slice_of(keys->key, keys->key_len);
}

void keys_begin(struct keys *keys, struct store *store, uint64_t bucket_id);
/* Goes on to the first, or the next, key. keys->there is false at the end, and after an error. */
enum err keys_next(struct keys *keys) MUST_USE;
void keys_end(struct keys *keys);

/* In which way two versions of one number differ, for a finding; NULL if they do not. */
const char *version_rows_differ(const struct version_row *a, const struct version_row *b);

#endif
