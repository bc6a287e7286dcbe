/* SPDX-License-Identifier: Apache-2.0 */
#include "base/log_json.h"

#include "base/compiler.h"
#include "base/encode.h"
#include "base/limits.h"

/* Of a line; what comes behind them is part of the message. */
enum {
	MEMBERS_MAX = 32
};

struct members {
	struct strbuf *out;
	struct slice names[MEMBERS_MAX];
	size_t count;
};

/* What is UTF-8; control characters are not to be there, and are escaped all the same. */
static void add_text(struct strbuf *out, struct slice text)
{
	strbuf_addc(out, '"');
	for (size_t i = 0; i < text.len; i++) {
		unsigned char c = (unsigned char)text.ptr[i];
		if (c < 0x20 || c == 0x7f)
			strbuf_addf(out, "\\u%04x", c);
		else if (c == '"' || c == '\\')
			strbuf_add(out, (const char[]){'\\', (char)c}, 2);
		else
			strbuf_addc(out, (char)c);
	}
	strbuf_addc(out, '"');
}

/* Behind another one. */
static void begin_member(struct strbuf *out, struct slice name)
{
	strbuf_addc(out, ',');
	add_text(out, name);
	strbuf_addc(out, ':');
}

static void add_member(struct strbuf *out, struct slice name, struct slice value)
{
	begin_member(out, name);
	add_text(out, value);
}

static bool is_number(struct slice name, struct slice value)
{
	static const struct slice names[] = {
		SLICE_LIT("status"), SLICE_LIT("in"), SLICE_LIT("out"), SLICE_LIT("ms")};
	uint64_t number;
	for (size_t i = 0; i < ARRAY_LEN(names); i++)
		if (slice_eq(name, names[i]))
			return slice_to_u64(value, &number) &&
			       (value.ptr[0] != '0' || value.len == 1); /* JSON has no 007 */
	return false;
}

static bool is_name_char(char c)
{
	return (c >= 'a' && c <= 'z') || c == '_';
}

/* Whether another member of that name stands there already: JSON has one of each. */
static bool is_taken(const struct members *m, struct slice name)
{
	static const struct slice own[] = {
		SLICE_LIT("time"), SLICE_LIT("level"), SLICE_LIT("message")};
	for (size_t i = 0; i < ARRAY_LEN(own); i++)
		if (slice_eq(own[i], name))
			return true;
	for (size_t i = 0; i < m->count; i++)
		if (slice_eq(m->names[i], name))
			return true;
	return m->count == MEMBERS_MAX;
}

/* Cuts `name=value`, or `name="value"`, with the space behind it off the front of *text. */
static bool cut_member(struct slice *text, struct slice *ret_name, struct slice *ret_value)
{
	size_t len = 0;
	while (len < text->len && is_name_char(text->ptr[len]))
		len++;
	if (len == 0 || len == text->len || text->ptr[len] != '=')
		return false;
	struct slice rest = slice_from(*text, len + 1);
	bool quoted = rest.len > 0 && rest.ptr[0] == '"';
	if (quoted)
		rest = slice_from(rest, 1);
	size_t end = slice_find(rest, quoted ? '"' : ' ');
	if (quoted && end == rest.len)
		return false;
	*ret_name = slice_head(*text, len);
	*ret_value = slice_head(rest, end);
	rest = slice_from(rest, quoted ? end + 1 : end);
	if (rest.len > 0 && rest.ptr[0] != ' ')
		return false;
	*text = slice_from(rest, rest.len > 0 ? 1 : 0);
	return true;
}

static void add_line(struct strbuf *out, struct slice line)
{
	struct members m = {.out = out};
	struct slice time, level, name, value;
	(void)slice_cut(&line, ' ', &time);
	(void)slice_cut(&line, ' ', &level);
	strbuf_adds(out, "{\"time\":");
	add_text(out, time);
	add_member(out, S("level"), level);
	for (struct slice rest = line; cut_member(&rest, &name, &value) && !is_taken(&m, name);
		line = rest) {
		m.names[m.count++] = name;
		if (is_number(name, value)) {
			begin_member(out, name);
			strbuf_add_slice(out, value);
		} else {
			add_member(out, name, value);
		}
	}
	if (line.len > 0)
		add_member(out, S("message"), line);
	strbuf_adds(out, "}\n");
}

/* A line that was cut may end in the middle of a character, which JSON may not. */
static void add_repaired(struct strbuf *out, struct slice line)
{
	SCOPED_STRBUF(repaired, 3 * line.len);
	utf8_repair(&repaired, line);
	add_line(out, strbuf_slice(&repaired));
	if (strbuf_broken(&repaired))
		strbuf_starve(out);
}

void log_json_add(struct strbuf *out, struct slice lines)
{
	struct slice line;
	while (lines.len > 0) {
		(void)slice_cut(&lines, '\n', &line);
		if (utf8_valid(line))
			add_line(out, line);
		else
			add_repaired(out, line);
	}
}
