/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Width, height and format of an image from the bytes of an upload as they stream by: PNG, JPEG,
 * GIF, WebP and BMP. A machine of a few dozen bytes that allocates nothing and needs only the head
 * of the file (of a JPEG, all that lies before its frame header, skipped segment by segment). It
 * reads headers and decodes nothing.
 */
#ifndef OSS_IMAGE_INFO_H
#define OSS_IMAGE_INFO_H

#include <stdint.h>

#include "base/slice.h"

enum image_state {
	/* Not decided: feed more. */
	IMAGE_SIGNATURE,     /* the first two bytes */
	IMAGE_PNG,           /* the rest of the signature, and IHDR */
	IMAGE_GIF,           /* the rest of the signature, and the screen size */
	IMAGE_BMP,           /* the file header, and the size of the next */
	IMAGE_BMP_CORE,      /* width and height of 16 bits */
	IMAGE_BMP_INFO,      /* width and height of 32 bits */
	IMAGE_WEBP,          /* the rest of RIFF, and the kind of the first chunk */
	IMAGE_WEBP_LOSSY,    /* VP8: a key frame header */
	IMAGE_WEBP_LOSSLESS, /* VP8L */
	IMAGE_WEBP_EXTENDED, /* VP8X: the canvas */
	IMAGE_JPEG_FIRST,    /* FF, of the first marker */
	IMAGE_JPEG_SEEK,     /* FF, of a later marker, after any bytes */
	IMAGE_JPEG_MARKER,   /* the code of a marker, after any number of FF */
	IMAGE_JPEG_LENGTH,   /* of a segment that is to be skipped */
	IMAGE_JPEG_FRAME,    /* a frame header */
	/* Decided, for good. */
	IMAGE_FOUND,   /* `format`, `width` and `height` are set */
	IMAGE_NONE,    /* not an image of a known format */
	IMAGE_DAMAGED, /* begins like an image but cannot be one */
};

struct image_info {
	enum image_state state;
	const char *format; /* "png", "jpg", "gif", "webp", "bmp" in state IMAGE_FOUND, else "" */
	uint32_t width;     /* in pixels, never 0 in state IMAGE_FOUND, else 0 */
	uint32_t height;
	uint32_t skip_;           /* bytes to pass over before the next are gathered */
	unsigned have_;           /* bytes gathered */
	unsigned char bytes_[24]; /* the field being gathered */
};

void image_info_init(struct image_info *m);

/* Takes the next bytes of the file. Returns false once it is decided: no need to feed more. */
bool image_info_feed(struct image_info *m, struct slice piece);

/* Says that the file has ended: what was not decided becomes IMAGE_NONE or IMAGE_DAMAGED. */
enum image_state image_info_end(struct image_info *m);

#endif
