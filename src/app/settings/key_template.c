/* SPDX-License-Identifier: Apache-2.0 */
#include "app/settings/key_template.h"

#include <time.h>

#include "base/encode.h"
#include "crypto/random.h"

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

static enum key_piece_kind kind_of(struct slice name, bool is_file)
{
	static const struct {
		struct slice name;
		enum key_piece_kind kind;
		bool of_files;
	} known[] = {
		{SLICE_LIT("yyyy"), KEY_YEAR, false},
		{SLICE_LIT("mm"), KEY_MONTH, false},
		{SLICE_LIT("dd"), KEY_DAY, false},
		{SLICE_LIT("hh"), KEY_HOUR, false},
		{SLICE_LIT("date"), KEY_DATE, false},
		{SLICE_LIT("uuid"), KEY_UUID, false},
		{SLICE_LIT("name"), KEY_FILE_NAME, true},
		{SLICE_LIT("ext"), KEY_FILE_EXT, true},
	};
	for (size_t i = 0; i < ARRAY_LEN(known); i++)
		if (slice_eq(name, known[i].name) && (is_file || !known[i].of_files))
			return known[i].kind;
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

static const char *add_name(struct key_template *t, struct slice name, bool is_file)
{
	enum key_piece_kind kind = kind_of(name, is_file);
	if (!is_name(name))
		return "`${` must be followed by a name and `}`";
	if (slice_eq(name, S("filename")))
		return "`${filename}` is for the page that uploads";
	if (kind == KEY_FILE_NAME || kind == KEY_FILE_EXT)
		t->has_file = true;
	return kind == KEY_CLAIM ? add_claim(t, name) : add(t, (struct key_piece){.kind = kind});
}

/* What somebody else says stands there, in any length. */
static bool is_free(enum key_piece_kind kind)
{
	return kind == KEY_CLAIM || kind == KEY_FILE_NAME;
}

static const char *check_segments(const struct key_template *t)
{
	bool has_free = false;
	for (size_t i = 0; i < t->count; i++) {
		const struct key_piece *piece = &t->pieces[i];
		if (is_free(piece->kind) && has_free)
			return "there must be a slash between two claims";
		if (is_free(piece->kind))
			has_free = true;
		if (piece->kind == KEY_LITERAL && slice_find(piece->text, '/') < piece->text.len)
			has_free = false;
	}
	return NULL;
}

static const char *parse(struct slice text, bool is_file, struct key_template *ret)
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
		fault = add_name(ret, slice_head(slice_from(text, 2), end - 2), is_file);
		text = slice_from(text, end + 1);
	}
	return fault ? fault : check_segments(ret);
}

const char *key_template_parse(struct slice text, struct key_template *ret)
{
	return parse(text, false, ret);
}

const char *key_template_parse_file(struct slice text, struct key_template *ret)
{
	return parse(text, true, ret);
}

bool key_template_number_claims(
	struct key_template *template, struct slice names[LIMIT_CLAIMS], size_t *count)
{
	size_t numbers[LIMIT_CLAIMS];
	for (size_t i = 0; i < template->claim_count; i++) {
		size_t at = 0;
		while (at < *count && !slice_eq(names[at], template->claims[i]))
			at++;
		if (at == LIMIT_CLAIMS)
			return false;
		if (at == *count)
			names[(*count)++] = template->claims[i];
		numbers[i] = at;
	}
	for (size_t i = 0; i < template->count; i++)
		if (template->pieces[i].kind == KEY_CLAIM)
			template->pieces[i].claim = numbers[template->pieces[i].claim];
	return true;
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

/* Version 4 of RFC 9562. */
void key_template_add_uuid(struct strbuf *out)
{
	uint8_t bytes[16];
	SCOPED_STRBUF(hex, 2 * sizeof(bytes));
	random_bytes(bytes, sizeof(bytes));
	bytes[6] = (uint8_t)((bytes[6] & 0x0f) | 0x40);
	bytes[8] = (uint8_t)((bytes[8] & 0x3f) | 0x80);
	hex_encode_lower(&hex, slice_of(bytes, sizeof(bytes)));
	struct slice text = strbuf_slice(&hex);
	strbuf_add_slice(out, slice_head(text, 8));
	for (size_t at = 8; at < 20; at += 4) {
		strbuf_addc(out, '-');
		strbuf_add_slice(out, slice_head(slice_from(text, at), 4));
	}
	strbuf_addc(out, '-');
	strbuf_add_slice(out, slice_from(text, 20));
}

static const char *add_claim_value(struct slice value, struct strbuf *out)
{
	const char *fault = value_fault(value);
	if (!fault)
		strbuf_add_slice(out, value);
	return fault;
}

static const char *add_piece(const struct key_piece *piece, const struct key_values *values,
	const struct tm *time, struct strbuf *out)
{
	switch (piece->kind) {
	case KEY_LITERAL:
		strbuf_add_slice(out, piece->text);
		break;
	case KEY_YEAR:
		strbuf_addf(out, "%04d", time->tm_year + 1900);
		break;
	case KEY_MONTH:
		strbuf_addf(out, "%02d", time->tm_mon + 1);
		break;
	case KEY_DAY:
		strbuf_addf(out, "%02d", time->tm_mday);
		break;
	case KEY_HOUR:
		strbuf_addf(out, "%02d", time->tm_hour);
		break;
	case KEY_DATE:
		strbuf_addf(out, "%04d-%02d-%02d", time->tm_year + 1900, time->tm_mon + 1,
			time->tm_mday);
		break;
	case KEY_UUID:
		key_template_add_uuid(out);
		break;
	case KEY_FILE_NAME:
		strbuf_add_slice(out, values->file_name);
		break;
	case KEY_FILE_EXT:
		strbuf_add_slice(out, values->file_ext);
		break;
	case KEY_CLAIM:
		return add_claim_value(values->claims[piece->claim], out);
	}
	return NULL;
}

const char *key_template_expand(
	const struct key_template *template, const struct key_values *values, struct strbuf *out)
{
	const char *fault = NULL;
	struct tm time;
	time_t seconds = (time_t)values->now;
	size_t start = out->len;
	if (!gmtime_r(&seconds, &time))
		return "the time is no date";
	for (size_t i = 0; i < template->count && !fault; i++)
		fault = add_piece(&template->pieces[i], values, &time, out);
	if (fault)
		return fault;
	if (strbuf_broken(out) || out->len - start > LIMIT_KEY_BYTES)
		return "the object's name is longer than it may be";
	if ((template->claim_count > 0 || template->has_file) &&
		has_dots(slice_from(strbuf_slice(out), start)))
		return "a claim that the name of the object needs makes it `.` or `..`";
	return NULL;
}

bool key_prefix_is_safe(struct slice prefix)
{
	if (!utf8_valid(prefix) || has_control(prefix) || has_dots(prefix) ||
		slice_find_slice(prefix, S("//")) < prefix.len || slice_starts(prefix, S("/")))
		return false;
	return slice_find(prefix, '\\') == prefix.len && slice_find(prefix, '$') == prefix.len;
}
