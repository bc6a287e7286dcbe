/* SPDX-License-Identifier: Apache-2.0 */
#include <stdlib.h>

#include "crypto/crc64.h"
#include "tap.h"

static uint64_t crc_of(const void *bytes, size_t len)
{
	return crc64_update(0, slice_of(bytes, len));
}

/* Bit by bit, as the definition of CRC-64/XZ reads. */
static uint64_t slow_crc(const unsigned char *bytes, size_t len)
{
	uint64_t reg = UINT64_MAX;
	for (size_t i = 0; i < len; i++) {
		reg ^= bytes[i];
		for (int bit = 0; bit < 8; bit++)
			reg = (reg >> 1) ^ (reg & 1 ? 0xc96c5795d7870f42U : 0);
	}
	return ~reg;
}

static void every_cut(const unsigned char *bytes, size_t len)
{
	uint64_t whole = slow_crc(bytes, len);
	bool piecewise = true, combined = true;
	for (size_t cut = 0; cut <= len; cut++) {
		unsigned char *tail = malloc(len - cut + 1);
		memcpy(tail, bytes + cut, len - cut);
		uint64_t first = crc_of(bytes, cut);
		uint64_t second = crc_of(tail, len - cut);
		piecewise = piecewise && crc64_update(first, slice_of(tail, len - cut)) == whole;
		combined = combined && crc64_combine(first, second, len - cut) == whole;
		free(tail);
	}
	OK(piecewise, "%zu bytes: cutting changes nothing", len);
	OK(combined, "%zu bytes: two CRCs combine", len);
}

static void flipped_bits(unsigned char *bytes, size_t len)
{
	uint64_t whole = crc_of(bytes, len);
	size_t found = 0;
	size_t bit;
	for (size_t i = 0; i < 8 * len; i++) {
		bytes[i / 8] ^= (unsigned char)(1 << i % 8);
		found += crc64_find_flip(whole ^ crc_of(bytes, len), len, &bit) && bit == i;
		bytes[i / 8] ^= (unsigned char)(1 << i % 8);
	}
	OK(found == 8 * len, "%zu bytes: each flipped bit is found", len);
	bytes[0] ^= 5;
	OK(!crc64_find_flip(whole ^ crc_of(bytes, len), len, &bit), "two are not");
	bytes[0] ^= 5;
	OK(!crc64_find_flip(0, len, &bit), "nor is none");
}

int main(void)
{
	OK(crc_of("123456789", 9) == 0x995dc9bbdf1939faU, "the check value");
	OK(crc64_update(7, (struct slice){NULL, 0}) == 7, "nothing leaves the CRC alone");
	unsigned char bytes[1000];
	uint32_t seed = 1;
	for (size_t i = 0; i < sizeof(bytes); i++) {
		seed = seed * 1664525 + 1013904223;
		bytes[i] = (unsigned char)(seed >> 24);
	}
	every_cut(bytes, sizeof(bytes));
	every_cut(bytes, 17);
	every_cut(bytes, 0);
	flipped_bits(bytes, 100);

	/* 5 GiB of zeros behind a text, without making them: twice the half is the whole. */
	uint64_t zero = crc_of("", 1), zeros = 0, len = 0;
	for (int bit = 33; bit >= 0; bit--) {
		zeros = crc64_combine(zeros, zeros, len);
		len *= 2;
		if (((uint64_t)5 << 30) >> bit & 1) {
			zeros = crc64_combine(zeros, zero, 1);
			len++;
		}
	}
	IS_INT(len, (uint64_t)5 << 30, "as long as meant");
	uint64_t in_two = crc64_combine(crc_of("text", 4), zeros, len);
	uint64_t in_three =
		crc64_combine(crc64_combine(crc_of("te", 2), crc_of("xt", 2), 2), zeros, len);
	OK(in_two == in_three && in_two != zeros, "long second runs combine alike");
	return tap_done();
}
