/* SPDX-License-Identifier: Apache-2.0 */
#include "store/rados/rows/key.h"

#include <assert.h>
#include <string.h>

enum {
	LOW = 0x01,     /* begins what 00 and 01 become, and the end mark */
	LOW_END = 0x01, /* the end mark's second byte */
	LOW_BASE = 0x02,
	HIGH = 0xfe,
	HIGH_BASE = 0x01,
	BEHIND = 0xff,
};

/* ---- Making ---------------------------------------------------------------------------------- */

static void add(struct row_key *to, unsigned byte)
{
	assert(to->len < ROW_KEY_BYTES_MAX);
	to->bytes[to->len++] = (char)byte;
	to->bytes[to->len] = '\0';
}

static void add_text(struct row_key *to, struct slice text)
{
	for (size_t i = 0; i < text.len; i++) {
		unsigned byte = (unsigned char)text.ptr[i];
		if (byte <= LOW) {
			add(to, LOW);
			add(to, LOW_BASE + byte);
		} else if (byte >= HIGH) {
			add(to, HIGH);
			add(to, HIGH_BASE + (byte - HIGH));
		} else {
			add(to, byte);
		}
	}
}

static void add_end(struct row_key *to)
{
	add(to, LOW);
	add(to, LOW_END);
}

static void add_number(struct row_key *to, uint64_t number, unsigned bytes)
{
	for (unsigned i = bytes; i-- > 0;)
		add(to, 0x80 | (unsigned)(number >> (7 * i) & 0x7f));
}

struct row_key row_key_of(char kind, struct slice key)
{
	struct row_key ret = {.len = 0};
	add(&ret, (unsigned char)kind);
	add_text(&ret, key);
	return ret;
}

struct row_key row_key_all_of(char kind, struct slice key)
{
	struct row_key ret = row_key_of(kind, key);
	add_end(&ret);
	return ret;
}

struct row_key row_key_version(char kind, struct slice key, uint64_t version)
{
	struct row_key ret = row_key_all_of(kind, key);
	add_number(&ret, ~version, ROW_NUMBER_BYTES);
	return ret;
}

struct row_key row_key_upload(struct slice key, uint64_t upload)
{
	struct row_key ret = row_key_all_of(ROW_UPLOAD, key);
	add_number(&ret, upload, ROW_NUMBER_BYTES);
	return ret;
}

struct row_key row_key_parts(struct slice key, uint64_t upload)
{
	struct row_key ret = row_key_all_of(ROW_PART, key);
	add_number(&ret, upload, ROW_NUMBER_BYTES);
	return ret;
}

struct row_key row_key_part(struct slice key, uint64_t upload, uint32_t part)
{
	struct row_key ret = row_key_parts(key, upload);
	add_number(&ret, part, ROW_PART_BYTES);
	return ret;
}

struct row_key row_key_number(char kind, uint64_t number)
{
	struct row_key ret = row_key_of(kind, S(""));
	add_number(&ret, number, ROW_NUMBER_BYTES);
	return ret;
}

struct row_key row_key_garbage(uint64_t epoch, uint64_t revision)
{
	struct row_key ret = row_key_number(ROW_GARBAGE, epoch);
	add_number(&ret, revision, ROW_NUMBER_BYTES);
	return ret;
}

bool row_key_take(struct slice row, struct row_key *ret)
{
	if (row.len > ROW_KEY_BYTES_MAX)
		return false;
	memcpy(ret->bytes, row.ptr, row.len);
	ret->bytes[row.len] = '\0';
	ret->len = row.len;
	return true;
}

struct row_key row_key_past(const struct row_key *key)
{
	struct row_key ret = *key;
	add(&ret, BEHIND);
	return ret;
}

/* ---- Parsing --------------------------------------------------------------------------------- */

/* Takes the escaped text and, if there is one, the end mark. */
static bool take_text(struct slice *rest, struct row_name *ret, bool *ret_ended)
{
	*ret_ended = false;
	while (rest->len && !*ret_ended) {
		unsigned byte = (unsigned char)rest->ptr[0];
		size_t len = 1;
		if (byte == 0 || byte == BEHIND)
			return false;
		if (byte == LOW || byte == HIGH) {
			unsigned next = rest->len > 1 ? (unsigned char)rest->ptr[1] : 0;
			unsigned base = byte == LOW ? LOW_BASE : HIGH_BASE;
			len = 2;
			*ret_ended = byte == LOW && next == LOW_END;
			if (!*ret_ended && (next < base || next > base + 1))
				return false;
			byte = (byte == LOW ? 0 : HIGH) + (next - base);
		}
		*rest = slice_from(*rest, len);
		if (*ret_ended)
			break;
		if (ret->key_len == sizeof(ret->key))
			return false;
		ret->key[ret->key_len++] = (char)byte;
	}
	return ret->key_len > 0;
}

static bool take_number(struct slice *rest, unsigned bytes, uint64_t *ret)
{
	uint64_t number = 0;
	if (rest->len < bytes)
		return false;
	for (unsigned i = 0; i < bytes; i++) {
		unsigned byte = (unsigned char)rest->ptr[i];
		/* Of 70 bits the first six are none of the number's. */
		if (byte < 0x80 || (i == 0 && bytes == ROW_NUMBER_BYTES && byte > 0x81))
			return false;
		number = number << 7 | (byte & 0x7f);
	}
	*rest = slice_from(*rest, bytes);
	*ret = number;
	return true;
}

bool row_key_parse_number(struct slice row, char kind, uint64_t *ret)
{
	struct slice rest = slice_from(row, 1);
	return row.len && row.ptr[0] == kind && take_number(&rest, ROW_NUMBER_BYTES, ret) &&
	       rest.len == 0;
}

bool row_key_parse_garbage(struct slice row, uint64_t *ret_epoch, uint64_t *ret_revision)
{
	struct slice rest = slice_from(row, 1);
	return row.len && row.ptr[0] == ROW_GARBAGE &&
	       take_number(&rest, ROW_NUMBER_BYTES, ret_epoch) &&
	       take_number(&rest, ROW_NUMBER_BYTES, ret_revision) && rest.len == 0;
}

bool row_key_parse(struct slice row, struct row_name *ret)
{
	bool ended;
	uint64_t part = 0;
	ret->key_len = 0;
	ret->number = 0;
	ret->part = 0;
	if (row.len == 0)
		return false;
	char kind = row.ptr[0];
	struct slice rest = slice_from(row, 1);
	if (!take_text(&rest, ret, &ended))
		return false;
	if (kind == ROW_OBJECT || kind == ROW_HIDDEN)
		return !ended && rest.len == 0;
	if (!ended || !take_number(&rest, ROW_NUMBER_BYTES, &ret->number))
		return false;
	switch (kind) {
	case ROW_VERSION:
	case ROW_BYTES:
	case ROW_EXTENTS:
		ret->number = ~ret->number;
		return rest.len == 0;
	case ROW_UPLOAD:
		return rest.len == 0;
	case ROW_PART:
		if (!take_number(&rest, ROW_PART_BYTES, &part))
			return false;
		ret->part = (uint32_t)part;
		return rest.len == 0;
	default:
		return false;
	}
}
