/* SPDX-License-Identifier: Apache-2.0 */
/* The list of parts of CompleteMultipartUpload, and the ids of uploads. */
#include "base/encode.h"
#include "base/limits.h"
#include "ops/multipart/part_list.h"
#include "ops/multipart/upload_id.h"
#include "tap.h"

#define TAG "0123456789ABCDEFfedcba9876543210"
#define PART(number, tag) "<Part><PartNumber>" number "</PartNumber><ETag>" tag "</ETag></Part>"
#define ZEROS "0000000000000000"
#define LIST(parts) "<CompleteMultipartUpload>" parts "</CompleteMultipartUpload>"

static const struct {
	const char *document;
	enum err want;
} rows[] = {
	{LIST(PART("1", TAG)), ERR_OK},
	{LIST(PART("1", TAG) PART("10000", TAG)), ERR_OK},
	{LIST("<Part><ETag>\"" TAG "\"</ETag><PartNumber> 7 </PartNumber></Part>"), ERR_OK},
	{LIST(PART("1", "&quot;" TAG "&quot;")), ERR_OK},
	{LIST(""), ERR_OK},
	{"<CompleteMultipartUpload/>", ERR_OK},
	{"", ERR_MALFORMED_XML},
	{"<CompleteMultipartUpload>", ERR_MALFORMED_XML},
	{"<Parts></Parts>", ERR_MALFORMED_XML},
	{LIST("<Part/>"), ERR_MALFORMED_XML},
	{LIST("<Part><PartNumber>1</PartNumber></Part>"), ERR_MALFORMED_XML},
	{LIST("<Part><ETag>" TAG "</ETag></Part>"), ERR_MALFORMED_XML},
	{LIST(PART("", TAG)), ERR_MALFORMED_XML},
	{LIST(PART("-1", TAG)), ERR_MALFORMED_XML},
	{LIST(PART("1x", TAG)), ERR_MALFORMED_XML},
	{LIST("<Part><PartNumber>1</PartNumber><PartNumber>2</PartNumber><ETag>" TAG
	      "</ETag></Part>"),
		ERR_MALFORMED_XML},
	{LIST("<Part><PartNumber>1</PartNumber><ETag>" TAG "</ETag><ETag>" TAG "</ETag></Part>"),
		ERR_MALFORMED_XML},
	{LIST(PART("0", TAG)), ERR_INVALID_PART},
	{LIST(PART("10001", TAG)), ERR_INVALID_PART},
	{LIST(PART("18446744073709551616", TAG)), ERR_MALFORMED_XML},
	{LIST(PART("1", "")), ERR_INVALID_PART},
	{LIST(PART("1", "\"")), ERR_INVALID_PART},
	{LIST(PART("1", TAG "00")), ERR_INVALID_PART},
	{LIST(PART("1", "g123456789ABCDEFfedcba9876543210")), ERR_INVALID_PART},
	{LIST(PART("2", TAG) PART("1", TAG)), ERR_INVALID_PART_ORDER},
	{LIST(PART("2", TAG) PART("2", TAG)), ERR_INVALID_PART_ORDER},
};

static void test_rows(void)
{
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct part_list list = {.parts = NULL};
		SCOPED_STRBUF(reason, 512);
		enum err e = part_list_read(&list, slice_str(rows[i].document), &reason);
		OK(e == rows[i].want, "%s: %s", rows[i].document, err_info(e)->name);
		part_list_release(&list);
	}
}

/* All 10,000, and one more. */
static void test_many(void)
{
	struct part_list list = {.parts = NULL};
	SCOPED_STRBUF(reason, 512);
	SCOPED_STRBUF(xml, MIB(2));
	unsigned char md5[16];
	strbuf_adds(&xml, "<CompleteMultipartUpload>");
	for (unsigned i = 1; i <= LIMIT_PARTS; i++)
		strbuf_addf(&xml, PART("%u", "%032X"), i, i);
	size_t before = xml.len;
	strbuf_adds(&xml, "</CompleteMultipartUpload>");
	enum err e = part_list_read(&list, strbuf_slice(&xml), &reason);
	IS_INT(e, ERR_OK, "10,000 parts");
	IS_INT(list.count, LIMIT_PARTS, "are there");
	bool all = hex_decode(S("00000000000000000000000000002710"), md5, sizeof(md5));
	all = all && memcmp(list.parts[LIMIT_PARTS - 1].md5, md5, sizeof(md5)) == 0;
	for (unsigned i = 0; i < list.count; i++)
		all = all && list.parts[i].number == i + 1;
	OK(all, "each with its number");
	part_list_release(&list);
	strbuf_truncate(&xml, before);
	strbuf_adds(&xml, PART("10000", TAG) "</CompleteMultipartUpload>");
	e = part_list_read(&list, strbuf_slice(&xml), &reason);
	IS_INT(e, ERR_MALFORMED_XML, "one more");
	part_list_release(&list);
}

static void test_ids(void)
{
	static const char *const wrong[] = {"", "0", ZEROS ZEROS, "000000000000001",
		ZEROS "000000000000001", ZEROS "00000000000000001", ZEROS "000000000000000a",
		ZEROS "000000000000000G", "+" ZEROS "00000000000000A", " " ZEROS "00000000000000A",
		ZEROS "0X0000000000000A", "0000000000000001" ZEROS, "F000000000000000" ZEROS};
	SCOPED_STRBUF(text, 64);
	uint64_t upload = 7;
	upload_id_add(&text, UINT64_C(0xFEDCBA9876543210));
	IS(strbuf_slice(&text), S(ZEROS "FEDCBA9876543210"), "an id");
	OK(upload_id_parse(strbuf_slice(&text), &upload) && upload == UINT64_C(0xFEDCBA9876543210),
		"is read back");
	OK(upload_id_parse(S(ZEROS "000000000000000A"), &upload) && upload == 10, "a small one");
	for (size_t i = 0; i < ARRAY_LEN(wrong); i++)
		OK(!upload_id_parse(slice_str(wrong[i]), &upload), "no id: \"%s\"", wrong[i]);
}

int main(void)
{
	test_rows();
	test_many();
	test_ids();
	return tap_done();
}
