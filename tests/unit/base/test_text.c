/* SPDX-License-Identifier: Apache-2.0 */
/* strbuf, arena, encodings, the error table, and quoting in the log. */
#include "base/arena.h"
#include "base/encode.h"
#include "base/err.h"
#include "base/log.h"
#include "tap.h"

static void strbufs(void)
{
	SCOPED_STRBUF(sb, 10);
	strbuf_addf(&sb, "%d-%s", 12, "ab");
	strbuf_addc(&sb, '\0');
	strbuf_add_u64(&sb, 0);
	IS(strbuf_slice(&sb),
		S("12-ab\0"
		  "0"),
		"appends, NUL included");
	strbuf_adds(&sb, "four");
	OK(strbuf_broken(&sb) && sb.len == 7, "an append over the ceiling appends nothing");
	strbuf_addc(&sb, 'x');
	OK(sb.len == 7, "a broken strbuf ignores what follows");
	strbuf_clear(&sb);
	strbuf_adds(&sb, "0123456789");
	OK(!strbuf_broken(&sb) && sb.ptr[10] == '\0', "the ceiling itself fits");
	size_t len;
	SCOPED_FREE char *text = strbuf_detach(&sb, &len);
	OK(text && len == 10 && sb.len == 0, "detaches");
}

static void arenas(void)
{
	char first[64];
	struct arena a;
	arena_init(&a, first, sizeof(first), 20000);
	char *p = arena_alloc(&a, 10);
	OK(p >= first && p < first + 64, "begins in the owner's block");
	OK((uintptr_t)arena_alloc(&a, 1) % 16 == 0, "aligned");
	char *big = arena_zalloc(&a, 9000);
	OK(big && big[0] == 0 && big[8999] == 0, "grows on the heap");
	OK(arena_alloc(&a, 12000) == NULL, "refuses to pass its ceiling");
	IS(arena_copy(&a, S("text")), S("text"), "copies");
	arena_reset(&a);
	OK(arena_alloc(&a, 19000) != NULL, "a reset gives everything back");
	arena_reset(&a);
}

static void base64(void)
{
	static const char *const rows[][2] = {{"", ""}, {"f", "Zg=="}, {"fo", "Zm8="},
		{"foo", "Zm9v"}, {"foobar", "Zm9vYmFy"}, {"\xff\xfe\xfd", "//79"}};
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		SCOPED_STRBUF(sb, 100);
		base64_encode(&sb, slice_str(rows[i][0]));
		IS(strbuf_slice(&sb), slice_str(rows[i][1]), "encodes (RFC 4648 section 10)");
		strbuf_clear(&sb);
		OK(base64_decode(&sb, slice_str(rows[i][1])), "decodes %s", rows[i][1]);
		IS(strbuf_slice(&sb), slice_str(rows[i][0]), "to the same");
	}
	static const char *const bad[] = {"Zg", "Zg=", "Zg===", "Z===", "====", "Zm9v\n", "Zm 9v",
		"Zh==", "Zm9=", "Zm-_", "=Zg=", "Zg==Zg=="};
	for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
		SCOPED_STRBUF(sb, 100);
		strbuf_addc(&sb, 'k');
		OK(!base64_decode(&sb, slice_str(bad[i])) && sb.len == 1, "refuses %s",
			bad[i][0] ? bad[i] : "");
	}
}

static void percent(void)
{
	SCOPED_STRBUF(sb, 100);
	percent_encode(&sb, S("a/b +&=%~\xe4\xb8\xad"));
	IS(strbuf_slice(&sb), S("a%2Fb%20%2B%26%3D%25~%E4%B8%AD"),
		"percent-encodes all but unreserved");
	strbuf_clear(&sb);
	percent_encode_path(&sb, S("a/b c"));
	IS(strbuf_slice(&sb), S("a/b%20c"), "keeps the slash of a path");
	strbuf_clear(&sb);
	OK(percent_decode(&sb, S("a%2fb+%00c")), "decodes");
	IS(strbuf_slice(&sb), S("a/b+\0c"), "either case, plus stays plus");
	OK(!percent_decode(&sb, S("a%2")) && !percent_decode(&sb, S("%zz")),
		"refuses broken escapes");
	IS_INT(sb.len, 6, "a refusal appends nothing");
	strbuf_clear(&sb);
	OK(plus_decode(&sb, S("a+b%2Bc+%20+")), "decodes a query");
	IS(strbuf_slice(&sb), S("a b+c   "), "where a plus is a space");
	OK(!plus_decode(&sb, S("a+%2")) && sb.len == 8, "and refuses a broken escape");
}

static void utf8(void)
{
	OK(utf8_valid(S("")) && utf8_valid(S("a\xc3\xa9\xe4\xb8\xad\xf0\x9f\x98\x80")),
		"valid UTF-8");
	static const char *const bad[] = {"\x80", "\xc0\xaf", "\xc3", "\xe0\x80\x80",
		"\xed\xa0\x80", "\xf4\x90\x80\x80", "\xf8\x88\x80\x80\x80", "a\xff"};
	for (size_t i = 0; i < ARRAY_LEN(bad); i++)
		OK(!utf8_valid(slice_str(bad[i])), "refuses ill-formed UTF-8, row %zu", i);
	SCOPED_STRBUF(sb, 100);
	utf8_repair(&sb, S("plain, \xc3\xa9\xff\xc3, \xf0\x9f\x98\x80\xf0\x9f\x98"));
	IS(strbuf_slice(&sb),
		S("plain, \xc3\xa9\xef\xbf\xbd\xef\xbf\xbd, "
		  "\xf0\x9f\x98\x80\xef\xbf\xbd\xef\xbf\xbd"
		  "\xef\xbf\xbd"),
		"puts U+FFFD for each byte that is not UTF-8");
}

int main(void)
{
	strbufs();
	arenas();
	base64();
	percent();
	utf8();
	unsigned char bytes[2];
	OK(hex_decode(S("aF09"), bytes, 2) && bytes[0] == 0xaf && bytes[1] == 9, "hexadecimal");
	OK(!hex_decode(S("aF0"), bytes, 2) && !hex_decode(S("aF0g"), bytes, 2),
		"refuses what is not");
	IS_INT(err_info(ERR_NO_SUCH_KEY)->status, 404, "the error table");
	char quoted[16];
	IS(slice_str(log_quoted(S("a\"\n"), quoted, sizeof(quoted))), S("\"a\\x22\\x0a\""),
		"quotes for the log");
	IS(slice_str(log_quoted(S("0123456789abcdef"), quoted, sizeof(quoted))),
		S("\"0123456789...\""), "and cuts");
	return tap_done();
}
