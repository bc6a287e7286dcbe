/* SPDX-License-Identifier: Apache-2.0 */
#include "store/local/record.h"

#include <assert.h>

#include "crypto/crc64.h"
#include "store/local/bytes.h"

/* Where the fields of a header lie. */
enum {
	AT_MAGIC = 0,
	AT_KIND = 4,
	AT_NAME = 6,
	AT_META = 8,
	AT_DATA = 12,
	AT_SEQUENCE = 16,
	AT_BATCH = 24,
	AT_BUCKET = 32,
	AT_CRC = 40,
};

static const char magic[4] = {'P', 's', 'R', '1'};

void record_head(unsigned char *head, enum record_kind kind, uint64_t bucket_id, size_t name,
	size_t meta, size_t data)
{
	assert(name <= RECORD_NAME_MAX && meta <= RECORD_META_MAX && data <= RECORD_DATA_MAX);
	memset(head, 0, RECORD_HEADER_BYTES);
	memcpy(head + AT_MAGIC, magic, sizeof(magic));
	head[AT_KIND] = (unsigned char)kind;
	le16_put(head + AT_NAME, (uint16_t)name);
	le32_put(head + AT_META, (uint32_t)meta);
	le32_put(head + AT_DATA, (uint32_t)data);
	le64_put(head + AT_BUCKET, bucket_id);
}

/* The checksum of a record: all of it but the checksum's own field and the filling. */
static uint64_t checksum(
	const unsigned char *head, uint64_t salt, size_t name_and_meta, struct slice data)
{
	uint64_t crc = crc64_update(salt, slice_of(head, AT_CRC));
	crc = crc64_update(crc, slice_of(head + RECORD_HEADER_BYTES, name_and_meta));
	return crc64_update(crc, data);
}

void record_seal(
	unsigned char *head, uint64_t salt, uint64_t sequence, uint64_t batch, struct slice data)
{
	assert(data.len == le32_get(head + AT_DATA));
	le64_put(head + AT_SEQUENCE, sequence);
	le64_put(head + AT_BATCH, batch);
	size_t name_and_meta = (size_t)le16_get(head + AT_NAME) + le32_get(head + AT_META);
	le64_put(head + AT_CRC, checksum(head, salt, name_and_meta, data));
}

/* Whether the lengths are possible for the kind. */
static bool lengths_fit(unsigned kind, size_t name, size_t meta, size_t data)
{
	if (name == 0 || name > RECORD_NAME_MAX)
		return false;
	switch (kind) {
	case RECORD_BUCKET:
		return meta >= 32 && meta <= BUCKET_META_MAX && data == 0;
	case RECORD_OBJECT:
		return meta >= OBJECT_META_BYTES &&
		       meta <= OBJECT_META_BYTES + OBJECT_HEADERS_MAX && data <= RECORD_DATA_MAX;
	case RECORD_BUCKET_DELETE:
	case RECORD_OBJECT_DELETE:
		return meta == 0 && data == 0;
	default:
		return false;
	}
}

enum record_result record_parse(struct slice bytes, uint64_t salt, struct record *ret)
{
	if (bytes.len < RECORD_HEADER_BYTES) {
		ret->total = RECORD_HEADER_BYTES;
		return RECORD_SHORT;
	}
	const unsigned char *head = (const unsigned char *)bytes.ptr;
	size_t name = le16_get(head + AT_NAME);
	size_t meta = le32_get(head + AT_META);
	size_t data = le32_get(head + AT_DATA);
	if (memcmp(head + AT_MAGIC, magic, sizeof(magic)) != 0 || head[AT_KIND + 1] != 0 ||
		!lengths_fit(head[AT_KIND], name, meta, data))
		return RECORD_BAD;
	ret->total = record_total(name, meta, data);
	if (bytes.len < ret->total)
		return RECORD_SHORT;
	struct slice body = slice_from(bytes, RECORD_HEADER_BYTES);
	struct slice data_slice = slice_head(slice_from(body, name + meta), data);
	if (checksum(head, salt, name + meta, data_slice) != le64_get(head + AT_CRC))
		return RECORD_BAD;
	ret->kind = (enum record_kind)head[AT_KIND];
	ret->sequence = le64_get(head + AT_SEQUENCE);
	ret->batch = le64_get(head + AT_BATCH);
	ret->bucket_id = le64_get(head + AT_BUCKET);
	ret->name = slice_head(body, name);
	ret->meta = slice_head(slice_from(body, name), meta);
	ret->data = data_slice;
	return RECORD_OK;
}

/* ---- Meta data of an object ----------------------------------------------------------------- */

void object_meta_write(unsigned char *to, const struct object_meta *meta)
{
	const struct store_object *o = &meta->object;
	assert(o->headers.len <= OBJECT_HEADERS_MAX);
	memset(to, 0, OBJECT_META_BYTES);
	to[0] = (unsigned char)meta->place;
	to[1] = (unsigned char)o->acl;
	le32_put(to + 4, (uint32_t)o->headers.len);
	le64_put(to + 8, o->size);
	le64_put(to + 16, (uint64_t)o->modified_ms);
	le64_put(to + 24, o->crc64);
	memcpy(to + 32, o->md5, sizeof(o->md5));
	le64_put(to + 48, meta->file);
}

bool object_meta_parse(struct slice bytes, struct object_meta *ret)
{
	if (bytes.len < OBJECT_META_BYTES)
		return false;
	const unsigned char *p = (const unsigned char *)bytes.ptr;
	if ((p[0] != OBJECT_INLINE && p[0] != OBJECT_FILE) || p[1] > STORE_ACL_PUBLIC_READ_WRITE ||
		p[2] || p[3] || le32_get(p + 4) != bytes.len - OBJECT_META_BYTES)
		return false;
	memset(ret, 0, sizeof(*ret));
	ret->place = (enum object_place)p[0];
	ret->file = le64_get(p + 48);
	ret->object.acl = (enum store_acl)p[1];
	ret->object.size = le64_get(p + 8);
	ret->object.modified_ms = (int64_t)le64_get(p + 16);
	ret->object.crc64 = le64_get(p + 24);
	memcpy(ret->object.md5, p + 32, sizeof(ret->object.md5));
	ret->object.headers = slice_from(bytes, OBJECT_META_BYTES);
	return ret->place == OBJECT_FILE || ret->object.size <= RECORD_DATA_MAX;
}

/* ---- Meta data of a bucket ------------------------------------------------------------------ */

size_t bucket_meta_size(const struct store_bucket *bucket)
{
	size_t size = BUCKET_META_BYTES;
	for (size_t i = 0; i < STORE_SETTING_COUNT; i++)
		size += bucket->settings[i].len;
	return size;
}

void bucket_meta_write(unsigned char *to, const struct store_bucket *bucket)
{
	memset(to, 0, BUCKET_META_BYTES);
	le64_put(to, bucket->id);
	le64_put(to + 8, bucket->generation);
	le64_put(to + 16, (uint64_t)bucket->created_ms);
	to[24] = (unsigned char)bucket->acl;
	to[25] = STORE_SETTING_COUNT;
	to += 32;
	for (size_t i = 0; i < STORE_SETTING_COUNT; i++) {
		struct slice value = bucket->settings[i];
		assert(value.len <= BUCKET_SETTING_MAX);
		le32_put(to, (uint32_t)value.len);
		to += 4;
		if (value.len)
			memcpy(to, value.ptr, value.len);
		to += value.len;
	}
}

/* Takes a length and that many bytes from the front of *rest. */
static bool take_setting(struct slice *rest, struct slice *ret)
{
	if (rest->len < 4)
		return false;
	size_t len = le32_get(rest->ptr);
	*rest = slice_from(*rest, 4);
	if (len > BUCKET_SETTING_MAX || len > rest->len)
		return false;
	*ret = slice_head(*rest, len);
	*rest = slice_from(*rest, len);
	return true;
}

bool bucket_meta_parse(struct slice bytes, struct store_bucket *ret)
{
	if (bytes.len < 32)
		return false;
	const unsigned char *p = (const unsigned char *)bytes.ptr;
	/* A store that was written before a setting existed has fewer of them. */
	if (p[24] < STORE_ACL_PRIVATE || p[24] > STORE_ACL_PUBLIC_READ_WRITE ||
		p[25] > STORE_SETTING_COUNT)
		return false;
	ret->id = le64_get(p);
	ret->generation = le64_get(p + 8);
	ret->created_ms = (int64_t)le64_get(p + 16);
	ret->acl = (enum store_acl)p[24];
	struct slice rest = slice_from(bytes, 32);
	for (size_t i = 0; i < STORE_SETTING_COUNT; i++) {
		ret->settings[i] = S("");
		if (i < p[25] && !take_setting(&rest, &ret->settings[i]))
			return false;
	}
	return rest.len == 0;
}
