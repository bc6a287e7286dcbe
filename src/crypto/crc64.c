/* SPDX-License-Identifier: Apache-2.0 */
#include "crypto/crc64.h"

#include <isa-l/crc64.h>

/* The polynomial of ECMA-182 with its bits in reverse, as a reflected CRC uses it. */
#define POLYNOMIAL 0xc96c5795d7870f42U
#define BITS 64

/* A linear map of 64-bit words: what each single bit becomes. */
struct matrix {
	uint64_t of_bit[BITS];
};

static uint64_t apply(const struct matrix *m, uint64_t word)
{
	uint64_t sum = 0;
	for (size_t i = 0; word; i++, word >>= 1)
		if (word & 1)
			sum ^= m->of_bit[i];
	return sum;
}

/* `m` becomes the map that applies it twice. */
static void square(struct matrix *m)
{
	struct matrix twice;
	for (size_t i = 0; i < BITS; i++)
		twice.of_bit[i] = apply(m, m->of_bit[i]);
	*m = twice;
}

uint64_t crc64_update(uint64_t crc, struct slice bytes)
{
	/* Some of the library's kernels do not look at the length before they load. */
	if (bytes.len == 0)
		return crc;
	return crc64_ecma_refl(crc, (const unsigned char *)bytes.ptr, bytes.len);
}

/*
 * Appending n zero bits multiplies the register by x^n, which is a linear map of it; so the first
 * CRC is moved past the second run by squaring the map for one byte, and the second added.
 */
uint64_t crc64_combine(uint64_t first, uint64_t second, uint64_t second_len)
{
	struct matrix zeros; /* appends as many zero bytes as the bit of the length stands for */
	zeros.of_bit[0] = POLYNOMIAL;
	for (size_t i = 1; i < BITS; i++)
		zeros.of_bit[i] = UINT64_C(1) << (i - 1);
	for (int doubled = 0; doubled < 3; doubled++)
		square(&zeros);
	for (uint64_t left = second_len; left; left >>= 1) {
		if (left & 1)
			first = apply(&zeros, first);
		square(&zeros);
	}
	return first ^ second;
}
