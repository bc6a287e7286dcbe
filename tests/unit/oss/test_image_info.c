/* SPDX-License-Identifier: Apache-2.0 */
/* Image headers of every format, whole and at every split, truncated, and damaged. */
#include "oss/image_info.h"

#include "tap.h"

#define PNG "\x89PNG\r\n\x1a\n\0\0\0\rIHDR"
#define BMP(size) "BM????\0\0\0\0\x36\0\0\0" size "\0\0\0"
#define RIFF "RIFF\x64\0\0\0WEBP"
#define SOI "\xff\xd8"
#define APP0 "\xff\xe0\0\x10JFIF\0\x01\x01\0\0\x01\0\x01\0\0"
#define SOF(code) "\xff" code "\0\x11\x08\x01\x0a\x02\x0b\x03"

static const struct {
	const char *name;
	struct slice bytes;
	enum image_state state;
	const char *format;
	uint32_t width, height;
} rows[] = {
	{"PNG", SLICE_LIT(PNG "\0\0\x01\x8c\0\0\0\xdd"), IMAGE_FOUND, "png", 396, 221},
	{"PNG with more behind", SLICE_LIT(PNG "\0\0\x01\x8c\0\0\0\xdd\x08\x06\0\0\0"), IMAGE_FOUND,
		"png", 396, 221},
	{"the largest PNG", SLICE_LIT(PNG "\x7f\xff\xff\xff\0\0\0\x01"), IMAGE_FOUND, "png",
		0x7fffffff, 1},
	{"PNG too wide", SLICE_LIT(PNG "\x80\0\0\0\0\0\0\x01"), IMAGE_DAMAGED, "", 0, 0},
	{"PNG without width", SLICE_LIT(PNG "\0\0\0\0\0\0\0\x01"), IMAGE_DAMAGED, "", 0, 0},
	{"PNG without height", SLICE_LIT(PNG "\0\0\0\x01\0\0\0\0"), IMAGE_DAMAGED, "", 0, 0},
	{"PNG that begins with another chunk",
		SLICE_LIT("\x89PNG\r\n\x1a\n\0\0\0\x04"
			  "CgBI\0\0\0\0\0\0\0\0"),
		IMAGE_DAMAGED, "", 0, 0},
	{"PNG with an odd header length",
		SLICE_LIT("\x89PNG\r\n\x1a\n\0\0\0\x0eIHDR\0\0\0\x01\0\0\0\x01"), IMAGE_DAMAGED, "",
		0, 0},
	{"PNG after a text transfer",
		SLICE_LIT("\x89PNG\n\x1a\n\0\0\0\rIHDR\0\0\0\x01\0\0\0\x01\0"), IMAGE_NONE, "", 0,
		0},

	{"GIF87a", SLICE_LIT("GIF87a\x0a\x01\x0b\x02"), IMAGE_FOUND, "gif", 266, 523},
	{"GIF89a", SLICE_LIT("GIF89a\x01\0\x01\0\x80"), IMAGE_FOUND, "gif", 1, 1},
	{"GIF of size 0", SLICE_LIT("GIF89a\0\0\x01\0"), IMAGE_DAMAGED, "", 0, 0},
	{"GIF88a", SLICE_LIT("GIF88a\x01\0\x01\0"), IMAGE_NONE, "", 0, 0},

	{"BMP", SLICE_LIT(BMP("\x28") "\x0a\x01\0\0\x0b\x02\0\0"), IMAGE_FOUND, "bmp", 266, 523},
	{"BMP from top to bottom", SLICE_LIT(BMP("\x28") "\x0a\x01\0\0\xf5\xfd\xff\xff"),
		IMAGE_FOUND, "bmp", 266, 523},
	{"BMP version 5", SLICE_LIT(BMP("\x7c") "\x01\0\0\0\x02\0\0\0"), IMAGE_FOUND, "bmp", 1, 2},
	{"BMP of OS/2", SLICE_LIT(BMP("\x0c") "\x0a\x01\x0b\x02"), IMAGE_FOUND, "bmp", 266, 523},
	{"BMP of impossible height", SLICE_LIT(BMP("\x28") "\x01\0\0\0\0\0\0\x80"), IMAGE_DAMAGED,
		"", 0, 0},
	{"BMP of negative width", SLICE_LIT(BMP("\x28") "\xff\xff\xff\xff\x01\0\0\0"),
		IMAGE_DAMAGED, "", 0, 0},
	{"text that begins with BM", SLICE_LIT("BMW makes cars, and more besides."), IMAGE_NONE, "",
		0, 0},

	{"WebP, lossy", SLICE_LIT(RIFF "VP8 \x20\0\0\0\x10\0\0\x9d\x01\x2a\x0a\x41\x0b\x82"),
		IMAGE_FOUND, "webp", 266, 523},
	{"WebP, lossy, not a key frame",
		SLICE_LIT(RIFF "VP8 \x20\0\0\0\x11\0\0\x9d\x01\x2a\x0a\x01\x0b\x02"), IMAGE_DAMAGED,
		"", 0, 0},
	{"WebP, lossy, bad start code",
		SLICE_LIT(RIFF "VP8 \x20\0\0\0\x10\0\0\x9d\x01\x2b\x0a\x01\x0b\x02"), IMAGE_DAMAGED,
		"", 0, 0},
	{"WebP, lossless", SLICE_LIT(RIFF "VP8L\x20\0\0\0\x2f\x09\x81\x82\x10"), IMAGE_FOUND,
		"webp", 266, 523},
	{"WebP, lossless, bad signature", SLICE_LIT(RIFF "VP8L\x20\0\0\0\x2e\x09\xc1\x82\x10"),
		IMAGE_DAMAGED, "", 0, 0},
	{"WebP, extended", SLICE_LIT(RIFF "VP8X\x0a\0\0\0\x10\0\0\0\x09\x01\x01\x0a\x02\x03"),
		IMAGE_FOUND, "webp", 65802, 197131},
	{"WebP with an unknown chunk", SLICE_LIT(RIFF "ABCD\x0a\0\0\0"), IMAGE_DAMAGED, "", 0, 0},
	{"RIFF, but sound", SLICE_LIT("RIFF\x64\0\0\0WAVEfmt "), IMAGE_NONE, "", 0, 0},

	{"JPEG", SLICE_LIT(SOI APP0 SOF("\xc0")), IMAGE_FOUND, "jpg", 523, 266},
	{"JPEG, progressive", SLICE_LIT(SOI APP0 SOF("\xc2")), IMAGE_FOUND, "jpg", 523, 266},
	{"JPEG, last kind of frame", SLICE_LIT(SOI SOF("\xcf")), IMAGE_FOUND, "jpg", 523, 266},
	{"JPEG with tables before the frame",
		SLICE_LIT(SOI "\xff\xc4\0\x06\xff\xc0\xff\xc2"
			      "\xff\xcc\0\x02\xff\xdb\0\x03\xff\xff\xfe\0\x02" SOF("\xc1")),
		IMAGE_FOUND, "jpg", 523, 266},
	{"JPEG with an extension that is no frame",
		SLICE_LIT(SOI "\xff\xc8\0\x08\x08\0\x01\0\x01\0" SOF("\xc0")), IMAGE_FOUND, "jpg",
		523, 266},
	{"JPEG with fill bytes", SLICE_LIT(SOI "\xff\xff\xff\xe0\0\x02\xff\xff" SOF("\xc0")),
		IMAGE_FOUND, "jpg", 523, 266},
	{"JPEG with strange bytes between segments",
		SLICE_LIT(SOI "\xff\xe0\0\x02\0\0junk\xff\0more\xff\xd0\xff\x01" SOF("\xc0")),
		IMAGE_FOUND, "jpg", 523, 266},
	{"JPEG whose comment holds a frame",
		SLICE_LIT(SOI "\xff\xfe\0\x0b\xff\xc3\0\x11\x08\0\x01\0\x01" SOF("\xc0")),
		IMAGE_FOUND, "jpg", 523, 266},
	{"JPEG of height 0", SLICE_LIT(SOI "\xff\xc0\0\x11\x08\0\0\x02\x0b"), IMAGE_DAMAGED, "", 0,
		0},
	{"JPEG with a scan before the frame", SLICE_LIT(SOI "\xff\xda\0\x02" SOF("\xc0")),
		IMAGE_DAMAGED, "", 0, 0},
	{"JPEG that ends at once", SLICE_LIT(SOI "\xff\xd9" SOF("\xc0")), IMAGE_DAMAGED, "", 0, 0},
	{"JPEG with a segment of length 1", SLICE_LIT(SOI "\xff\xe0\0\x01" SOF("\xc0")),
		IMAGE_DAMAGED, "", 0, 0},
	{"not quite JPEG", SLICE_LIT(SOI "\0" SOF("\xc0")), IMAGE_NONE, "", 0, 0},

	{"text", SLICE_LIT("hello"), IMAGE_NONE, "", 0, 0},
	{"zeros", SLICE_LIT("\0\0\0\0"), IMAGE_NONE, "", 0, 0},
	{"half a signature", SLICE_LIT("\x89Q"), IMAGE_NONE, "", 0, 0},
};

/* Feeds a copy of its own to the machine, so that a read past it is seen. */
static bool feed(struct image_info *m, struct slice piece)
{
	SCOPED_FREE char *copy = malloc(piece.len ? piece.len : 1);
	memcpy(copy, piece.len ? piece.ptr : "", piece.len);
	bool more = image_info_feed(m, slice_of(copy, piece.len));
	memset(copy, 0xee, piece.len);
	return more;
}

static bool is_row(struct image_info *m, size_t row)
{
	return image_info_end(m) == rows[row].state && m->width == rows[row].width &&
	       m->height == rows[row].height &&
	       slice_eq(slice_str(m->format), slice_str(rows[row].format));
}

static void at_every_split(void)
{
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct slice bytes = rows[i].bytes;
		int bad = 0;
		struct image_info m;
		for (size_t first = 0; first <= bytes.len; first++) {
			for (size_t second = first; second <= bytes.len; second++) {
				image_info_init(&m);
				(void)feed(&m, slice_head(bytes, first));
				(void)feed(&m, slice_of(bytes.ptr + first, second - first));
				bool more = feed(&m, slice_from(bytes, second));
				bad += more || !is_row(&m, i);
			}
		}
		IS_INT(bad, 0, rows[i].name);
		image_info_init(&m);
		for (size_t at = 0; at < bytes.len; at++)
			(void)feed(&m, slice_of(bytes.ptr + at, 1));
		OK(is_row(&m, i) && !feed(&m, S("\xff\xc0 more")) && is_row(&m, i),
			"%s byte by byte, and then for good", rows[i].name);
	}
}

/* Whatever is cut off an image, what is left is no image, and not undecided either. */
static void truncated(void)
{
	int bad = 0;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		for (size_t len = 0; len < rows[i].bytes.len; len++) {
			struct image_info m;
			image_info_init(&m);
			bool more = feed(&m, slice_head(rows[i].bytes, len));
			enum image_state state = m.state;
			enum image_state end = image_info_end(&m);
			if (more)
				bad += (end != IMAGE_NONE && end != IMAGE_DAMAGED) || m.width;
			else
				bad += end != state || end != rows[i].state;
		}
	}
	IS_INT(bad, 0, "truncated files");
	struct image_info m;
	image_info_init(&m);
	OK(feed(&m, S("\x89PNG\r\n\x1a\n")) && image_info_end(&m) == IMAGE_NONE,
		"a signature alone is no image");
	image_info_init(&m);
	OK(feed(&m, S(SOI APP0)) && image_info_end(&m) == IMAGE_DAMAGED,
		"a JPEG without a frame is damaged");
}

/* Two segments of 64 KiB, each fed in pieces of every kind. */
static void long_segments(void)
{
	static char bytes[2 * 65537 + 100];
	static const struct slice frame = SLICE_LIT(SOF("\xc0"));
	memset(bytes, 0xff, sizeof(bytes));
	memcpy(bytes, SOI "\xff\xe1\xff\xff", 6);
	memcpy(bytes + 2 + 65537, "\xff\xe2\xff\xff", 4);
	memcpy(bytes + 2 + 2 * 65537, frame.ptr, frame.len);
	for (size_t size = 1; size <= sizeof(bytes); size = size * 3 + 1) {
		struct image_info m;
		image_info_init(&m);
		for (size_t at = 0; at < sizeof(bytes); at += size)
			(void)feed(&m,
				slice_head(slice_from(slice_of(bytes, sizeof(bytes)), at), size));
		OK(m.state == IMAGE_FOUND && m.width == 523 && m.height == 266,
			"large EXIF and ICC segments in pieces of %zu", size);
	}
}

int main(void)
{
	at_every_split();
	truncated();
	long_segments();
	return tap_done();
}
