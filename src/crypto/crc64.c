/* SPDX-License-Identifier: Apache-2.0 */
#include "crypto/crc64.h"

#include <isa-l/crc64.h>

/* The polynomial of ECMA-182 with its bits in reverse, as a reflected CRC uses it. */
#define POLYNOMIAL UINT64_C(0xc96c5795d7870f42)

uint64_t crc64_update(uint64_t crc, struct slice bytes)
{
	/* Some of the library's kernels do not look at the length before they load. */
	if (bytes.len == 0)
		return crc;
	return crc64_ecma_refl(crc, (const unsigned char *)bytes.ptr, bytes.len);
}

/* The product of two polynomials, modulo that of the CRC. The highest bit is the coefficient of 1.
 */
static uint64_t multiply(uint64_t a, uint64_t b)
{
	uint64_t product = 0;
	for (; a; a <<= 1) {
		product ^= b & -(a >> 63);
		b = b >> 1 ^ (POLYNOMIAL & -(b & 1)); /* times x */
	}
	return product;
}

/*
 * Appending n zero bytes multiplies the register by x^8n; so the first CRC is moved past the second
 * run by the powers of x^8 that the bits of its length stand for, and the second added.
 */
uint64_t crc64_combine(uint64_t first, uint64_t second, uint64_t second_len)
{
	uint64_t power = UINT64_C(1) << (63 - 8);
	for (uint64_t left = second_len; left; left >>= 1) {
		if (left & 1)
			first = multiply(power, first);
		power = multiply(power, power);
	}
	return first ^ second;
}

/* A bit that is followed by n - 1 others changes the register by x^n. */
bool crc64_find_flip(uint64_t difference, size_t len, size_t *ret_bit)
{
	uint64_t register_ = 1;
	for (size_t bit = 8 * len; bit > 0; bit--) {
		register_ = register_ >> 1 ^ (POLYNOMIAL & -(register_ & 1));
		if (register_ == difference) {
			*ret_bit = bit - 1;
			return true;
		}
	}
	return false;
}
