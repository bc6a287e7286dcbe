/* SPDX-License-Identifier: Apache-2.0 */
/* What a damaged record says all the same: with one flipped bit, all; with bad bytes, whose. */
#include <stdlib.h>

#include "base/compiler.h"
#include "crypto/crc64.h"
#include "store/local/wal/mend.h"
#include "tap.h"

#define SALT UINT64_C(0x0123456789abcdef)

enum {
	SPACE = 4096,
	SEQUENCE = 77,
};

/* A record into `to`; of how many bytes it is. */
static size_t make(
	char *to, enum record_kind kind, struct slice name, struct slice meta, struct slice data)
{
	memset(to, 0, SPACE);
	record_head((unsigned char *)to, kind, 5, name.len, meta.len, data.len);
	char *at = to + RECORD_HEADER_BYTES;
	memcpy(at, name.ptr, name.len);
	memcpy(at + name.len, meta.ptr, meta.len);
	memcpy(at + name.len + meta.len, data.ptr, data.len);
	record_seal((unsigned char *)to, SALT, SEQUENCE, SEQUENCE - 1, data);
	return record_total(name.len, meta.len, data.len);
}

static size_t make_object(char *to, struct slice data)
{
	unsigned char meta[OBJECT_META_BYTES];
	struct object_meta object = {.place = OBJECT_INLINE,
		.object = {.size = data.len, .crc64 = crc64_update(0, data), .version = SEQUENCE}};
	object_meta_write(meta, &object);
	return make(to, RECORD_OBJECT, S("a/key"), slice_of(meta, sizeof(meta)), data);
}

static void flip(char *bytes, size_t bit)
{
	bytes[bit / 8] = (char)(bytes[bit / 8] ^ 1 << bit % 8);
}

static void each_bit(const char *what, const char *whole, size_t total)
{
	char damaged[SPACE];
	struct record record;
	struct record mended;
	size_t used = RECORD_HEADER_BYTES;
	size_t read = 0;
	size_t right = 0;
	if (record_parse(slice_of(whole, SPACE), SALT, &record) != RECORD_OK)
		abort();
	used += record.name.len + record.meta.len + record.data.len;
	for (size_t bit = 0; bit < 8 * used; bit++) {
		memcpy(damaged, whole, SPACE);
		flip(damaged, bit);
		read += record_parse(slice_of(damaged, SPACE), SALT, &record) == RECORD_OK;
		/* What stands for the checksum itself may stay as it is. */
		right += record_mend(damaged, SPACE, SALT, &mended) && mended.total == total &&
			 mended.sequence == SEQUENCE && mended.batch == SEQUENCE - 1 &&
			 mended.bucket_id == 5 &&
			 memcmp(damaged + RECORD_HEADER_BYTES, whole + RECORD_HEADER_BYTES,
				 used - RECORD_HEADER_BYTES) == 0;
	}
	OK(read == 0 && right == 8 * used, "%s: each of %zu bits may be flipped", what, 8 * used);
}

static void more_bits(const char *whole)
{
	char damaged[SPACE];
	struct record record;
	unsigned mended = 0;
	for (size_t bit = 0; bit < 8 * 100; bit++) {
		memcpy(damaged, whole, SPACE);
		flip(damaged, bit);
		flip(damaged, bit + 13);
		mended += record_mend(damaged, SPACE, SALT, &record);
	}
	OK(mended == 0, "two may not");
	memcpy(damaged, whole, SPACE);
	flip(damaged, 8 * 60);
	OK(!record_mend(damaged, SPACE, SALT + 1, &record), "nor is it one with another salt");
	OK(!record_mend(damaged, 90, SALT, &record), "nor if its end is not there");
	memset(damaged, 0, SPACE);
	OK(!record_mend(damaged, SPACE, SALT, &record), "zeros are none");
}

static void bad_data(const char *whole, size_t total)
{
	char damaged[SPACE];
	struct record record;
	memcpy(damaged, whole, SPACE);
	memset(damaged + total - 64, 0, 64);
	OK(!record_mend(damaged, SPACE, SALT, &record), "many bytes are damaged");
	OK(record_split_bad_data(slice_of(damaged, SPACE), &record) &&
			slice_eq(record.name, S("a/key")) && record.sequence == SEQUENCE,
		"of an object: it is known of which");
	memcpy(damaged, whole, SPACE);
	memset(damaged + RECORD_HEADER_BYTES, 'x', 5);
	OK(!record_split_bad_data(slice_of(damaged, SPACE), &record),
		"of its name: nothing is known");
	OK(!record_split_bad_data(slice_of(whole, total - 8), &record),
		"nor if its end is cut off");
}

int main(void)
{
	char whole[SPACE];
	char data[1000];
	for (size_t i = 0; i < sizeof(data); i++)
		data[i] = (char)(i * 7);
	size_t total = make_object(whole, slice_of(data, sizeof(data)));
	each_bit("an object", whole, total);
	more_bits(whole);
	bad_data(whole, total);
	total = make(whole, RECORD_BUCKET_DELETE, S("bucket"), S(""), S(""));
	each_bit("a bucket that is deleted", whole, total);
	return tap_done();
}
