/* SPDX-License-Identifier: Apache-2.0 */
#include "app/text/media_type.h"
#include "base/limits.h"
#include "tap.h"

static void compared(void)
{
	static const struct {
		const char *one, *other;
		bool same;
	} rows[] = {
		{"image/png", "image/png", true},
		{"image/png", "IMAGE/Png", true},
		{"text/plain;charset=utf-8", "Text/Plain;charset=utf-8", true},
		{"text/plain;charset=utf-8", "text/plain;charset=UTF-8", false},
		{"text/plain;charset=utf-8", "text/plain", false},
		{"image/png;", "image/png", false},
		{"image/png", "image/pn", false},
		{"image/png", "image/pn;", false},
		{"", "", true},
	};
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct slice one = slice_str(rows[i].one), other = slice_str(rows[i].other);
		OK(media_type_eq(one, other) == rows[i].same &&
				media_type_eq(other, one) == rows[i].same,
			"%s and %s", rows[i].one, rows[i].other);
	}
}

static void made_small(void)
{
	struct arena arena;
	arena_init(&arena, NULL, 0, KIB(64));
	IS(media_type_lower(&arena, S("Text/HTML;Charset=UTF-8")), S("text/html;Charset=UTF-8"),
		"letters before the `;` become small");
	arena_reset(&arena);
}

int main(void)
{
	compared();
	made_small();
	return tap_done();
}
