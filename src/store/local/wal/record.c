/* SPDX-License-Identifier: Apache-2.0 */
#include "store/local/wal/record.h"

#include <assert.h>

#include "crypto/crc64.h"
#include "store/local/disk/bytes.h"
#include "store/local/wal/segment.h"

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

enum {
	OBJECT_META_OLD_BYTES = 56,    /* of revision 0 */
	OBJECT_META_SECOND_BYTES = 80, /* of revision 1 */
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

enum record_kind record_head_kind(const unsigned char *head)
{
	return (enum record_kind)head[AT_KIND];
}

/* The checksum of a record: all of it but the checksum's own field and the padding. */
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
	case RECORD_MOVE:
	case RECORD_PART:
	case RECORD_COMPLETE:
	case RECORD_APPEND:
		return meta >= OBJECT_META_OLD_BYTES && meta <= OBJECT_META_MAX &&
		       data <= RECORD_DATA_MAX;
	case RECORD_METADATA:
		return meta >= OBJECT_META_SECOND_BYTES && meta <= OBJECT_META_MAX &&
		       (data == 0 || data == LOCATION_BYTES);
	case RECORD_MARKER:
	case RECORD_VERSION_DELETE:
	case RECORD_MULTIPART:
	case RECORD_MULTIPART_ABORT:
		return meta >= OBJECT_META_SECOND_BYTES && meta <= OBJECT_META_MAX && data == 0;
	case RECORD_OBJECT_DELETE:
		return (meta == 0 || meta == OBJECT_META_BYTES) && data == 0;
	case RECORD_BUCKET_DELETE:
		return meta == 0 && data == 0;
	case RECORD_ENDED:
		return meta == 0 && data == ENDED_BYTES;
	default:
		return false;
	}
}

size_t record_find_head(struct slice bytes)
{
	const uint32_t wanted = le32_get(magic);
	size_t at = 0;
	while (bytes.len - at >= RECORD_HEADER_BYTES && le32_get(bytes.ptr + at) != wanted)
		at += RECORD_ALIGN;
	return at;
}

bool record_may_begin(const char *bytes)
{
	uint32_t difference = le32_get(bytes) ^ le32_get(magic);
	return (difference & (difference - 1)) == 0;
}

enum record_result record_split(struct slice bytes, struct record *ret)
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
	ret->kind = (enum record_kind)head[AT_KIND];
	ret->sequence = le64_get(head + AT_SEQUENCE);
	ret->batch = le64_get(head + AT_BATCH);
	ret->bucket_id = le64_get(head + AT_BUCKET);
	ret->name = slice_head(body, name);
	ret->meta = slice_head(slice_from(body, name), meta);
	ret->data = slice_head(slice_from(body, name + meta), data);
	return RECORD_OK;
}

uint64_t record_difference(struct slice bytes, uint64_t salt, const struct record *record)
{
	const unsigned char *head = (const unsigned char *)bytes.ptr;
	size_t name_and_meta = record->name.len + record->meta.len;
	return checksum(head, salt, name_and_meta, record->data) ^ le64_get(head + AT_CRC);
}

enum record_result record_parse(struct slice bytes, uint64_t salt, struct record *ret)
{
	enum record_result result = record_split(bytes, ret);
	if (result == RECORD_OK && record_difference(bytes, salt, ret) != 0)
		return RECORD_BAD;
	return result;
}

/* ---- Meta data of an object ----------------------------------------------------------------- */

/* Where the fields of an object's meta data lie. */
enum {
	META_PLACE = 0,
	META_ACL = 1,
	META_REVISION = 2, /* 0 ends before META_VERSION, 1 before META_ENDED */
	META_TYPE = 3,
	META_HEADERS = 4,
	META_SIZE = 8,
	META_MODIFIED = 16,
	META_CRC64 = 24,
	META_MD5 = 32,
	META_FILE = 48,
	META_VERSION = 56,
	META_NUMBER = 64, /* of a part; how many of a MULTIPART */
	META_TAGS = 72,
	META_FLAGS = 74,
	META_MODE = 75,
	META_ENDED = 80, /* OBJECT_ENDED_MAX times 16 bytes; revision 1 ends before */
};

enum {
	FLAG_NULL = 1,
	FLAG_MARKER = 2,
	FLAG_PART = 4,
	FLAG_SUMS = 8,
};

void object_meta_write(unsigned char *to, const struct object_meta *meta)
{
	const struct store_object *o = &meta->object;
	assert(o->headers.len <= OBJECT_HEADERS_MAX && o->tags.len <= OBJECT_TAGS_MAX);
	memset(to, 0, OBJECT_META_BYTES);
	to[META_PLACE] = (unsigned char)meta->place;
	to[META_ACL] = (unsigned char)o->acl;
	to[META_REVISION] = 2;
	to[META_TYPE] = (unsigned char)o->type;
	le32_put(to + META_HEADERS, (uint32_t)o->headers.len);
	le64_put(to + META_SIZE, o->size);
	le64_put(to + META_MODIFIED, (uint64_t)o->modified_ms);
	le64_put(to + META_CRC64, o->crc64);
	memcpy(to + META_MD5, o->md5, sizeof(o->md5));
	le64_put(to + META_FILE, meta->file);
	le64_put(to + META_NUMBER, o->type == STORE_MULTIPART ? o->parts : meta->number);
	le16_put(to + META_TAGS, (uint16_t)o->tags.len);
	object_meta_set_version(to, o->version, o->is_null, meta->mode);
	object_meta_set_ended(to, meta->ended);
	if (o->is_marker)
		to[META_FLAGS] |= FLAG_MARKER;
	if (meta->is_part)
		to[META_FLAGS] |= FLAG_PART;
	if (meta->has_sums)
		to[META_FLAGS] |= FLAG_SUMS;
}

void object_meta_set_version(
	unsigned char *meta, uint64_t version, bool is_null, enum object_mode mode)
{
	le64_put(meta + META_VERSION, version);
	meta[META_FLAGS] =
		(unsigned char)((meta[META_FLAGS] & ~FLAG_NULL) | (is_null ? FLAG_NULL : 0));
	meta[META_MODE] = (unsigned char)mode;
}

void object_meta_set_ended(unsigned char *meta, const struct ended *ended)
{
	unsigned char *to = meta + META_ENDED;
	for (size_t i = 0; i < OBJECT_ENDED_MAX; i++, to += 16) {
		le64_put(to, ended[i].number);
		le64_put(to + 8, ended[i].segment);
	}
}

void object_meta_write_text(unsigned char *meta, const struct store_object *object)
{
	unsigned char *to = meta + OBJECT_META_BYTES;
	if (object->headers.len)
		memcpy(to, object->headers.ptr, object->headers.len);
	if (object->tags.len)
		memcpy(to + object->headers.len, object->tags.ptr, object->tags.len);
}

/* The fields that all revisions have. */
static void parse_common(const unsigned char *p, struct object_meta *ret)
{
	memset(ret, 0, sizeof(*ret));
	ret->place = (enum object_place)p[META_PLACE];
	ret->file = le64_get(p + META_FILE);
	ret->object.acl = (enum store_acl)p[META_ACL];
	ret->object.size = le64_get(p + META_SIZE);
	ret->object.modified_ms = (int64_t)le64_get(p + META_MODIFIED);
	ret->object.crc64 = le64_get(p + META_CRC64);
	memcpy(ret->object.md5, p + META_MD5, sizeof(ret->object.md5));
}

/* Before there were versions: as made while none were kept. */
static bool parse_old(struct slice bytes, struct object_meta *ret)
{
	const unsigned char *p = (const unsigned char *)bytes.ptr;
	if ((p[META_PLACE] != OBJECT_INLINE && p[META_PLACE] != OBJECT_FILE) || p[META_TYPE] ||
		le32_get(p + META_HEADERS) != bytes.len - OBJECT_META_OLD_BYTES)
		return false;
	parse_common(p, ret);
	ret->object.is_null = true;
	ret->object.headers = slice_from(bytes, OBJECT_META_OLD_BYTES);
	return true;
}

static bool parse_new(struct slice bytes, size_t fixed, struct object_meta *ret)
{
	const unsigned char *p = (const unsigned char *)bytes.ptr;
	size_t headers = le32_get(p + META_HEADERS);
	size_t tags = le16_get(p + META_TAGS);
	if (p[META_PLACE] < OBJECT_INLINE || p[META_PLACE] > OBJECT_NONE ||
		p[META_TYPE] > STORE_SYMLINK || p[META_MODE] > OBJECT_REPLACES_NULL ||
		headers > OBJECT_HEADERS_MAX || tags > OBJECT_TAGS_MAX ||
		fixed + headers + tags != bytes.len)
		return false;
	parse_common(p, ret);
	ret->mode = (enum object_mode)p[META_MODE];
	ret->object.type = (enum store_type)p[META_TYPE];
	ret->number = le64_get(p + META_NUMBER);
	if (ret->object.type == STORE_MULTIPART)
		ret->object.parts = (uint32_t)ret->number;
	ret->object.version = le64_get(p + META_VERSION);
	ret->object.is_null = p[META_FLAGS] & FLAG_NULL;
	ret->object.is_marker = p[META_FLAGS] & FLAG_MARKER;
	ret->is_part = p[META_FLAGS] & FLAG_PART;
	ret->has_sums = p[META_FLAGS] & FLAG_SUMS;
	ret->object.headers = slice_head(slice_from(bytes, fixed), headers);
	ret->object.tags = slice_from(bytes, fixed + headers);
	for (size_t i = 0; i < OBJECT_ENDED_MAX && fixed == OBJECT_META_BYTES; i++) {
		ret->ended[i].number = le64_get(p + META_ENDED + 16 * i);
		ret->ended[i].segment = le64_get(p + META_ENDED + 16 * i + 8);
	}
	return true;
}

/* Without headers and tags. */
static size_t fixed_bytes(unsigned char revision)
{
	if (revision == 0)
		return OBJECT_META_OLD_BYTES;
	return revision == 1 ? OBJECT_META_SECOND_BYTES : OBJECT_META_BYTES;
}

size_t object_meta_len(struct slice bytes)
{
	const unsigned char *p = (const unsigned char *)bytes.ptr;
	if (bytes.len < OBJECT_META_OLD_BYTES || p[META_REVISION] > 2)
		return 0;
	size_t len = fixed_bytes(p[META_REVISION]);
	if (bytes.len < len)
		return 0;
	size_t headers = le32_get(p + META_HEADERS);
	size_t tags = p[META_REVISION] == 0 ? 0 : le16_get(p + META_TAGS);
	return len + headers + tags <= bytes.len ? len + headers + tags : 0;
}

bool object_meta_parse(struct slice bytes, struct object_meta *ret)
{
	if (bytes.len < OBJECT_META_OLD_BYTES)
		return false;
	const unsigned char *p = (const unsigned char *)bytes.ptr;
	bool ok = false;
	if (p[META_ACL] > STORE_ACL_PUBLIC_READ_WRITE)
		return false;
	if (p[META_REVISION] == 0)
		ok = parse_old(bytes, ret);
	else if (p[META_REVISION] <= 2 && bytes.len >= fixed_bytes(p[META_REVISION]))
		ok = parse_new(bytes, fixed_bytes(p[META_REVISION]), ret);
	return ok && (ret->place != OBJECT_INLINE || ret->object.size <= RECORD_DATA_MAX);
}

/* ---- What was ended earlier ------------------------------------------------------------------ */

#define ENDED_PLACE (UINT64_C(1) << 63)

struct ended ended_entry(uint64_t version, const struct location *where)
{
	bool is_known = where->segment != 0;
	uint64_t number = version ? version : ENDED_PLACE | where->offset;
	return (struct ended){is_known ? number : 0, where->segment};
}

uint64_t ended_version(const struct ended *ended)
{
	return ended->number & ENDED_PLACE ? 0 : ended->number;
}

uint64_t ended_label(const struct ended *ended, uint64_t bucket_id, struct slice key)
{
	unsigned char numbers[16];
	uint64_t version = ended_version(ended);
	if (version == 0 || version >= bucket_id)
		return ended->number;
	le64_put(numbers, version);
	le64_put(numbers + 8, bucket_id);
	return crc64_update(crc64_update(0, slice_of((const char *)numbers, sizeof(numbers))), key);
}

void ended_write(unsigned char *to, const struct ended_record *ended)
{
	le64_put(to, ended->what.number);
	le64_put(to + 8, ended->what.segment);
	le64_put(to + 16, ended->until);
}

bool ended_parse(struct slice data, struct ended_record *ret)
{
	if (data.len != ENDED_BYTES)
		return false;
	ret->what.number = le64_get(data.ptr);
	ret->what.segment = le64_get(data.ptr + 8);
	ret->until = le64_get(data.ptr + 16);
	return true;
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
	to[26] = (unsigned char)bucket->versioning;
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
		p[25] > STORE_SETTING_COUNT || p[26] > STORE_VERSIONING_SUSPENDED)
		return false;
	ret->id = le64_get(p);
	ret->generation = le64_get(p + 8);
	ret->created_ms = (int64_t)le64_get(p + 16);
	ret->acl = (enum store_acl)p[24];
	ret->versioning = (enum store_versioning)p[26];
	struct slice rest = slice_from(bytes, 32);
	for (size_t i = 0; i < STORE_SETTING_COUNT; i++) {
		ret->settings[i] = S("");
		if (i < p[25] && !take_setting(&rest, &ret->settings[i]))
			return false;
	}
	return rest.len == 0;
}

bool record_brings_bytes(const struct record *record)
{
	switch (record->kind) {
	case RECORD_OBJECT:
	case RECORD_MOVE:
	case RECORD_PART:
	case RECORD_APPEND:
		return true;
	case RECORD_BUCKET:
	case RECORD_BUCKET_DELETE:
	case RECORD_OBJECT_DELETE:
	case RECORD_METADATA:
	case RECORD_MARKER:
	case RECORD_VERSION_DELETE:
	case RECORD_MULTIPART:
	case RECORD_MULTIPART_ABORT:
	case RECORD_COMPLETE:
	case RECORD_ENDED:
		break;
	}
	return false;
}
