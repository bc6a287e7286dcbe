/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Reading a segment of the log. The input is the records, whose checksums are made right, and then
 * what is damaged in them. What the scan finds through its window is what is there in the file, and
 * what may count behind damage is found by trying every place.
 *
 * The first 4 bytes: flags, how many places are damaged, where the records end. Then two bytes for
 * each damaged place. (That the window moves is tests/unit/store/test_scan.c's.)
 */
#include <assert.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "store/local/disk/bytes.h"
#include "store/local/wal/scan.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum {
	CONTROL_BYTES = 4,
	IS_SEALED = 1,
	HAS_END = 2,
	MAX_BYTES = 64 << 10,
};

static const uint64_t salt = 0x0123456789abcdefu;

/* The file: in memory, and as a file. */
static unsigned char image[SEGMENT_HEADER_BYTES + MAX_BYTES];

/* Completes the records one behind the other, as far as they have what their headers say. */
static void seal(unsigned char *bytes, size_t size)
{
	while (size >= RECORD_HEADER_BYTES) {
		size_t name = le16_get(bytes + 6);
		size_t meta = le32_get(bytes + 8);
		size_t data = le32_get(bytes + 12);
		if (name > RECORD_NAME_MAX || meta > RECORD_META_MAX || data > RECORD_DATA_MAX)
			return;
		size_t total = record_total(name, meta, data);
		if (total > size)
			return;
		record_seal(bytes, salt, le64_get(bytes + 16), le64_get(bytes + 24),
			slice_of(bytes + RECORD_HEADER_BYTES + name + meta, data));
		bytes += total;
		size -= total;
	}
}

/* The first record from `at` on that is behind `sequence`; its place, or 0. */
static uint64_t find_slowly(uint64_t at, uint64_t end, uint64_t sequence, bool whole)
{
	struct record record;
	for (; at + RECORD_HEADER_BYTES <= end; at += RECORD_ALIGN)
		if (memcmp(image + at, "PsR1", 4) == 0 &&
			record_parse(slice_of(image + at, end - at), salt, &record) == RECORD_OK &&
			(whole ? record.batch : record.sequence) > sequence)
			return at;
	return 0;
}

static void check_later(struct scan *scan, uint64_t end, uint64_t sequence)
{
	struct record record;
	uint64_t at = scan->at;
	uint64_t expected = find_slowly(at, end, sequence, false);
	if (!scan->is_sealed && !find_slowly(at, end, sequence, true))
		expected = 0;
	bool found = scan_find_later(scan, sequence, &record);
	assert(found == (expected != 0));
	if (found)
		assert(scan->at == expected && record.sequence > sequence);
}

static void check(struct scan *scan, uint64_t end)
{
	struct record record, same;
	uint64_t sequence = 0;
	while (scan_record(scan, &record)) {
		assert(scan->at % RECORD_ALIGN == 0 && scan->at + record.total <= end);
		struct slice rest = slice_of(image + scan->at, end - scan->at);
		assert(record_parse(rest, salt, &same) == RECORD_OK);
		assert(same.sequence == record.sequence && same.total == record.total);
		assert(slice_eq(same.name, record.name) && slice_eq(same.data, record.data));
		sequence = record.sequence;
		scan_next(scan, &record);
	}
	assert(scan->fault == 0);
	struct slice rest = scan->at < end ? slice_of(image + scan->at, end - scan->at) : S("");
	assert(record_parse(rest, salt, &same) != RECORD_OK);
	uint64_t last = end;
	while (last > scan->at && image[last - 1] == 0)
		last--;
	uint64_t used = 0;
	assert(scan_find_bytes(scan, &used) == (last > scan->at));
	assert(last <= scan->at || used == last);
	check_later(scan, end, sequence);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct scan scan;
	static size_t dirty; /* of the image, from the input before */
	if (!scan.window && !scan_init(&scan))
		abort();
	if (size < CONTROL_BYTES || size > MAX_BYTES)
		return 0;
	size_t damaged = data[1] % 8;
	size_t controls = CONTROL_BYTES + 2 * damaged;
	if (size < controls)
		return 0;
	size_t len = size - controls;
	unsigned char *records = image + SEGMENT_HEADER_BYTES;
	memset(image, 0, dirty);
	memcpy(records, data + controls, len);
	seal(records, len);
	for (size_t i = 0; i < damaged && len > 0; i++)
		records[le16_get(data + CONTROL_BYTES + 2 * i) % len] ^= 1;
	uint64_t all = SEGMENT_HEADER_BYTES + len;
	dirty = (size_t)all;
	struct segment *segment = calloc(1, sizeof(*segment));
	if (!segment)
		abort();
	segment->salt = salt;
	segment->fd = memfd_create("segment", MFD_CLOEXEC);
	atomic_init(&segment->refs, 1);
	if (segment->fd < 0 || write(segment->fd, image, all) != (ssize_t)all)
		abort();
	uint64_t end = data[0] & HAS_END ? (uint64_t)SEGMENT_HEADER_BYTES + le16_get(data + 2)
					 : UINT64_MAX;
	scan_open(&scan, segment, SEGMENT_HEADER_BYTES, end, data[0] & IS_SEALED);
	check(&scan, end < all ? end : all);
	segment_unpin(segment);
	scan.segment = NULL;
	return 0;
}
