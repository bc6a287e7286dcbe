/* SPDX-License-Identifier: Apache-2.0 */
#include "store/local/index/key.h"

#include "store/local/disk/bytes.h"

void key_append(struct key *key, struct slice bytes)
{
	size_t room = sizeof(key->bytes) - key->len;
	size_t len = bytes.len < room ? bytes.len : room;
	if (len)
		memcpy(key->bytes + key->len, bytes.ptr, len);
	key->len += len;
}

static void append_number(struct key *key, uint64_t number)
{
	char bytes[8];
	be64_put(bytes, number);
	key_append(key, slice_of(bytes, sizeof(bytes)));
}

void key_kind(struct key *ret, enum key_kind kind)
{
	ret->bytes[0] = (char)kind;
	ret->len = 1;
}

void key_number(struct key *ret, enum key_kind kind, uint64_t number)
{
	key_kind(ret, kind);
	append_number(ret, number);
}

void key_bucket(struct key *ret, struct slice name)
{
	key_kind(ret, KEY_BUCKET);
	key_append(ret, slice_head(name, LIMIT_KEY_BYTES));
}

/* A kind, a bucket and an object's key. */
static void begin(struct key *ret, enum key_kind kind, uint64_t bucket_id, struct slice key)
{
	key_number(ret, kind, bucket_id);
	key_append(ret, slice_head(key, LIMIT_KEY_BYTES));
}

void key_object(struct key *ret, uint64_t bucket_id, struct slice key)
{
	begin(ret, KEY_OBJECT, bucket_id, key);
}

void key_null(struct key *ret, uint64_t bucket_id, struct slice key)
{
	begin(ret, KEY_NULL, bucket_id, key);
}

void key_versions(struct key *ret, uint64_t bucket_id, struct slice key)
{
	begin(ret, KEY_VERSION, bucket_id, key);
	ret->bytes[ret->len++] = '\0';
}

void key_version(struct key *ret, uint64_t bucket_id, struct slice key, uint64_t version)
{
	key_versions(ret, bucket_id, key);
	append_number(ret, ~version);
}

void key_upload(struct key *ret, uint64_t bucket_id, struct slice key, uint64_t upload)
{
	begin(ret, KEY_MULTIPART, bucket_id, key);
	ret->bytes[ret->len++] = '\0';
	append_number(ret, upload);
}

void key_part(struct key *ret, uint64_t set, uint64_t number)
{
	key_number(ret, KEY_PART, set);
	append_number(ret, number);
}

void key_ended(struct key *ret, uint64_t segment, uint64_t label)
{
	key_number(ret, KEY_ENDED, segment);
	append_number(ret, label);
}

bool key_split_upload(struct slice rest, struct slice *ret_key, uint64_t *ret_upload)
{
	if (rest.len < 10 || rest.ptr[rest.len - 9] != '\0')
		return false;
	*ret_key = slice_head(rest, rest.len - 9);
	*ret_upload = be64_get(rest.ptr + rest.len - 8);
	return true;
}

bool key_split_version(struct slice rest, struct slice *ret_key, uint64_t *ret_version)
{
	uint64_t number;
	if (!key_split_upload(rest, ret_key, &number))
		return false;
	*ret_version = ~number;
	return true;
}

void key_past(struct key *key)
{
	while (key->len > 1 && (unsigned char)key->bytes[key->len - 1] == 0xff)
		key->len--;
	key->bytes[key->len - 1] = (char)((unsigned char)key->bytes[key->len - 1] + 1);
}
