/* SPDX-License-Identifier: Apache-2.0 */
/* The XML writer and reader: escapes, round trips, the table, and refusals. */
#include "base/limits.h"
#include "oss/text/xml.h"

#include "tap.h"

static void escapes(void)
{
	static const struct slice table[][2] = {
		{SLICE_LIT("plain \xe4\xb8\xad\xf0\x9f\x98\x80\t\n"),
			SLICE_LIT("plain \xe4\xb8\xad\xf0\x9f\x98\x80\t\n")},
		{SLICE_LIT("<a href=\"b\">&'"), SLICE_LIT("&lt;a href=&quot;b&quot;&gt;&amp;'")},
		{SLICE_LIT("a\rb"), SLICE_LIT("a&#13;b")},
		{SLICE_LIT("a\0b\x01\x1f"), SLICE_LIT("a\xef\xbf\xbd"
						      "b\xef\xbf\xbd\xef\xbf\xbd")},
		{SLICE_LIT("\xef\xbf\xbe\xef\xbf\xbf\xef\xbf\xbd"),
			SLICE_LIT("\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd")},
		{SLICE_LIT("\xff\xe4\xb8"), SLICE_LIT("\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd")},
		{SLICE_LIT("\xed\xa0\x80"), SLICE_LIT("\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd")},
		{SLICE_LIT(""), SLICE_LIT("")},
	};
	for (size_t i = 0; i < ARRAY_LEN(table); i++) {
		SCOPED_STRBUF(sb, 1000);
		xml_escape(&sb, table[i][0]);
		IS(strbuf_slice(&sb), table[i][1], "escapes");
	}
	SCOPED_STRBUF(sb, 1000);
	xml_open(&sb, "A");
	xml_element(&sb, "B", S("<"));
	xml_element_u64(&sb, "C", UINT64_MAX);
	xml_close(&sb, "A");
	IS(strbuf_slice(&sb), S("<A><B>&lt;</B><C>18446744073709551615</C></A>"), "elements");
}

/* Writes down what the reader calls. */
static enum err list_open(void *ctx, struct strbuf *reason)
{
	(void)reason;
	strbuf_adds(ctx, "(");
	return ERR_OK;
}

static enum err list_close(void *ctx, struct strbuf *reason)
{
	(void)reason;
	strbuf_adds(ctx, ")");
	return ERR_OK;
}

static enum err item_text(void *ctx, struct slice text, struct strbuf *reason)
{
	if (slice_eq(text, S("stop"))) {
		strbuf_adds(reason, "stopped");
		return ERR_INVALID_ARGUMENT;
	}
	strbuf_adds(ctx, "[");
	strbuf_add_slice(ctx, text);
	strbuf_adds(ctx, "]");
	return ERR_OK;
}

static const struct xml_element elements[] = {
	{.path = "/List"},
	{.path = "/List/Group", .open = list_open, .close = list_close},
	{.path = "/List/Group/Item", .text = item_text},
	{.path = "/List/Item", .text = item_text},
};

static enum err read_list(struct slice document, struct strbuf *calls, struct strbuf *reason)
{
	return xml_read(document, elements, ARRAY_LEN(elements), calls, reason);
}

static void reads(void)
{
	static const char *const table[][2] = {
		{"<List/>", ""},
		{"<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<List>\n <Item>a</Item>\n</List>\n",
			"[a]"},
		{"<List><Item>a</Item><Group><Item>b</Item><Item/></Group><Group/></List>",
			"[a]([b][])()"},
		{"<List xmlns='http://example.com/'><Item a='b'>x</Item></List>", "[x]"},
		{"<List><!-- c --><?pi d?><Item>a<!-- c -->b<![CDATA[<c>]]></Item></List>",
			"[ab<c>]"},
		{"<List><Item>&lt;&amp;&#228;&#x4e2d;</Item></List>", "[<&\xc3\xa4\xe4\xb8\xad]"},
		{"<List><Item> a\r\nb </Item></List>", "[ a\nb ]"},
		{"\r\n <?xml version='1.0'?><List/>\n", ""},
		{"<List><Item>&#1;a&#x1F;&#x00c;&amp;&#10;</Item></List>", "[\x01"
									   "a\x1f\x0c&\n]"},
		{"<List><Item>&#1;<![CDATA[&#1;]]></Item></List>", "[\x01&#1;]"},
		{"<List><Item>&#1;\xef\xb7\x91\x02</Item></List>", "[\x01\xef\xb7\x91\x02]"},
		{"<List><Item>\xef\xb7\x91<![CDATA[&#1;]]></Item></List>", "[\xef\xb7\x91&#1;]"},
		{"\xef\xbb\xbf<List><Item>a</Item></List>", "[a]"},
		{"<?xml version='1.0' encoding='ISO-8859-1'?><List><Item>\xc3\xa9</Item></List>",
			"[\xc3\xa9]"},
	};
	for (size_t i = 0; i < ARRAY_LEN(table); i++) {
		SCOPED_STRBUF(calls, 1000);
		SCOPED_STRBUF(reason, 1000);
		OK(read_list(slice_str(table[i][0]), &calls, &reason) == ERR_OK && reason.len == 0,
			"reads %s", table[i][0]);
		IS(strbuf_slice(&calls), slice_str(table[i][1]), "the calls");
	}
}

static void refusals(void)
{
	static const char *const table[] = {"", " ", "x", "<List>", "<List></Lis>",
		"<List/><List/>", "<List/>x", "<list/>", "<Other/>", "<List><Other/></List>",
		"<List><Group><Group/></Group></List>", "<List>text</List>",
		"<List><Group>text</Group></List>", "<List><Item><Item>a</Item></Item></List>",
		"<List><Item>&nope;</Item></List>", "<List><Item>&#0;</Item></List>",
		"<List><Item>&#x110000;</Item></List>", "<List><Item>&#1</Item></List>",
		"<List><Item>&#0;</Item></List>", "<List><Item>\xff</Item></List>",
		"<List><Item>\xed\xa0\x80</Item></List>", "<x:List xmlns:x='u'/>",
		"<!DOCTYPE List><List/>",
		"<!DOCTYPE List [<!ENTITY a 'b'>]><List><Item>&a;</Item></List>",
		"<!DOCTYPE List SYSTEM 'http://127.0.0.1/x.dtd'><List/>",
		"<?xml version='1.1'?><List", "<List><Item>a</List></Item>",
		"<Listttttttttttttttttttttttttttttttttttttttttttttttttttttttttttttttttttttttttttttt"
		"tttt"
		"tttttttttttttttttttttttttttttttttttttttttttttttttttttttttttttttttttttttttttttttttt"
		"tt/>"};
	for (size_t i = 0; i < ARRAY_LEN(table); i++) {
		SCOPED_STRBUF(calls, 1000);
		SCOPED_STRBUF(reason, 1000);
		OK(read_list(slice_str(table[i]), &calls, &reason) == ERR_MALFORMED_XML &&
				reason.len,
			"refuses %s: %s", table[i], reason.ptr);
	}
	SCOPED_STRBUF(calls, 1000);
	SCOPED_STRBUF(reason, 1000);
	IS_INT(read_list(S("<List><Item>stop</Item><Item>on</Item><broken"), &calls, &reason),
		ERR_INVALID_ARGUMENT, "a handler's error is the result");
	IS(strbuf_slice(&reason), S("stopped"), "its reason too");
	IS_INT(calls.len, 0, "and nothing is called after it");
}

/* An entity bomb and a very deep document end at once. */
static void hostile(void)
{
	SCOPED_STRBUF(document, 10000000);
	SCOPED_STRBUF(calls, 1000);
	SCOPED_STRBUF(reason, 1000);
	strbuf_adds(&document, "<!DOCTYPE List [<!ENTITY a0 'aaaaaaaaaa'>");
	for (int i = 1; i < 20; i++)
		strbuf_addf(&document, "<!ENTITY a%d '&a%d;&a%d;&a%d;&a%d;'>", i, i - 1, i - 1,
			i - 1, i - 1);
	strbuf_adds(&document, "]><List><Item>&a19;</Item></List>");
	IS_INT(read_list(strbuf_slice(&document), &calls, &reason), ERR_MALFORMED_XML,
		"an entity bomb");
	strbuf_clear(&document);
	for (int i = 0; i < 1000000; i++)
		strbuf_adds(&document, "<List>");
	IS_INT(read_list(strbuf_slice(&document), &calls, &reason), ERR_MALFORMED_XML,
		"a million levels");
}

/* A document with so many attributes, in one element or in one each. */
static enum err read_attributes(int count, bool apart, struct strbuf *reason)
{
	SCOPED_STRBUF(document, 10000000);
	SCOPED_STRBUF(calls, 10000000);
	strbuf_adds(&document, apart ? "<List>" : "<List");
	for (int i = 0; i < count; i++)
		strbuf_addf(&document, apart ? "<Item a%d=''/>" : " a%d=''", i);
	strbuf_adds(&document, apart ? "</List>" : "/>");
	return read_list(strbuf_slice(&document), &calls, reason);
}

/* What expat would make something of, and nobody reads. */
static void attributes(void)
{
	for (int apart = 0; apart < 2; apart++) {
		SCOPED_STRBUF(reason, 1000);
		IS_INT(read_attributes(LIMIT_XML_ATTRIBUTES, apart, &reason), ERR_OK,
			"as many attributes as there may be");
		IS_INT(read_attributes(LIMIT_XML_ATTRIBUTES + 1, apart, &reason), ERR_MALFORMED_XML,
			"one more");
		OK(strstr(reason.ptr, "more than 64 attributes"), "that is said: %s", reason.ptr);
	}
	SCOPED_STRBUF(reason, 1000);
	IS_INT(read_attributes(250000, false, &reason), ERR_MALFORMED_XML, "a tag of 2 MB");
	OK(strstr(reason.ptr, "more than 65536 bytes"), "ends long before: %s", reason.ptr);

	static const char *const tokens[][2] = {
		{"<!--", "-->"}, {"<?a ", "?>"}, {"<Item a='", "'/>"}, {"<Item>", "</Item>"}};
	SCOPED_STRBUF(long_text, LIMIT_XML_TOKEN_BYTES * 2);
	for (size_t i = 0; i < LIMIT_XML_TOKEN_BYTES * 3 / 2; i++)
		strbuf_addc(&long_text, 'a');
	for (size_t i = 0; i < ARRAY_LEN(tokens); i++) {
		SCOPED_STRBUF(document, 1000000);
		SCOPED_STRBUF(calls, 1000000);
		bool is_text = i == ARRAY_LEN(tokens) - 1;
		strbuf_addf(&document, "<List>%s%s%s</List>", tokens[i][0], long_text.ptr,
			tokens[i][1]);
		OK(read_list(strbuf_slice(&document), &calls, &reason) ==
				(is_text ? ERR_OK : ERR_MALFORMED_XML),
			"%s of 96 KiB", tokens[i][0]);
	}
}

/* Every text of two bytes comes back as it was, or with U+FFFD for what XML cannot hold. */
static void round_trips(void)
{
	int bad = 0;
	for (int first = 1; first < 0x80; first++) {
		for (int second = 1; second < 0x80; second++) {
			char text[2] = {(char)first, (char)second};
			SCOPED_STRBUF(document, 1000);
			SCOPED_STRBUF(got, 1000);
			SCOPED_STRBUF(want, 1000);
			SCOPED_STRBUF(reason, 1000);
			strbuf_adds(&want, "[");
			for (int i = 0; i < 2; i++) {
				if (text[i] < 0x20 && !strchr("\t\n\r", text[i]))
					strbuf_adds(&want, "\xef\xbf\xbd");
				else
					strbuf_addc(&want, text[i]);
			}
			strbuf_addf(&want, "][%c%c]", text[0], text[1]);
			strbuf_adds(&document, XML_PROLOG "<List>");
			xml_element(&document, "Item", slice_of(text, 2));
			xml_element_exact(&document, "Item", slice_of(text, 2));
			strbuf_adds(&document, "</List>");
			bad += read_list(strbuf_slice(&document), &got, &reason) != ERR_OK ||
			       !slice_eq(strbuf_slice(&got), strbuf_slice(&want));
		}
	}
	IS_INT(bad, 0, "what is written is read back");
}

int main(void)
{
	escapes();
	reads();
	refusals();
	hostile();
	attributes();
	round_trips();
	IS(xml_trim(S(" \t\r\na b\n ")), S("a b"), "trims");
	IS(xml_trim(S("  ")), S(""), "to nothing");
	return tap_done();
}
