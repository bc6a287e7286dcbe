/* SPDX-License-Identifier: Apache-2.0 */
#include "oss/image_info.h"

#include <assert.h>

static uint32_t le16(const unsigned char *p)
{
	return (uint32_t)p[0] | (uint32_t)p[1] << 8;
}

static uint32_t le24(const unsigned char *p)
{
	return le16(p) | (uint32_t)p[2] << 16;
}

static uint32_t le32(const unsigned char *p)
{
	return le24(p) | (uint32_t)p[3] << 24;
}

static uint32_t be16(const unsigned char *p)
{
	return (uint32_t)p[0] << 8 | (uint32_t)p[1];
}

static uint32_t be32(const unsigned char *p)
{
	return be16(p) << 16 | be16(p + 2);
}

/* How many bytes a state gathers before it is run; 0 for the decided ones. */
static unsigned needs(enum image_state state)
{
	switch (state) {
	case IMAGE_SIGNATURE:
		return 2;
	case IMAGE_PNG:
		return 22;
	case IMAGE_GIF:
		return 8;
	case IMAGE_BMP:
		return 16;
	case IMAGE_BMP_CORE:
		return 4;
	case IMAGE_BMP_INFO:
		return 8;
	case IMAGE_WEBP:
		return 14;
	case IMAGE_WEBP_LOSSY:
	case IMAGE_WEBP_EXTENDED:
		return 14;
	case IMAGE_WEBP_LOSSLESS:
		return 9;
	case IMAGE_JPEG_FIRST:
	case IMAGE_JPEG_SEEK:
	case IMAGE_JPEG_MARKER:
		return 1;
	case IMAGE_JPEG_LENGTH:
		return 2;
	case IMAGE_JPEG_FRAME:
		return 7;
	case IMAGE_FOUND:
	case IMAGE_NONE:
	case IMAGE_DAMAGED:
		break;
	}
	return 0;
}

static enum image_state found(
	struct image_info *m, const char *format, uint32_t width, uint32_t height)
{
	if (width == 0 || height == 0 || width > INT32_MAX || height > INT32_MAX)
		return IMAGE_DAMAGED;
	m->format = format;
	m->width = width;
	m->height = height;
	return IMAGE_FOUND;
}

static enum image_state signature(const unsigned char *p)
{
	static const struct {
		unsigned char bytes[2];
		enum image_state state;
	} rows[] = {{{0x89, 'P'}, IMAGE_PNG}, {{0xff, 0xd8}, IMAGE_JPEG_FIRST},
		{{'G', 'I'}, IMAGE_GIF}, {{'R', 'I'}, IMAGE_WEBP}, {{'B', 'M'}, IMAGE_BMP}};
	for (size_t i = 0; i < ARRAY_LEN(rows); i++)
		if (memcmp(p, rows[i].bytes, 2) == 0)
			return rows[i].state;
	return IMAGE_NONE;
}

static enum image_state png(struct image_info *m, const unsigned char *p)
{
	if (memcmp(p, "NG\r\n\x1a\n", 6) != 0)
		return IMAGE_NONE;
	if (be32(p + 6) != 13 || memcmp(p + 10, "IHDR", 4) != 0)
		return IMAGE_DAMAGED;
	return found(m, "png", be32(p + 14), be32(p + 18));
}

static enum image_state gif(struct image_info *m, const unsigned char *p)
{
	if (memcmp(p, "F87a", 4) != 0 && memcmp(p, "F89a", 4) != 0)
		return IMAGE_NONE;
	return found(m, "gif", le16(p + 4), le16(p + 6));
}

/* Text may well begin with "BM", so only a header of a known size makes it an image. */
static enum image_state bmp(const unsigned char *p)
{
	switch (le32(p + 12)) {
	case 12:
		return IMAGE_BMP_CORE;
	case 16:
	case 40:
	case 52:
	case 56:
	case 64:
	case 108:
	case 124:
		return IMAGE_BMP_INFO;
	default:
		return IMAGE_NONE;
	}
}

/* A negative height means that rows go from top to bottom. */
static enum image_state bmp_info(struct image_info *m, const unsigned char *p)
{
	uint32_t height = le32(p + 4);
	return found(m, "bmp", le32(p), height > INT32_MAX ? 0 - height : height);
}

static enum image_state webp(const unsigned char *p)
{
	if (memcmp(p, "FF", 2) != 0 || memcmp(p + 6, "WEBP", 4) != 0)
		return IMAGE_NONE;
	if (memcmp(p + 10, "VP8 ", 4) == 0)
		return IMAGE_WEBP_LOSSY;
	if (memcmp(p + 10, "VP8L", 4) == 0)
		return IMAGE_WEBP_LOSSLESS;
	return memcmp(p + 10, "VP8X", 4) == 0 ? IMAGE_WEBP_EXTENDED : IMAGE_DAMAGED;
}

/* Behind the chunk size: a frame tag of three bytes, a start code, and sizes of 14 bits. */
static enum image_state webp_lossy(struct image_info *m, const unsigned char *p)
{
	bool key_frame = (p[4] & 1) == 0;
	if (!key_frame || memcmp(p + 7, "\x9d\x01\x2a", 3) != 0)
		return IMAGE_DAMAGED;
	return found(m, "webp", le16(p + 10) & 0x3fff, le16(p + 12) & 0x3fff);
}

static enum image_state webp_lossless(struct image_info *m, const unsigned char *p)
{
	if (p[4] != 0x2f)
		return IMAGE_DAMAGED;
	uint32_t bits = le32(p + 5);
	return found(m, "webp", (bits & 0x3fff) + 1, (bits >> 14 & 0x3fff) + 1);
}

static enum image_state webp_extended(struct image_info *m, const unsigned char *p)
{
	return found(m, "webp", le24(p + 8) + 1, le24(p + 11) + 1);
}

/* ITU-T T.81 table B.1. Before a frame header only segments that can be skipped may come. */
static enum image_state jpeg_marker(unsigned char code)
{
	if (code == 0xff)
		return IMAGE_JPEG_MARKER; /* fill */
	if (code >= 0xc0 && code <= 0xcf && code != 0xc4 && code != 0xc8 && code != 0xcc)
		return IMAGE_JPEG_FRAME;
	if (code == 0x00 || code == 0x01 || (code >= 0xd0 && code <= 0xd7))
		return IMAGE_JPEG_SEEK; /* no marker, or one without a segment */
	if (code >= 0xd8 && code <= 0xda)
		return IMAGE_DAMAGED; /* an image in the image, the end, or a scan: too early */
	return IMAGE_JPEG_LENGTH;
}

static enum image_state jpeg_length(struct image_info *m, const unsigned char *p)
{
	if (be16(p) < 2)
		return IMAGE_DAMAGED;
	m->skip_ = be16(p) - 2;
	return IMAGE_JPEG_SEEK;
}

/* Length, bits per sample, height, width. */
static enum image_state jpeg_frame(struct image_info *m, const unsigned char *p)
{
	return found(m, "jpg", be16(p + 5), be16(p + 3));
}

/* Runs the state with all its bytes at `p`; gives the next one. */
static enum image_state step(struct image_info *m, const unsigned char *p)
{
	switch (m->state) {
	case IMAGE_SIGNATURE:
		return signature(p);
	case IMAGE_PNG:
		return png(m, p);
	case IMAGE_GIF:
		return gif(m, p);
	case IMAGE_BMP:
		return bmp(p);
	case IMAGE_BMP_CORE:
		return found(m, "bmp", le16(p), le16(p + 2));
	case IMAGE_BMP_INFO:
		return bmp_info(m, p);
	case IMAGE_WEBP:
		return webp(p);
	case IMAGE_WEBP_LOSSY:
		return webp_lossy(m, p);
	case IMAGE_WEBP_LOSSLESS:
		return webp_lossless(m, p);
	case IMAGE_WEBP_EXTENDED:
		return webp_extended(m, p);
	case IMAGE_JPEG_FIRST:
		return *p == 0xff ? IMAGE_JPEG_MARKER : IMAGE_NONE;
	case IMAGE_JPEG_SEEK:
		return *p == 0xff ? IMAGE_JPEG_MARKER : IMAGE_JPEG_SEEK;
	case IMAGE_JPEG_MARKER:
		return jpeg_marker(*p);
	case IMAGE_JPEG_LENGTH:
		return jpeg_length(m, p);
	case IMAGE_JPEG_FRAME:
		return jpeg_frame(m, p);
	case IMAGE_FOUND:
	case IMAGE_NONE:
	case IMAGE_DAMAGED:
		break;
	}
	return m->state;
}

/* Passes over what is to be skipped; a JPEG may hold strange bytes between its segments. */
static struct slice skip(struct image_info *m, struct slice piece)
{
	size_t bytes = m->skip_ < piece.len ? m->skip_ : piece.len;
	m->skip_ -= (uint32_t)bytes;
	piece = slice_from(piece, bytes);
	if (m->state == IMAGE_JPEG_SEEK)
		piece = slice_from(piece, slice_find(piece, '\xff'));
	return piece;
}

void image_info_init(struct image_info *m)
{
	*m = (struct image_info){.state = IMAGE_SIGNATURE, .format = ""};
}

bool image_info_feed(struct image_info *m, struct slice piece)
{
	unsigned need;
	while ((need = needs(m->state)) > 0) {
		piece = skip(m, piece);
		if (piece.len == 0)
			return true;
		assert(need <= sizeof(m->bytes_) && m->have_ < need);
		size_t take = need - m->have_;
		if (take > piece.len)
			take = piece.len;
		memcpy(m->bytes_ + m->have_, piece.ptr, take);
		m->have_ += (unsigned)take;
		piece = slice_from(piece, take);
		if (m->have_ < need)
			return true;
		m->have_ = 0;
		m->state = step(m, m->bytes_);
	}
	return false;
}

enum image_state image_info_end(struct image_info *m)
{
	/* Up to here only two bytes of a signature may have been seen, which says little. */
	bool vague = m->state == IMAGE_SIGNATURE || m->state == IMAGE_BMP ||
		     m->state == IMAGE_WEBP || m->state == IMAGE_JPEG_FIRST ||
		     m->state == IMAGE_GIF || m->state == IMAGE_PNG;
	if (needs(m->state) > 0)
		m->state = vague ? IMAGE_NONE : IMAGE_DAMAGED;
	return m->state;
}
