/* SPDX-License-Identifier: Apache-2.0 */
#include "store/rados/rows/entry.h"

#include "store/rados/rows/field.h"

enum {
	FLAG_NULL = 1,
	FLAG_MARKER = 2,
	FLAGS = FLAG_NULL | FLAG_MARKER,
	OWNER_REVISION = 1, /* of the format of a struct data_owner */
};

void entry_write(const struct entry *entry, struct strbuf *out)
{
	const struct store_object *o = &entry->object;
	field_add(out, o->version, 8);
	field_add(out, entry->revision, 8);
	field_add(out, o->size, 8);
	field_add(out, (uint64_t)o->modified_ms, 8);
	field_add(out, o->crc64, 8);
	strbuf_add(out, o->md5, sizeof(o->md5));
	field_add(out, entry->data, 8);
	field_add(out, o->acl, 1);
	field_add(out, o->type, 1);
	field_add(out, (o->is_null ? FLAG_NULL : 0u) | (o->is_marker ? FLAG_MARKER : 0u), 1);
	field_add(out, entry->place, 1);
	field_add(out, o->parts, 4);
	field_add(out, o->headers.len, 4);
	field_add(out, o->tags.len, 4);
	strbuf_add_slice(out, o->headers);
	strbuf_add_slice(out, o->tags);
}

/* Whether place, size and number fit each other. */
static bool place_fits(const struct entry *entry)
{
	bool has_bytes = entry->place != ENTRY_NOWHERE;
	return (entry->object.size > 0) == has_bytes &&
	       (entry->data > 0) == (entry->place == ENTRY_DATA) &&
	       !(entry->object.is_marker && has_bytes);
}

bool entry_read(struct slice value, struct entry *ret)
{
	struct field_reader reader = {.rest = value};
	struct entry entry = {.revision = 0};
	struct store_object *o = &entry.object;
	o->version = field_number(&reader, 8);
	entry.revision = field_number(&reader, 8);
	o->size = field_number(&reader, 8);
	o->modified_ms = (int64_t)field_number(&reader, 8);
	o->crc64 = field_number(&reader, 8);
	struct slice md5 = field_bytes(&reader, sizeof(o->md5));
	entry.data = field_number(&reader, 8);
	uint64_t acl = field_number(&reader, 1);
	uint64_t type = field_number(&reader, 1);
	uint64_t flags = field_number(&reader, 1);
	uint64_t place = field_number(&reader, 1);
	o->parts = (uint32_t)field_number(&reader, 4);
	uint64_t headers = field_number(&reader, 4);
	uint64_t tags = field_number(&reader, 4);
	if (reader.bad || acl > STORE_ACL_PUBLIC_READ_WRITE || type > STORE_SYMLINK ||
		(flags & ~(uint64_t)FLAGS) || place >= ENTRY_PLACES ||
		headers > ENTRY_HEADERS_BYTES_MAX || tags > ENTRY_TAGS_BYTES_MAX)
		return false;
	memcpy(o->md5, md5.ptr, sizeof(o->md5));
	o->acl = (enum store_acl)acl;
	o->type = (enum store_type)type;
	o->is_null = (flags & FLAG_NULL) != 0;
	o->is_marker = (flags & FLAG_MARKER) != 0;
	entry.place = (enum entry_place)place;
	o->headers = field_bytes(&reader, (size_t)headers);
	o->tags = field_bytes(&reader, (size_t)tags);
	if (!field_end(&reader) || !place_fits(&entry))
		return false;
	*ret = entry;
	return true;
}

/* ---- Parts and extents ----------------------------------------------------------------------- */

void part_format(const struct part_entry *part, struct strbuf *out)
{
	field_add(out, part->part.size, 8);
	field_add(out, (uint64_t)part->part.modified_ms, 8);
	field_add(out, part->part.crc64, 8);
	strbuf_add(out, part->part.md5, sizeof(part->part.md5));
	field_add(out, part->data, 8);
}

bool part_parse(struct slice value, struct part_entry *ret)
{
	struct field_reader reader = {.rest = value};
	struct part_entry entry = {.data = 0};
	entry.part.size = field_number(&reader, 8);
	entry.part.modified_ms = (int64_t)field_number(&reader, 8);
	entry.part.crc64 = field_number(&reader, 8);
	struct slice md5 = field_bytes(&reader, sizeof(entry.part.md5));
	entry.data = field_number(&reader, 8);
	if (!field_end(&reader) || (entry.part.size > 0) != (entry.data > 0))
		return false;
	memcpy(entry.part.md5, md5.ptr, sizeof(entry.part.md5));
	*ret = entry;
	return true;
}

void extents_add(struct strbuf *out, struct extent extent)
{
	field_add(out, extent.data, 8);
	field_add(out, extent.size, 8);
}

struct extent extents_at(const struct extents *extents, size_t i)
{
	struct field_reader reader = {.rest = slice_from(extents->bytes, i * EXTENT_BYTES)};
	struct extent extent;
	extent.data = field_number(&reader, 8);
	extent.size = field_number(&reader, 8);
	return extent;
}

bool extents_parse(struct slice value, struct extents *ret)
{
	struct extents extents = {value, value.len / EXTENT_BYTES};
	uint64_t total = 0;
	if (value.len == 0 || value.len % EXTENT_BYTES != 0)
		return false;
	for (size_t i = 0; i < extents.count; i++) {
		struct extent extent = extents_at(&extents, i);
		if (extent.data == 0 || extent.size == 0 || total + extent.size < total)
			return false;
		total += extent.size;
	}
	*ret = extents;
	return true;
}

/* ---- Data ------------------------------------------------------------------------------------ */

void data_owner_format(const struct data_owner *owner, struct strbuf *out)
{
	field_add(out, OWNER_REVISION, 1);
	field_add(out, 0, 3);
	field_add(out, owner->part, 4);
	field_add(out, owner->bucket, 8);
	field_add(out, owner->upload, 8);
	strbuf_add_slice(out, owner->key);
}

bool data_owner_parse(struct slice value, struct data_owner *ret)
{
	struct field_reader reader = {.rest = value};
	struct data_owner owner;
	uint64_t revision = field_number(&reader, 1);
	field_zeros(&reader, 3);
	owner.part = (uint32_t)field_number(&reader, 4);
	owner.bucket = field_number(&reader, 8);
	owner.upload = field_number(&reader, 8);
	owner.key = reader.rest;
	if (reader.bad || revision != OWNER_REVISION || owner.bucket == 0 || owner.key.len == 0 ||
		owner.key.len > LIMIT_KEY_BYTES)
		return false;
	*ret = owner;
	return true;
}
