/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/ini.h"

static struct slice without_comment(struct slice line)
{
	for (size_t i = 1; i < line.len; i++)
		if (line.ptr[i] == ';' && (line.ptr[i - 1] == ' ' || line.ptr[i - 1] == '\t'))
			return slice_head(line, i);
	return line;
}

static enum ini_kind refuse(struct ini *ini, const char *why)
{
	ini->why = why;
	return INI_BAD;
}

/* Both `=` and `:` end a name. */
static bool cut_name(struct slice *text, struct slice *ret_name)
{
	size_t equals = slice_find(*text, '='), colon = slice_find(*text, ':');
	return slice_cut(text, colon < equals ? ':' : '=', ret_name);
}

static bool has_control(struct slice text)
{
	for (size_t i = 0; i < text.len; i++)
		if ((unsigned char)text.ptr[i] < ' ' && text.ptr[i] != '\t')
			return true;
	return false;
}

static enum ini_kind read_line(struct ini *ini, struct slice text, bool indented)
{
	if (has_control(text))
		return refuse(ini,
			"there is a control character in it: the file has to be text, as UTF-8");
	/* Others read INI files so that it does. */
	if (indented && ini->has_option)
		return refuse(ini, "it begins with white space and would go on with the option "
				   "before it: have all of a value in one line, and begin it at "
				   "the left");
	text = slice_trim(without_comment(text));
	if (slice_starts(text, S("["))) {
		text = slice_from(text, 1);
		ini->has_option = false;
		if (slice_cut(&text, ']', &ini->section))
			return INI_SECTION;
	} else if (cut_name(&text, &ini->name)) {
		ini->has_option = true;
		ini->name = slice_trim(ini->name);
		ini->value = slice_trim(text);
		return INI_OPTION;
	}
	return refuse(ini, "this is neither [section], name = value nor a comment");
}

enum ini_kind ini_next(struct ini *ini)
{
	static const struct slice bom = SLICE_LIT("\xef\xbb\xbf");
	while (ini->rest.len > 0) {
		struct slice line;
		(void)slice_cut(&ini->rest, '\n', &line);
		if (++ini->line == 1 && slice_starts(line, bom))
			line = slice_from(line, bom.len);
		if (slice_ends(line, S("\r")))
			line.len--;
		struct slice text = slice_trim(line);
		if (text.len > 0 && text.ptr[0] != ';' && text.ptr[0] != '#')
			return read_line(ini, text, text.ptr != line.ptr);
	}
	return INI_END;
}
