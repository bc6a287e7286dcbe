/* SPDX-License-Identifier: Apache-2.0 */
/* Parameters of dispositions, and the quotes in them. */
#include "http/param.h"
#include "tap.h"

static const struct {
	struct slice text; /* one parameter */
	struct slice value;
	struct slice meant;
} rows[] = {
	{SLICE_LIT("; f=a"), SLICE_LIT("a"), SLICE_LIT("a")},
	{SLICE_LIT("; f=\"\""), SLICE_LIT(""), SLICE_LIT("")},
	{SLICE_LIT("; f=\"a\\\"b.txt\""), SLICE_LIT("a\\\"b.txt"), SLICE_LIT("a\"b.txt")},
	{SLICE_LIT("; f=\"\\\"\\\"\" ;"), SLICE_LIT("\\\"\\\""), SLICE_LIT("\"\"")},
	{SLICE_LIT("; f=\"a%22b\""), SLICE_LIT("a%22b"), SLICE_LIT("a%22b")},
	{SLICE_LIT("; f=\"C:\\dir\\file\""), SLICE_LIT("C:\\dir\\file"),
		SLICE_LIT("C:\\dir\\file")},
	{SLICE_LIT("; f=\"C:\\\"; x=y"), SLICE_LIT("C:\\"), SLICE_LIT("C:\\")},
	{SLICE_LIT("; f=\"a\\\\\\\"b\""), SLICE_LIT("a\\\\\\\"b"), SLICE_LIT("a\\\"b")},
	{SLICE_LIT("; f=\"x\\\\y\""), SLICE_LIT("x\\\\y"), SLICE_LIT("x\\y")},
	{SLICE_LIT("; f=\"a\\\\\""), SLICE_LIT("a\\\\"), SLICE_LIT("a\\")},
	{SLICE_LIT("; f=\"\\\\s\\d\""), SLICE_LIT("\\\\s\\d"), SLICE_LIT("\\\\s\\d")},
	{SLICE_LIT("; f=\"a\\\";b.txt\""), SLICE_LIT("a\\\";b.txt"), SLICE_LIT("a\";b.txt")},
	{SLICE_LIT("; f=\"a\\\";b=c\\\".txt\""), SLICE_LIT("a\\\";b=c\\\".txt"),
		SLICE_LIT("a\";b=c\".txt")},
};

int main(void)
{
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct slice rest = rows[i].text;
		struct param param;
		SCOPED_STRBUF(meant, 100);
		IS_INT(param_next(&rest, &param), PARAM_FOUND, "a parameter");
		IS(param.value, rows[i].value, "its value");
		param_unescape(param.value, &meant);
		IS(strbuf_slice(&meant), rows[i].meant, "and what it means");
	}
	return tap_done();
}
