/* SPDX-License-Identifier: Apache-2.0 */
#include "app/checks/kind.h"

#include <stdlib.h>
#include <string.h>

#include "base/limits.h"
#include "tap.h"

static bool contradicts(const char *is, const char *declared)
{
	return kind_contradicts(slice_str(is), slice_str(declared));
}

static void test_types(void)
{
	OK(contradicts("text/html", "image/png"), "HTML behind an image");
	OK(contradicts("text/html", "IMAGE/PNG; charset=x"),
		"letters and parameters do not matter");
	OK(contradicts("image/svg+xml", "image/png"), "SVG behind a bitmap");
	OK(contradicts("text/x-shellscript", "video/mp4"), "a script behind a film");
	OK(contradicts("application/x-pie-executable", "image/jpeg"), "a program behind an image");
	OK(contradicts("application/x-dosexec", "text/plain"), "a program behind text");
	OK(contradicts("application/pdf", "image/gif"), "PDF behind an image");
	OK(contradicts("image/jpeg", "image/png"), "one bitmap behind another");
	OK(contradicts("image/png", "video/mp4"), "an image behind a film");
	OK(contradicts("video/mp4", "image/png"), "a film behind an image");
	OK(contradicts("image/png", "application/pdf"), "an image behind PDF");
	OK(!contradicts("image/png", "image/png"), "the same");
	OK(!contradicts("image/svg+xml", "image/svg+xml"), "the same, though it can be run");
	OK(!contradicts("text/html", "text/plain"), "text about HTML");
	OK(!contradicts("text/plain", "image/png"), "libmagic only sees text");
	OK(!contradicts("application/octet-stream", "image/png"), "libmagic does not know");
	OK(!contradicts("image/x-ms-bmp", "image/bmp"), "other names of one type");
	OK(!contradicts("video/mp4", "audio/mp4"), "a container");
	OK(!contradicts("application/zip", "application/vnd.oasis.opendocument.text"),
		"a container");
	OK(!contradicts("application/x-executable", "application/octet-stream"), "nothing is said");
	OK(!contradicts("text/html", ""), "nothing is said at all");
}

static void test_bytes(void)
{
	static const char png[] = "\x89PNG\r\n\x1a\n\0\0\0\rIHDR\0\0\0\1\0\0\0\1\10\6\0\0\0";
	struct kinds *kinds = NULL;
	OK(kinds_new(&kinds) == ERR_OK, "the database is there");
	OK(kinds_judge(kinds, slice_of(png, sizeof(png) - 1), S("image/png")) == KIND_AGREES,
		"a PNG is one");
	OK(kinds_judge(kinds, slice_of(png, sizeof(png) - 1), S("image/jpeg")) == KIND_CONTRADICTS,
		"and no JPEG");
	OK(kinds_judge(kinds, S("<!DOCTYPE html><html><body>"), S("image/png")) == KIND_CONTRADICTS,
		"HTML is no PNG");
	OK(kinds_judge(kinds, S(""), S("image/png")) == KIND_AGREES, "nothing contradicts nothing");
	char *long_one = malloc(4 * (size_t)LIMIT_CHECK_TYPE_BYTES);
	memset(long_one, 'a', 4 * (size_t)LIMIT_CHECK_TYPE_BYTES);
	OK(kinds_judge(kinds, slice_of(long_one, 4 * (size_t)LIMIT_CHECK_TYPE_BYTES),
		   S("image/png")) == KIND_AGREES,
		"a long one");
	free(long_one);
	kinds_free(kinds);
}

int main(void)
{
	test_types();
	test_bytes();
	return tap_done();
}
