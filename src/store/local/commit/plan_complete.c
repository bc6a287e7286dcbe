/* SPDX-License-Identifier: Apache-2.0 */
/* The record that makes an object of an upload's parts. */
#include "crypto/crc64.h"
#include "crypto/digest.h"
#include "store/local/commit/plan.h"
#include "store/local/disk/bytes.h"
#include "store/local/state/local_internal.h"

/* What the parts come to. */
struct sum {
	struct store_multipart_complete *asked;
	size_t named; /* of those that were named, how many have been found */
	struct digest_md5 md5s;
	struct store_object object;
	uint64_t last_size;
	uint32_t last_number;
	size_t dropped_count;
	uint32_t *dropped;
};

static enum err refuse(struct sum *sum, enum err e, uint32_t part)
{
	sum->asked->bad_part = part;
	return e;
}

/* Whether the part is one of those that were asked for. */
static enum err is_asked_for(struct sum *sum, const struct entry *part, bool *ret)
{
	const struct store_multipart_complete *asked = sum->asked;
	*ret = !asked->parts;
	if (!asked->parts || sum->named == asked->part_count)
		return ERR_OK;
	const struct store_part_named *next = &asked->parts[sum->named];
	if (next->number > part->meta.number)
		return ERR_OK;
	if (next->number < part->meta.number ||
		memcmp(next->md5, part->meta.object.md5, MD5_BYTES) != 0)
		return refuse(sum, ERR_INVALID_PART, next->number);
	sum->named++;
	*ret = true;
	return ERR_OK;
}

/* As OSS makes them: of the parts' MD5s in upper-case hexadecimal digits, not of their bytes. */
static void add_tag(struct digest_md5 *md5s, const unsigned char *md5)
{
	static const char digits[] = "0123456789ABCDEF";
	char hex[2 * MD5_BYTES];
	for (size_t i = 0; i < MD5_BYTES; i++) {
		hex[2 * i] = digits[md5[i] >> 4];
		hex[2 * i + 1] = digits[md5[i] & 15];
	}
	digest_md5_update(md5s, slice_of(hex, sizeof(hex)));
}

static enum err add_part(struct sum *sum, const struct entry *part)
{
	const struct store_object *object = &part->meta.object;
	bool take;
	enum err e = is_asked_for(sum, part, &take);
	if (e != ERR_OK)
		return e;
	if (!take) {
		if (sum->dropped_count == LIMIT_PARTS)
			return ERR_INTERNAL;
		sum->dropped[sum->dropped_count++] = (uint32_t)part->meta.number;
		return ERR_OK;
	}
	if (sum->object.parts > 0 && sum->last_size < sum->asked->part_bytes_min)
		return refuse(sum, ERR_ENTITY_TOO_SMALL, sum->last_number);
	sum->object.crc64 = crc64_combine(sum->object.crc64, object->crc64, object->size);
	sum->object.size += object->size;
	sum->object.parts++;
	sum->last_size = object->size;
	sum->last_number = (uint32_t)part->meta.number;
	add_tag(&sum->md5s, object->md5);
	return ERR_OK;
}

static enum err add_parts(struct stage *stage, struct sum *sum)
{
	struct key prefix;
	struct slice rest;
	struct slice value;
	struct entry part;
	key_number(&prefix, KEY_PART, sum->asked->upload);
	struct index_cursor *cursor = stage_cursor(stage, &prefix);
	if (!cursor)
		return ERR_UNAVAILABLE;
	enum err e = ERR_OK;
	index_cursor_seek(cursor, S(""));
	while (e == ERR_OK && index_cursor_at(cursor, &rest, &value)) {
		e = entry_parse(value, &part) ? add_part(sum, &part) : ERR_INTERNAL;
		index_cursor_next(cursor);
	}
	if (e == ERR_OK)
		e = index_cursor_err(cursor);
	index_cursor_free(cursor);
	if (e == ERR_OK && sum->asked->parts && sum->named < sum->asked->part_count)
		e = refuse(sum, ERR_INVALID_PART, sum->asked->parts[sum->named].number);
	digest_md5_final(&sum->md5s, sum->object.md5);
	return e;
}

/* The object takes over what the upload was begun with. */
static enum err make(struct mutation *mutation, const struct sum *sum,
	const struct object_meta *upload, enum object_mode mode)
{
	struct store_multipart_complete *asked = sum->asked;
	const struct store_object *began = &upload->object;
	struct object_meta meta = {
		.place = OBJECT_SET, .mode = mode, .file = asked->upload, .object = sum->object};
	meta.object.acl = asked->acl != STORE_ACL_DEFAULT ? asked->acl : began->acl;
	meta.object.headers = began->headers;
	meta.object.tags = began->tags;
	size_t data = sum->dropped_count * sizeof(uint32_t);
	enum err e = plan_make(mutation, RECORD_COMPLETE, asked->bucket_id, asked->key,
		OBJECT_META_BYTES + began->headers.len + began->tags.len, data);
	if (e != ERR_OK)
		return e;
	unsigned char *to = plan_meta(mutation);
	object_meta_write(to, &meta);
	to += OBJECT_META_BYTES;
	/* Headers and tags follow each other in the upload's meta data as well. */
	if (began->headers.len + began->tags.len)
		memcpy(to, began->headers.ptr, began->headers.len + began->tags.len);
	to = mutation->head + mutation->head_len;
	for (size_t i = 0; i < sum->dropped_count; i++)
		le32_put(to + i * sizeof(uint32_t), sum->dropped[i]);
	asked->object = sum->object;
	asked->object.acl = meta.object.acl;
	return ERR_OK;
}

enum err plan_complete(struct local *local, uint64_t sequence, enum store_versioning versioning,
	struct mutation *mutation)
{
	struct store_multipart_complete *asked = mutation->complete;
	struct sum sum = {.asked = asked};
	struct key key;
	struct stage_entry upload;
	SCOPED_FREE uint32_t *dropped = malloc(LIMIT_PARTS * sizeof(*dropped));
	sum.dropped = dropped;
	sum.object.type = STORE_MULTIPART;
	sum.object.version = sequence;
	sum.object.is_null = versioning != STORE_VERSIONED;
	sum.object.modified_ms = clock_wall_ms(local->options.clock);
	digest_md5_init(&sum.md5s);
	key_upload(&key, asked->bucket_id, asked->key, asked->upload);
	enum err e = stage_look(local->stage, &key, &upload);
	if (e == ERR_OK && !upload.found)
		e = ERR_NO_SUCH_UPLOAD;
	if (e == ERR_OK)
		e = dropped ? add_parts(local->stage, &sum) : ERR_UNAVAILABLE;
	if (e == ERR_OK)
		e = make(mutation, &sum, &upload.entry.meta, plan_mode(versioning));
	stage_entry_release(&upload);
	return e;
}
