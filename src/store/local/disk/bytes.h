/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Integers in files: little-endian in records and values, big-endian in keys, where the order of
 * the bytes must be the order of the numbers. And the zeros with which they end, for room in files
 * is taken before there are bytes.
 */
#ifndef STORE_LOCAL_DISK_BYTES_H
#define STORE_LOCAL_DISK_BYTES_H

#include <endian.h>
#include <stdint.h>
#include <string.h>

static inline uint16_t le16_get(const void *p)
{
	uint16_t v;
	memcpy(&v, p, sizeof(v));
	return le16toh(v);
}

static inline uint32_t le32_get(const void *p)
{
	uint32_t v;
	memcpy(&v, p, sizeof(v));
	return le32toh(v);
}

static inline uint64_t le64_get(const void *p)
{
	uint64_t v;
	memcpy(&v, p, sizeof(v));
	return le64toh(v);
}

static inline uint64_t be64_get(const void *p)
{
	uint64_t v;
	memcpy(&v, p, sizeof(v));
	return be64toh(v);
}

static inline void le16_put(void *p, uint16_t v)
{
	v = htole16(v);
	memcpy(p, &v, sizeof(v));
}

static inline void le32_put(void *p, uint32_t v)
{
	v = htole32(v);
	memcpy(p, &v, sizeof(v));
}

static inline void le64_put(void *p, uint64_t v)
{
	v = htole64(v);
	memcpy(p, &v, sizeof(v));
}

static inline void be64_put(void *p, uint64_t v)
{
	v = htobe64(v);
	memcpy(p, &v, sizeof(v));
}

/* How many of the bytes there are before the zeros that they end with. */
static inline size_t bytes_before_zeros(const char *bytes, size_t len)
{
	while (len >= sizeof(uint64_t) && le64_get(bytes + len - sizeof(uint64_t)) == 0)
		len -= sizeof(uint64_t);
	while (len > 0 && bytes[len - 1] == 0)
		len--;
	return len;
}

#endif
