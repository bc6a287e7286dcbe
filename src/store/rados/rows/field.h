/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Fields of the values of rows: big-endian numbers and runs of bytes. A reader that comes to the
 * end too early is bad from then on, and gives zeros, so a value is read as a plain list of fields
 * with one check at the end.
 */
#ifndef STORE_RADOS_ROWS_FIELD_H
#define STORE_RADOS_ROWS_FIELD_H

#include <stdbool.h>
#include <stdint.h>

#include "base/slice.h"
#include "base/strbuf.h"

struct field_reader {
	struct slice rest;
	bool bad;
};

static inline struct slice field_bytes(struct field_reader *reader, size_t len)
{
	struct slice taken = slice_head(reader->rest, len);
	if (taken.len < len) {
		reader->bad = true;
		return S("");
	}
	reader->rest = slice_from(reader->rest, len);
	return taken;
}

/* A number of `len` bytes, 8 at most. */
static inline uint64_t field_number(struct field_reader *reader, size_t len)
{
	struct slice bytes = field_bytes(reader, len);
	uint64_t number = 0;
	for (size_t i = 0; i < bytes.len; i++)
		number = number << 8 | (unsigned char)bytes.ptr[i];
	return number;
}

/* Bytes that have no meaning yet and must be 0. */
static inline void field_zeros(struct field_reader *reader, size_t len)
{
	struct slice bytes = field_bytes(reader, len);
	for (size_t i = 0; i < bytes.len; i++)
		reader->bad = reader->bad || bytes.ptr[i] != 0;
}

/* Whether all has been read, and was there. */
static inline bool field_end(const struct field_reader *reader)
{
	return !reader->bad && reader->rest.len == 0;
}

static inline void field_add(struct strbuf *out, uint64_t number, size_t len)
{
	for (size_t i = len; i-- > 0;)
		strbuf_addc(out, (char)(unsigned char)(number >> (8 * i)));
}

#endif
