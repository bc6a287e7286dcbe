/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Tags: the first byte chooses between the header of an object and the document of an object or a
 * bucket. What is taken can be written and read back, and stays the same.
 */
#include <assert.h>

#include "base/limits.h"
#include "oss/rules/tagging.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len);

static void check(struct slice tags, enum tagging_kind kind)
{
	SCOPED_STRBUF(xml, 4 * TAGGING_BYTES);
	SCOPED_STRBUF(again, TAGGING_BYTES);
	SCOPED_STRBUF(reason, 512);
	SCOPED_STRBUF(key, TAGGING_BYTES);
	SCOPED_STRBUF(value, TAGGING_BYTES);
	struct slice rest = tags;
	size_t count = 0;
	assert(kind == TAGGING_BUCKET || tags.len <= KIB(12));
	for (; tagging_next(&rest, &key, &value); count++)
		assert(tagging_has(tags, strbuf_slice(&key), strbuf_slice(&value)));
	assert(rest.len == 0 && count == tagging_count(tags));
	tagging_format_xml(tags, &xml);
	assert(!strbuf_broken(&xml));
	assert(tagging_parse_xml(strbuf_slice(&xml), kind, &again, &reason) == ERR_OK);
	assert(slice_eq(strbuf_slice(&again), tags));
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
	SCOPED_STRBUF(tags, TAGGING_BYTES);
	SCOPED_STRBUF(reason, 512);
	if (len == 0 || len > LIMIT_HEAD_BYTES)
		return 0;
	struct slice text = slice_of(bytes + 1, len - 1);
	enum tagging_kind kind = (bytes[0] & 3) == 3 ? TAGGING_BUCKET : TAGGING_OBJECT;
	enum err e = bytes[0] & 2 ? tagging_parse_xml(text, kind, &tags, &reason)
				  : tagging_parse_header(text, kind, &tags);
	assert((e == ERR_MALFORMED_XML) == (reason.len > 0));
	if (e == ERR_OK)
		check(strbuf_slice(&tags), kind);
	return 0;
}
