/* SPDX-License-Identifier: Apache-2.0 */
#include "oss/rules/tagging.h"

#include "base/encode.h"
#include "base/limits.h"
#include "oss/text/xml.h"

enum {
	CHARACTER_BYTES = 4 /* at most, in UTF-8 */
};

static const struct rules {
	size_t tags;
	size_t key;
	size_t value;
} rules_of[] = {
	[TAGGING_OBJECT] = {LIMIT_OBJECT_TAGS, LIMIT_OBJECT_TAG_KEY_CHARACTERS,
		LIMIT_OBJECT_TAG_VALUE_CHARACTERS},
	[TAGGING_BUCKET] = {LIMIT_BUCKET_TAGS, LIMIT_BUCKET_TAG_KEY_BYTES,
		LIMIT_BUCKET_TAG_VALUE_BYTES},
};

static bool is_alnum(char c)
{
	return (ascii_lower(c) >= 'a' && ascii_lower(c) <= 'z') || ascii_digit(c);
}

static bool is_one_of(char c, const char *set)
{
	return c && strchr(set, c);
}

static bool text_valid(struct slice text, enum tagging_kind kind)
{
	for (size_t i = 0; i < text.len; i++) {
		unsigned char c = (unsigned char)text.ptr[i];
		bool valid =
			kind == TAGGING_OBJECT
				? is_alnum((char)c) || is_one_of((char)c, " +-=._:/") || c >= 0x80
				: c >= 0x20 && c != 0x7f;
		if (!valid)
			return false;
	}
	/* Two characters that no document could hold. */
	return utf8_valid(text) && slice_find_slice(text, S("\xef\xbf\xbe")) == text.len &&
	       slice_find_slice(text, S("\xef\xbf\xbf")) == text.len;
}

/* In characters for objects, in bytes for buckets, as OSS counts. */
static size_t length_of(struct slice text, enum tagging_kind kind)
{
	size_t length = 0;
	for (size_t i = 0; i < text.len; i++)
		length += kind == TAGGING_BUCKET || ((unsigned char)text.ptr[i] & 0xc0) != 0x80;
	return length;
}

static bool prefix_reserved(struct slice key)
{
	static const struct slice reserved[] = {SLICE_LIT("http://"), SLICE_LIT("https://"),
		SLICE_LIT("aliyun"), SLICE_LIT("acs:")};
	for (size_t i = 0; i < ARRAY_LEN(reserved); i++)
		if (slice_eq_nocase(slice_head(key, reserved[i].len), reserved[i]))
			return true;
	return false;
}

/* ---- The kept form ----------------------------------------------------------------------------
 */

static void encode(struct strbuf *out, struct slice text, const char *plain)
{
	for (size_t i = 0; i < text.len; i++) {
		char c = text.ptr[i];
		if (is_alnum(c) || is_one_of(c, plain))
			strbuf_addc(out, c);
		else
			strbuf_addf(out, "%%%02X", (unsigned char)c);
	}
}

static void encode_key(struct strbuf *out, struct slice key)
{
	encode(out, key, "-._~+:/ ");
}

static void encode_value(struct strbuf *out, struct slice value)
{
	encode(out, value, "-._~+:/ =");
}

/* The first pair of kept tags, still encoded. */
static bool next_pair(struct slice *rest, struct slice *ret_key, struct slice *ret_value)
{
	if (rest->len == 0)
		return false;
	(void)slice_cut(rest, '&', ret_value);
	(void)slice_cut(ret_value, '=', ret_key);
	return true;
}

static bool has_key(struct slice tags, struct slice encoded_key)
{
	struct slice key, value;
	while (next_pair(&tags, &key, &value))
		if (slice_eq(key, encoded_key))
			return true;
	return false;
}

static enum err add(
	struct strbuf *out, enum tagging_kind kind, struct slice key, struct slice value)
{
	const struct rules *rules = &rules_of[kind];
	if (key.len == 0 || length_of(key, kind) > rules->key || !text_valid(key, kind))
		return ERR_TAG_KEY;
	if (kind == TAGGING_BUCKET && prefix_reserved(key))
		return ERR_TAG_PREFIX;
	if (length_of(value, kind) > rules->value || !text_valid(value, kind))
		return ERR_TAG_VALUE;
	SCOPED_STRBUF(encoded, TAGGING_BYTES);
	encode_key(&encoded, key);
	if (strbuf_broken(&encoded))
		return ERR_UNAVAILABLE;
	if (has_key(strbuf_slice(out), strbuf_slice(&encoded)))
		return ERR_TAG_DUPLICATE;
	if (tagging_count(strbuf_slice(out)) == rules->tags)
		return ERR_TOO_MANY_TAGS;
	if (out->len)
		strbuf_addc(out, '&');
	strbuf_add_slice(out, strbuf_slice(&encoded));
	strbuf_addc(out, '=');
	encode_value(out, value);
	return strbuf_broken(out) ? ERR_UNAVAILABLE : ERR_OK;
}

size_t tagging_count(struct slice tags)
{
	size_t count = 0;
	struct slice key, value;
	while (next_pair(&tags, &key, &value))
		count++;
	return count;
}

bool tagging_next(struct slice *rest, struct strbuf *key, struct strbuf *value)
{
	struct slice encoded_key, encoded_value;
	if (!next_pair(rest, &encoded_key, &encoded_value))
		return false;
	strbuf_clear(key);
	strbuf_clear(value);
	return percent_decode(key, encoded_key) && percent_decode(value, encoded_value);
}

bool tagging_has(struct slice tags, struct slice key, struct slice value)
{
	struct slice have_key, have_value;
	SCOPED_STRBUF(want_key, TAGGING_BYTES);
	SCOPED_STRBUF(want_value, TAGGING_BYTES);
	encode_key(&want_key, key);
	encode_value(&want_value, value);
	if (strbuf_broken(&want_key) || strbuf_broken(&want_value))
		return false;
	while (next_pair(&tags, &have_key, &have_value))
		if (slice_eq(have_key, strbuf_slice(&want_key)) &&
			slice_eq(have_value, strbuf_slice(&want_value)))
			return true;
	return false;
}

/* ---- The header -------------------------------------------------------------------------------
 */

enum err tagging_parse_header(struct slice text, enum tagging_kind kind, struct strbuf *out)
{
	bool more = text.len > 0;
	while (more) {
		struct slice pair, key;
		SCOPED_STRBUF(plain_key, LIMIT_HEAD_BYTES);
		SCOPED_STRBUF(plain_value, LIMIT_HEAD_BYTES);
		more = slice_cut(&text, '&', &pair);
		(void)slice_cut(&pair, '=', &key);
		if (slice_find(pair, '=') < pair.len || !plus_decode(&plain_key, key) ||
			!plus_decode(&plain_value, pair))
			return strbuf_starved(&plain_key) || strbuf_starved(&plain_value)
				       ? ERR_UNAVAILABLE
				       : ERR_TAG_FORMAT;
		enum err e = add(out, kind, strbuf_slice(&plain_key), strbuf_slice(&plain_value));
		if (e != ERR_OK)
			return e;
	}
	return ERR_OK;
}

/* ---- The document -----------------------------------------------------------------------------
 */

struct reading {
	enum tagging_kind kind;
	struct strbuf *out;
	struct strbuf key; /* of the <Tag> that is being read */
	struct strbuf value;
	bool has_set;
	bool has_key;
	bool has_value;
};

static enum err malformed(struct strbuf *reason, const char *why)
{
	strbuf_adds(reason, why);
	return ERR_MALFORMED_XML;
}

static enum err set_opens(void *ctx, struct strbuf *reason)
{
	struct reading *reading = ctx;
	if (reading->has_set)
		return malformed(reason, "There are two TagSets.");
	reading->has_set = true;
	return ERR_OK;
}

static enum err tag_opens(void *ctx, struct strbuf *reason UNUSED)
{
	struct reading *reading = ctx;
	reading->has_key = false;
	reading->has_value = false;
	strbuf_clear(&reading->value);
	return ERR_OK;
}

static enum err read_key(void *ctx, struct slice text, struct strbuf *reason)
{
	struct reading *reading = ctx;
	if (reading->has_key)
		return malformed(reason, "A Tag has two Keys.");
	reading->has_key = true;
	strbuf_clear(&reading->key);
	strbuf_add_slice(&reading->key, text);
	if (strbuf_starved(&reading->key))
		return ERR_UNAVAILABLE;
	return strbuf_broken(&reading->key) ? ERR_TAG_KEY : ERR_OK;
}

static enum err read_value(void *ctx, struct slice text, struct strbuf *reason)
{
	struct reading *reading = ctx;
	if (reading->has_value)
		return malformed(reason, "A Tag has two Values.");
	reading->has_value = true;
	strbuf_add_slice(&reading->value, text);
	if (strbuf_starved(&reading->value))
		return ERR_UNAVAILABLE;
	return strbuf_broken(&reading->value) ? ERR_TAG_VALUE : ERR_OK;
}

static enum err tag_closes(void *ctx, struct strbuf *reason)
{
	struct reading *reading = ctx;
	if (!reading->has_key)
		return malformed(reason, "A Tag has no Key.");
	return add(reading->out, reading->kind, strbuf_slice(&reading->key),
		strbuf_slice(&reading->value));
}

enum err tagging_parse_xml(
	struct slice document, enum tagging_kind kind, struct strbuf *out, struct strbuf *reason)
{
	static const struct xml_element elements[] = {
		{.path = "/Tagging"},
		{.path = "/Tagging/TagSet", .open = set_opens},
		{.path = "/Tagging/TagSet/Tag", .open = tag_opens, .close = tag_closes},
		{.path = "/Tagging/TagSet/Tag/Key", .text = read_key},
		{.path = "/Tagging/TagSet/Tag/Value", .text = read_value},
	};
	struct reading reading = {.kind = kind, .out = out};
	strbuf_init(&reading.key, CHARACTER_BYTES * LIMIT_OBJECT_TAG_KEY_CHARACTERS);
	strbuf_init(&reading.value, CHARACTER_BYTES * LIMIT_OBJECT_TAG_VALUE_CHARACTERS);
	enum err e = xml_read(document, elements, ARRAY_LEN(elements), &reading, reason);
	strbuf_release(&reading.key);
	strbuf_release(&reading.value);
	if (e == ERR_OK && !reading.has_set)
		return malformed(reason, "There is no TagSet.");
	return e;
}

void tagging_format_xml(struct slice tags, struct strbuf *out)
{
	SCOPED_STRBUF(key, TAGGING_BYTES);
	SCOPED_STRBUF(value, TAGGING_BYTES);
	strbuf_adds(out, XML_PROLOG "<Tagging><TagSet>");
	while (tagging_next(&tags, &key, &value)) {
		xml_open(out, "Tag");
		xml_element(out, "Key", strbuf_slice(&key));
		xml_element(out, "Value", strbuf_slice(&value));
		xml_close(out, "Tag");
	}
	if (strbuf_starved(&key) || strbuf_starved(&value))
		strbuf_starve(out);
	strbuf_adds(out, "</TagSet></Tagging>\n");
}
