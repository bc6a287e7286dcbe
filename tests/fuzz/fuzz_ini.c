/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A configuration file: what is told is text of one line of it, without white space around, and the
 * same again if it is written down and read.
 */
#include <assert.h>

#include "base/limits.h"
#include "base/strbuf.h"
#include "cli/ini.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len);

static void check_text(struct slice text)
{
	assert(slice_find(text, '\n') == text.len && slice_find(text, '\0') == text.len);
	assert(slice_eq(slice_trim(text), text));
}

static void check_again(const struct ini *ini)
{
	SCOPED_STRBUF(line, MIB(4));
	/* In the first line there may be a BOM. */
	strbuf_addc(&line, '\n');
	strbuf_add_slice(&line, ini->name);
	strbuf_addc(&line, '=');
	strbuf_add_slice(&line, ini->value);
	struct ini again = {.rest = strbuf_slice(&line)};
	/* Without the section in front of it a name may be a comment, or a section. */
	if (ini_next(&again) != INI_OPTION)
		return;
	assert(slice_eq(again.name, ini->name) && slice_eq(again.value, ini->value));
	assert(ini_next(&again) == INI_END);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
	struct ini ini = {.rest = slice_of(bytes, len)};
	int before = 0;
	for (;;) {
		enum ini_kind kind = ini_next(&ini);
		assert(kind == INI_END || ini.line > before);
		before = ini.line;
		assert(kind != INI_BAD || ini.why);
		if (kind == INI_END || kind == INI_BAD)
			return 0;
		if (kind == INI_SECTION)
			continue;
		check_text(ini.name);
		check_text(ini.value);
		assert(slice_find(ini.name, '=') == ini.name.len);
		check_again(&ini);
	}
}
