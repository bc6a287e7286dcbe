/* SPDX-License-Identifier: Apache-2.0 */
#include "http/range.h"
#include "tap.h"

#define WHOLE                     \
	{                         \
		RANGE_WHOLE, 0, 0 \
	}
#define PART(first, size)                   \
	{                                   \
		RANGE_PART, (first), (size) \
	}
#define NONE                              \
	{                                 \
		RANGE_UNSATISFIABLE, 0, 0 \
	}

struct outcome {
	enum range_result result;
	uint64_t first;
	uint64_t size;
};

static const struct {
	struct slice value;
	uint64_t size;
	struct outcome oss, standard;
} rows[] = {
	{SLICE_LIT("bytes=0-0"), 10, PART(0, 1), PART(0, 1)},
	{SLICE_LIT("bytes=0-9"), 10, PART(0, 10), PART(0, 10)},
	{SLICE_LIT("bytes=3-5"), 10, PART(3, 3), PART(3, 3)},
	{SLICE_LIT("bytes=9-9"), 10, PART(9, 1), PART(9, 1)},
	{SLICE_LIT("bytes=3-"), 10, PART(3, 7), PART(3, 7)},
	{SLICE_LIT("bytes=0-"), 10, PART(0, 10), PART(0, 10)},
	{SLICE_LIT("bytes=-1"), 10, PART(9, 1), PART(9, 1)},
	{SLICE_LIT("bytes=-10"), 10, PART(0, 10), PART(0, 10)},
	{SLICE_LIT("BYTES=1-2"), 10, PART(1, 2), PART(1, 2)},
	{SLICE_LIT("bytes= 1-2\t"), 10, PART(1, 2), PART(1, 2)},
	{SLICE_LIT("bytes=01-02"), 10, PART(1, 2), PART(1, 2)},
	{SLICE_LIT("bytes=18446744073709551614-"), UINT64_MAX, PART(UINT64_MAX - 1, 1),
		PART(UINT64_MAX - 1, 1)},

	{SLICE_LIT("bytes=0-10"), 10, WHOLE, PART(0, 10)},
	{SLICE_LIT("bytes=5-2000"), 10, WHOLE, PART(5, 5)},
	{SLICE_LIT("bytes=5-18446744073709551615"), 10, WHOLE, PART(5, 5)},
	{SLICE_LIT("bytes=-11"), 10, WHOLE, PART(0, 10)},
	{SLICE_LIT("bytes=-18446744073709551615"), 10, WHOLE, PART(0, 10)},

	{SLICE_LIT("bytes=10-"), 10, WHOLE, NONE},
	{SLICE_LIT("bytes=10-12"), 10, WHOLE, NONE},
	{SLICE_LIT("bytes=-0"), 10, NONE, NONE},
	{SLICE_LIT("bytes=0-"), 0, WHOLE, NONE},
	{SLICE_LIT("bytes=0-0"), 0, WHOLE, NONE},
	{SLICE_LIT("bytes=-1"), 0, WHOLE, NONE},

	{SLICE_LIT("bytes=5-4"), 10, WHOLE, NONE},
	{SLICE_LIT("bytes="), 10, WHOLE, NONE},
	{SLICE_LIT("bytes=-"), 10, WHOLE, NONE},
	{SLICE_LIT("bytes=5"), 10, WHOLE, NONE},
	{SLICE_LIT("bytes=a-b"), 10, WHOLE, NONE},
	{SLICE_LIT("bytes=1-b"), 10, WHOLE, NONE},
	{SLICE_LIT("bytes=1-2-3"), 10, WHOLE, NONE},
	{SLICE_LIT("bytes=--1"), 10, WHOLE, NONE},
	{SLICE_LIT("bytes=+1-2"), 10, WHOLE, NONE},
	{SLICE_LIT("bytes=1 -2"), 10, WHOLE, NONE},
	{SLICE_LIT("bytes=18446744073709551616-"), 10, WHOLE, NONE},

	{SLICE_LIT("bytes=0-1,3-4"), 10, WHOLE, WHOLE},
	{SLICE_LIT("bytes=0-1,"), 10, WHOLE, WHOLE},
	{SLICE_LIT("items=0-1"), 10, WHOLE, WHOLE},
	{SLICE_LIT("bytes 0-1"), 10, WHOLE, WHOLE},
	{SLICE_LIT("bytes"), 10, WHOLE, WHOLE},
	{SLICE_LIT(""), 10, WHOLE, WHOLE},
};

static bool matches(struct slice value, uint64_t size, bool standard, const struct outcome *want)
{
	struct byte_range got = {0, 0};
	return range_parse(value, size, standard, &got) == want->result &&
	       got.first == want->first && got.size == want->size;
}

int main(void)
{
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		OK(matches(rows[i].value, rows[i].size, false, &rows[i].oss),
			"[%.*s] of %" PRIu64 ", OSS's way", SLICE_FMT(rows[i].value), rows[i].size);
		OK(matches(rows[i].value, rows[i].size, true, &rows[i].standard),
			"[%.*s] of %" PRIu64 ", the standard way", SLICE_FMT(rows[i].value),
			rows[i].size);
	}
	return tap_done();
}
