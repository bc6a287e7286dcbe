/* SPDX-License-Identifier: Apache-2.0 */
#include "store/local/wal/mend.h"

#include "crypto/crc64.h"

/* Where the header (record.c) has what says how long the record is, and its checksum. */
enum {
	FRAME_BITS = 8 * 16,
	CHECKSUM_AT = 40,
	CHECKSUM_BITS = 64,
};

static void flip(char *bytes, size_t bit)
{
	bytes[bit / 8] = (char)(bytes[bit / 8] ^ 1 << bit % 8);
}

/* The checksum tells which bit it was, if the lengths are right. */
static bool mend_rest(char *bytes, size_t len, uint64_t salt, struct record *ret)
{
	struct slice all = slice_of(bytes, len);
	size_t bit;
	if (record_split(all, ret) != RECORD_OK)
		return false;
	uint64_t difference = record_difference(all, salt, ret);
	if ((difference & (difference - 1)) == 0)
		return true; /* of the checksum */
	size_t used = CHECKSUM_AT + ret->name.len + ret->meta.len + ret->data.len;
	if (!crc64_find_flip(difference, used, &bit))
		return false;
	bit += bit < 8 * CHECKSUM_AT ? 0 : CHECKSUM_BITS;
	flip(bytes, bit);
	if (record_parse(all, salt, ret) == RECORD_OK)
		return true;
	flip(bytes, bit);
	return false;
}

/* If they are not, it was one of theirs. */
static bool mend_frame(char *bytes, size_t len, uint64_t salt, struct record *ret)
{
	for (size_t bit = 0; bit < FRAME_BITS; bit++) {
		flip(bytes, bit);
		if (record_parse(slice_of(bytes, len), salt, ret) == RECORD_OK)
			return true;
		flip(bytes, bit);
	}
	return false;
}

bool record_mend(char *bytes, size_t len, uint64_t salt, struct record *ret)
{
	return len >= RECORD_HEADER_BYTES && record_may_begin(bytes) &&
	       (mend_rest(bytes, len, salt, ret) || mend_frame(bytes, len, salt, ret));
}

bool record_split_bad_data(struct slice bytes, struct record *ret)
{
	struct object_meta meta;
	return record_split(bytes, ret) == RECORD_OK && record_brings_bytes(ret) &&
	       object_meta_parse(ret->meta, &meta) && meta.place == OBJECT_INLINE &&
	       meta.object.size == ret->data.len && crc64_update(0, ret->data) != meta.object.crc64;
}
