/* SPDX-License-Identifier: Apache-2.0 */
#include "app/key_template.h"

#include <time.h>

#include "base/encode.h"

/* ---- Reading ----------------------------------------------------------------------------------
 */

static bool is_name(struct slice name)
{
	for (size_t i = 0; i < name.len; i++) {
		char c = ascii_lower(name.ptr[i]);
		if (!(c >= 'a' && c <= 'z') && c != '_' && !(i > 0 && ascii_digit(c)))
			return false;
	}
	return name.len > 0;
}

static enum key_piece_kind kind_of(struct slice name)
{
	if (slice_eq(name, S("yyyy")))
		return KEY_YEAR;
	if (slice_eq(name, S("mm")))
		return KEY_MONTH;
	if (slice_eq(name, S("dd")))
		return KEY_DAY;
	if (slice_eq(name, S("hh")))
		return KEY_HOUR;
	return KEY_CLAIM;
}

static const char *add(struct key_template *t, struct key_piece piece)
{
	if (t->count == KEY_TEMPLATE_PIECES_MAX)
		return "there are too many `${`";
	t->pieces[t->count++] = piece;
	return NULL;
}

static const char *add_claim(struct key_template *t, struct slice name)
{
	size_t at = 0;
	while (at < t->claim_count && !slice_eq(t->claims[at], name))
		at++;
	if (at == LIMIT_CLAIMS)
		return "there are too many claims";
	if (at == t->claim_count)
		t->claims[t->claim_count++] = name;
	return add(t, (struct key_piece){.kind = KEY_CLAIM, .claim = at});
}

static const char *add_name(struct key_template *t, struct slice name)
{
	enum key_piece_kind kind = kind_of(name);
	if (!is_name(name))
		return "`${` must be followed by a name and `}`";
	if (slice_eq(name, S("filename")))
		return "`${filename}` is for the page that uploads";
	return kind == KEY_CLAIM ? add_claim(t, name) : add(t, (struct key_piece){.kind = kind});
}

static const char *check_segments(const struct key_template *t)
{
	bool has_claim = false;
	for (size_t i = 0; i < t->count; i++) {
		const struct key_piece *piece = &t->pieces[i];
		if (piece->kind == KEY_CLAIM && has_claim)
			return "there must be a slash between two claims";
		if (piece->kind == KEY_CLAIM)
			has_claim = true;
		if (piece->kind == KEY_LITERAL && slice_find(piece->text, '/') < piece->text.len)
			has_claim = false;
	}
	return NULL;
}

const char *key_template_parse(struct slice text, struct key_template *ret)
{
	const char *fault = NULL;
	*ret = (struct key_template){.count = 0};
	while (!fault && text.len > 0) {
		size_t at = slice_find(text, '$');
		if (at > 0)
			fault = add(ret, (struct key_piece){.kind = KEY_LITERAL,
						 .text = slice_head(text, at)});
		text = slice_from(text, at);
		if (fault || text.len == 0)
			break;
		size_t end = slice_find(text, '}');
		if (!slice_starts(text, S("${")) || end == text.len)
			return "`$` must be followed by `{`, a name and `}`";
		fault = add_name(ret, slice_head(slice_from(text, 2), end - 2));
		text = slice_from(text, end + 1);
	}
	return fault ? fault : check_segments(ret);
}

struct slice key_template_start(const struct key_template *template)
{
	if (template->count == 0 || template->pieces[0].kind != KEY_LITERAL)
		return S("");
	return template->pieces[0].text;
}

/* ---- Expanding --------------------------------------------------------------------------------
 */

/* C0, DEL, and C1 as UTF-8 has it: C2 80 to C2 9F. */
static bool has_control(struct slice text)
{
	for (size_t i = 0; i < text.len; i++) {
		unsigned char c = (unsigned char)text.ptr[i];
		if (c < 0x20 || c == 0x7f)
			return true;
		if (c == 0xc2 && i + 1 < text.len && (unsigned char)text.ptr[i + 1] < 0xa0)
			return true;
	}
	return false;
}

static const char *value_fault(struct slice value)
{
	if (value.len == 0)
		return "the token has not the claims that upload_dir needs";
	if (!utf8_valid(value) || has_control(value))
		return "a claim that upload_dir needs has a control character";
	for (size_t i = 0; i < value.len; i++)
		if (value.ptr[i] == '/' || value.ptr[i] == '\\' || value.ptr[i] == '$')
			return "a claim that upload_dir needs has a slash, a backslash or a `$`";
	return NULL;
}

/* With literals around it a harmless value could still become a step upwards. */
static bool has_dots(struct slice path)
{
	while (path.len > 0) {
		struct slice segment;
		(void)slice_cut(&path, '/', &segment);
		if (slice_eq(segment, S(".")) || slice_eq(segment, S("..")))
			return true;
	}
	return false;
}

static const char *add_piece(const struct key_piece *piece, const struct slice *values,
	const struct tm *time, struct strbuf *out)
{
	switch (piece->kind) {
	case KEY_LITERAL:
		strbuf_add_slice(out, piece->text);
		return NULL;
	case KEY_YEAR:
		strbuf_addf(out, "%04d", time->tm_year + 1900);
		return NULL;
	case KEY_MONTH:
		strbuf_addf(out, "%02d", time->tm_mon + 1);
		return NULL;
	case KEY_DAY:
		strbuf_addf(out, "%02d", time->tm_mday);
		return NULL;
	case KEY_HOUR:
		strbuf_addf(out, "%02d", time->tm_hour);
		return NULL;
	case KEY_CLAIM:
		break;
	}
	const char *fault = value_fault(values[piece->claim]);
	if (!fault)
		strbuf_add_slice(out, values[piece->claim]);
	return fault;
}

const char *key_template_expand(const struct key_template *template, const struct slice *values,
	int64_t now, struct strbuf *out)
{
	const char *fault = NULL;
	struct tm time;
	time_t seconds = (time_t)now;
	size_t start = out->len;
	if (!gmtime_r(&seconds, &time))
		return "the time is no date";
	for (size_t i = 0; i < template->count && !fault; i++)
		fault = add_piece(&template->pieces[i], values, &time, out);
	if (fault)
		return fault;
	if (strbuf_broken(out) || out->len - start > LIMIT_KEY_BYTES)
		return "upload_dir is longer than an object's name may be";
	if (template->claim_count > 0 && has_dots(slice_from(strbuf_slice(out), start)))
		return "a claim that upload_dir needs is `.` or `..`";
	return NULL;
}

bool key_prefix_is_safe(struct slice prefix)
{
	if (!utf8_valid(prefix) || has_control(prefix) || has_dots(prefix) ||
		slice_find_slice(prefix, S("//")) < prefix.len || slice_starts(prefix, S("/")))
		return false;
	return slice_find(prefix, '\\') == prefix.len && slice_find(prefix, '$') == prefix.len;
}
