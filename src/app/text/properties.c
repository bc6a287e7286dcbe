/* SPDX-License-Identifier: Apache-2.0 */
#include "app/text/properties.h"

static bool is_text(struct slice line)
{
	for (size_t i = 0; i < line.len; i++)
		if (((unsigned char)line.ptr[i] < ' ' && line.ptr[i] != '\t') ||
			line.ptr[i] == 0x7f)
			return false;
	return true;
}

enum property_kind properties_next(struct properties *properties)
{
	while (properties->rest.len > 0) {
		struct slice line;
		(void)slice_cut(&properties->rest, '\n', &line);
		properties->line++;
		if (slice_ends(line, S("\r")))
			line.len--;
		line = slice_trim(line);
		if (line.len == 0 || line.ptr[0] == '#')
			continue;
		properties->value = line;
		bool has_value = slice_cut(&properties->value, '=', &properties->name);
		properties->name = slice_trim(properties->name);
		properties->value = slice_trim(properties->value);
		return has_value && properties->name.len > 0 && is_text(line) ? PROPERTY
									      : PROPERTY_BAD;
	}
	return PROPERTY_NONE;
}
