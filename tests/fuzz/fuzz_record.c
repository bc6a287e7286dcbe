/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Records of the store's log, and the meta data in them. The checksum of the input is made right
 * first, or nothing behind it would ever be reached.
 */
#include <assert.h>

#include "store/local/disk/bytes.h"
#include "store/local/wal/record.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const uint64_t salt = 0x0123456789abcdefu;

/* Completes the header as a writer would, if the input has as much as it says. */
static void seal(unsigned char *bytes, size_t size)
{
	if (size < RECORD_HEADER_BYTES)
		return;
	size_t name = le16_get(bytes + 6);
	size_t meta = le32_get(bytes + 8);
	size_t data = le32_get(bytes + 12);
	if (name > RECORD_NAME_MAX || meta > RECORD_META_MAX || data > RECORD_DATA_MAX ||
		RECORD_HEADER_BYTES + name + meta + data > size)
		return;
	record_seal(bytes, salt, le64_get(bytes + 16), le64_get(bytes + 24),
		slice_of(bytes + RECORD_HEADER_BYTES + name + meta, data));
}

/* What was read can be written, and is then read as the same. */
static void check_object(const struct object_meta *meta)
{
	const struct store_object *object = &meta->object;
	size_t len = OBJECT_META_BYTES + object->headers.len + object->tags.len;
	unsigned char *again = malloc(len);
	struct object_meta same;
	object_meta_write(again, meta);
	object_meta_write_text(again, object);
	assert(object_meta_len(slice_of((const char *)again, len)) == len);
	assert(object_meta_parse(slice_of((const char *)again, len), &same));
	assert(same.has_sums == meta->has_sums);
	assert(same.place == meta->place && same.file == meta->file && same.mode == meta->mode);
	assert(memcmp(same.ended, meta->ended, sizeof(same.ended)) == 0);
	assert(same.object.version == object->version && same.object.size == object->size);
	assert(slice_eq(same.object.headers, object->headers));
	assert(slice_eq(same.object.tags, object->tags));
	free(again);
}

static void check(const struct record *record, struct slice all)
{
	assert(record->total <= all.len && record->total % RECORD_ALIGN == 0);
	assert(record->name.len > 0);
	size_t used = RECORD_HEADER_BYTES + record->name.len + record->meta.len + record->data.len;
	assert(used <= record->total && record->total < used + RECORD_ALIGN);
	struct ended_record ended;
	unsigned char what[ENDED_BYTES];
	if (record->kind == RECORD_ENDED) {
		assert(ended_parse(record->data, &ended));
		ended_write(what, &ended);
		assert(memcmp(what, record->data.ptr, sizeof(what)) == 0);
	}
	struct object_meta object;
	if (object_meta_parse(record->meta, &object))
		check_object(&object);
	struct store_bucket bucket;
	if (bucket_meta_parse(record->meta, &bucket)) {
		size_t len = bucket_meta_size(&bucket);
		unsigned char *again = malloc(len);
		struct store_bucket same;
		bucket_meta_write(again, &bucket);
		assert(bucket_meta_parse(slice_of(again, len), &same) && same.id == bucket.id);
		free(again);
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct record record;
	unsigned char *copy = malloc(size ? size : 1);
	if (size)
		memcpy(copy, data, size);
	struct slice all = slice_of(copy, size);
	if (record_parse(all, salt, &record) == RECORD_OK)
		check(&record, all);
	seal(copy, size);
	switch (record_parse(all, salt, &record)) {
	case RECORD_OK:
		check(&record, all);
		/* One wrong bit anywhere that counts, and it is none. */
		copy[size / 2 % (RECORD_HEADER_BYTES - 8)] ^= 1;
		assert(record_parse(all, salt, &record) != RECORD_OK);
		break;
	case RECORD_SHORT:
		assert(record.total > size || size < RECORD_HEADER_BYTES);
		break;
	case RECORD_BAD:
		break;
	}
	free(copy);
	return 0;
}
