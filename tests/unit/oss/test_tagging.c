/* SPDX-License-Identifier: Apache-2.0 */
/* Tags: the header, the document, the form they are kept in, and what is refused. */
#include "oss/rules/tagging.h"

#include "base/limits.h"
#include "tap.h"

#define OPEN "<Tagging><TagSet>"
#define CLOSE "</TagSet></Tagging>"
#define TAG(key, value) "<Tag><Key>" key "</Key><Value>" value "</Value></Tag>"

static const struct {
	const char *header;
	enum err err;
	const char *kept;
} headers[] = {
	{"", ERR_OK, ""},
	{"a=1", ERR_OK, "a=1"},
	{"a=1&b=2", ERR_OK, "a=1&b=2"},
	{"a&b=", ERR_OK, "a=&b="},
	{"k%3D1+x=v%20%2B%3D", ERR_OK, "k%3D1 x=v +="},
	{"TagA%3A%2F._-=A:/._-", ERR_OK, "TagA:/._-=A:/._-"},
	{"a=1&A=1", ERR_OK, "a=1&A=1"},
	{"aa=bb=cc", ERR_TAG_FORMAT, NULL},
	{"a=%4", ERR_TAG_FORMAT, NULL},
	{"%zz=a", ERR_TAG_FORMAT, NULL},
	{"=a", ERR_TAG_KEY, NULL},
	{"a=1&", ERR_TAG_KEY, NULL},
	{"&a=1", ERR_TAG_KEY, NULL},
	{"a%26=1", ERR_TAG_KEY, NULL},
	{"a%00=1", ERR_TAG_KEY, NULL},
	{"%E4%B8%AD=%e5%9b%bd", ERR_OK, "%E4%B8%AD=%E5%9B%BD"},
	{"%C3%A9=%F0%9F%98%80", ERR_OK, "%C3%A9=%F0%9F%98%80"},
	{"a=%FF", ERR_TAG_VALUE, NULL},
	{"a%EF%BF%BE=1", ERR_TAG_KEY, NULL},
	{"a=%EF%BF%BF", ERR_TAG_VALUE, NULL},
	{"%ED%A0%80=a", ERR_TAG_KEY, NULL},
	{"a=b%0A", ERR_TAG_VALUE, NULL},
	{"a=b%00", ERR_TAG_VALUE, NULL},
	{"a=1@2", ERR_TAG_VALUE, NULL},
	{"a=1&b=2&a=3", ERR_TAG_DUPLICATE, NULL},
	{"a%3D=1&a%3d=2", ERR_TAG_DUPLICATE, NULL},
	{"1&2&3&4&5&6&7&8&9&10", ERR_OK, "1=&2=&3=&4=&5=&6=&7=&8=&9=&10="},
	{"1&2&3&4&5&6&7&8&9&10&11", ERR_TOO_MANY_TAGS, NULL},
};

static void reads_headers(void)
{
	for (size_t i = 0; i < ARRAY_LEN(headers); i++) {
		SCOPED_STRBUF(out, TAGGING_BYTES);
		enum err e =
			tagging_parse_header(slice_str(headers[i].header), TAGGING_OBJECT, &out);
		OK(e == headers[i].err, "`%s`: %s", headers[i].header, err_info(e)->name);
		if (e == ERR_OK)
			IS(strbuf_slice(&out), slice_str(headers[i].kept), "is kept so");
	}
}

static const struct {
	const char *document;
	enum tagging_kind kind;
	enum err err;
	const char *kept;
} documents[] = {
	{OPEN CLOSE, TAGGING_OBJECT, ERR_OK, ""},
	{"<Tagging>\n <TagSet/>\n</Tagging>", TAGGING_OBJECT, ERR_OK, ""},
	{OPEN TAG("a", "1") TAG("b", "") CLOSE, TAGGING_OBJECT, ERR_OK, "a=1&b="},
	{OPEN "<Tag><Key>a</Key></Tag>" TAG("b", "1") "<Tag><Key>c</Key></Tag>" CLOSE,
		TAGGING_OBJECT, ERR_OK, "a=&b=1&c="},
	{OPEN "<Tag>\n<Value>1</Value>\n<Key>a b</Key>\n</Tag>" CLOSE, TAGGING_OBJECT, ERR_OK,
		"a b=1"},
	{OPEN TAG("+++", ":::") CLOSE, TAGGING_OBJECT, ERR_OK, "+++=:::"},
	{OPEN TAG("a", "&amp;") CLOSE, TAGGING_OBJECT, ERR_TAG_VALUE, NULL},
	{OPEN TAG("a", "&amp;") CLOSE, TAGGING_BUCKET, ERR_OK, "a=%26"},
	{OPEN TAG("\xe4\xb8\xad", "\xe4\xb8\xad") CLOSE, TAGGING_BUCKET, ERR_OK,
		"%E4%B8%AD=%E4%B8%AD"},
	{OPEN TAG("a", "\x7f") CLOSE, TAGGING_BUCKET, ERR_TAG_VALUE, NULL},
	{OPEN TAG("a", "\n") CLOSE, TAGGING_BUCKET, ERR_TAG_VALUE, NULL},
	{OPEN TAG("", "1") CLOSE, TAGGING_OBJECT, ERR_TAG_KEY, NULL},
	{OPEN TAG("a", "1") TAG("a", "2") CLOSE, TAGGING_OBJECT, ERR_TAG_DUPLICATE, NULL},
	{OPEN TAG("http://a", "1") CLOSE, TAGGING_OBJECT, ERR_OK, "http://a=1"},
	{OPEN TAG("http://a", "1") CLOSE, TAGGING_BUCKET, ERR_TAG_PREFIX, NULL},
	{OPEN TAG("HTTPS://a", "1") CLOSE, TAGGING_BUCKET, ERR_TAG_PREFIX, NULL},
	{OPEN TAG("Aliyun", "1") CLOSE, TAGGING_BUCKET, ERR_TAG_PREFIX, NULL},
	{OPEN TAG("acs:b", "1") CLOSE, TAGGING_BUCKET, ERR_TAG_PREFIX, NULL},
	{OPEN TAG("acs", "1") CLOSE, TAGGING_BUCKET, ERR_OK, "acs=1"},
	{"", TAGGING_OBJECT, ERR_MALFORMED_XML, NULL},
	{"<Tagging></Tagging>", TAGGING_OBJECT, ERR_MALFORMED_XML, NULL},
	{"<Tagging><TagSet/><TagSet/></Tagging>", TAGGING_OBJECT, ERR_MALFORMED_XML, NULL},
	{OPEN "<Tag/>" CLOSE, TAGGING_OBJECT, ERR_MALFORMED_XML, NULL},
	{OPEN TAG("a", "1") "<Tag><Value>1</Value></Tag>" CLOSE, TAGGING_OBJECT, ERR_MALFORMED_XML,
		NULL},
	{OPEN "<Tag><Key>a</Key><Key>a</Key></Tag>" CLOSE, TAGGING_OBJECT, ERR_MALFORMED_XML, NULL},
	{OPEN "<Tag><Key>a</Key><Value/><Value/></Tag>" CLOSE, TAGGING_OBJECT, ERR_MALFORMED_XML,
		NULL},
	{OPEN "<Tag><Name>a</Name></Tag>" CLOSE, TAGGING_OBJECT, ERR_MALFORMED_XML, NULL},
	{"<TagSet></TagSet>", TAGGING_OBJECT, ERR_MALFORMED_XML, NULL},
};

static void reads_documents(void)
{
	for (size_t i = 0; i < ARRAY_LEN(documents); i++) {
		SCOPED_STRBUF(out, TAGGING_BYTES);
		SCOPED_STRBUF(reason, 512);
		enum err e = tagging_parse_xml(
			slice_str(documents[i].document), documents[i].kind, &out, &reason);
		OK(e == documents[i].err, "%zu %s: %s", i, documents[i].document,
			err_info(e)->name);
		OK((e == ERR_MALFORMED_XML) == (reason.len > 0), "and says why");
		if (e == ERR_OK)
			IS(strbuf_slice(&out), slice_str(documents[i].kept), "is kept so");
	}
}

/* `tags` tags with keys and values of these lengths, as a document. */
static enum err of_size(
	enum tagging_kind kind, size_t tags, size_t key, size_t value, struct strbuf *out)
{
	SCOPED_STRBUF(document, 100000);
	SCOPED_STRBUF(reason, 512);
	strbuf_adds(&document, OPEN);
	for (size_t i = 0; i < tags; i++) {
		strbuf_addf(&document, "<Tag><Key>%c", (int)('a' + i));
		for (size_t j = 1; j < key; j++)
			strbuf_addc(&document, '=');
		strbuf_adds(&document, "</Key><Value>");
		for (size_t j = 0; j < value; j++)
			strbuf_addc(&document, '=');
		strbuf_adds(&document, "</Value></Tag>");
	}
	strbuf_adds(&document, CLOSE);
	return tagging_parse_xml(strbuf_slice(&document), kind, out, &reason);
}

static void limits(void)
{
	static const struct {
		enum tagging_kind kind;
		size_t tags, key, value;
		enum err err;
	} rows[] = {
		{TAGGING_OBJECT, 10, 128, 256, ERR_OK},
		{TAGGING_OBJECT, 1, 129, 1, ERR_TAG_KEY},
		{TAGGING_OBJECT, 1, 1, 257, ERR_TAG_VALUE},
		{TAGGING_OBJECT, 11, 1, 1, ERR_TOO_MANY_TAGS},
		{TAGGING_BUCKET, 20, 64, 128, ERR_OK},
		{TAGGING_BUCKET, 1, 65, 1, ERR_TAG_KEY},
		{TAGGING_BUCKET, 1, 1, 129, ERR_TAG_VALUE},
		{TAGGING_BUCKET, 21, 1, 1, ERR_TOO_MANY_TAGS},
	};
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		SCOPED_STRBUF(out, TAGGING_BYTES);
		enum err e = of_size(rows[i].kind, rows[i].tags, rows[i].key, rows[i].value, &out);
		OK(e == rows[i].err, "%zu tags of %zu=%zu: %s", rows[i].tags, rows[i].key,
			rows[i].value, err_info(e)->name);
		if (e == ERR_OK && rows[i].kind == TAGGING_OBJECT)
			OK(out.len <= KIB(8), "fit into what the store keeps: %zu", out.len);
	}
}

static void says(void)
{
	static const struct slice tags = SLICE_LIT("k%3D=v=1&<b>=&%26=%E4%B8%AD");
	SCOPED_STRBUF(xml, KIB(4));
	tagging_format_xml(tags, &xml);
	IS(strbuf_slice(&xml),
		S("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n" OPEN TAG("k=", "v=1")
				TAG("&lt;b&gt;", "") TAG("&amp;", "\xe4\xb8\xad") CLOSE "\n"),
		"the document");
	IS_INT(tagging_count(tags), 3, "three tags");
	IS_INT(tagging_count(S("")), 0, "none");
	OK(tagging_has(tags, S("k="), S("v=1")), "has one");
	OK(tagging_has(tags, S("&"), S("\xe4\xb8\xad")), "has another");
	OK(!tagging_has(tags, S("k="), S("v=2")), "not with another value");
	OK(!tagging_has(tags, S("k"), S("v=1")), "not another key");
	OK(!tagging_has(tags, S("k%3D"), S("v=1")), "takes keys as they are");
	OK(!tagging_has(S(""), S(""), S("")), "nothing is in none");
}

int main(void)
{
	reads_headers();
	reads_documents();
	limits();
	says();
	return tap_done();
}
