/* SPDX-License-Identifier: Apache-2.0 */
/*
 * CRC-64/XZ (ECMA-182 polynomial, reflected), the checksum of x-oss-hash-crc64ecma. Any thread.
 *
 *	uint64_t crc = 0;
 *	crc = crc64_update(crc, piece);
 */
#ifndef CRYPTO_CRC64_H
#define CRYPTO_CRC64_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/slice.h"

/* The CRC of what `crc` was of (nothing, for 0) with `bytes` behind it. */
uint64_t crc64_update(uint64_t crc, struct slice bytes);

/*
 * The CRC of two runs of bytes put together, from their CRCs and the length of the second, without
 * the bytes.
 */
uint64_t crc64_combine(uint64_t first, uint64_t second, uint64_t second_len);

/*
 * Which of the bits of `len` bytes was flipped, if `difference` is the exclusive or of the CRC that
 * they have and the one that they had: 0 is the lowest bit of the first byte. False if it was more
 * than one bit. Takes as long as some 8 * len steps of a CRC without a table.
 */
bool crc64_find_flip(uint64_t difference, size_t len, size_t *ret_bit);

#endif
