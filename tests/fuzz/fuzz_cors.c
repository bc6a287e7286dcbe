/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A CORS document, then, each behind a NUL, Origin, method and requested headers. A valid document
 * survives being written and read again; answers are header lines and nothing else.
 */
#include <assert.h>

#include "base/limits.h"
#include "oss/rules/cors.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len);

/* Each line: a name, `: `, something without control characters, CRLF. */
static void assert_header_lines(struct slice lines)
{
	while (lines.len) {
		size_t end = slice_find_slice(lines, S("\r\n"));
		assert(end < lines.len);
		struct slice line = slice_head(lines, end);
		assert(slice_starts(line, S("Access-Control-")) ||
			slice_eq(line, S("Vary: Origin")));
		assert(slice_find_slice(line, S(": ")) < line.len);
		for (size_t i = 0; i < line.len; i++)
			assert(line.ptr[i] >= ' ' && line.ptr[i] <= '~');
		lines = slice_from(lines, end + 2);
	}
}

static void check_round_trip(const struct cors *cors)
{
	SCOPED_STRBUF(first, 10 * LIMIT_CORS_BODY_BYTES);
	SCOPED_STRBUF(second, 10 * LIMIT_CORS_BODY_BYTES);
	SCOPED_STRBUF(reason, 1000);
	struct cors *again = NULL;
	cors_format(cors, &first);
	assert(!strbuf_broken(&first));
	if (first.len > LIMIT_CORS_BODY_BYTES)
		return;
	assert(cors_parse(strbuf_slice(&first), &again, &reason) == ERR_OK);
	cors_format(again, &second);
	assert(slice_eq(strbuf_slice(&first), strbuf_slice(&second)));
	cors_free(again);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
	struct slice rest = slice_of(bytes, len);
	struct slice xml;
	struct cors_request request;
	struct cors *cors = NULL;
	SCOPED_STRBUF(out, 100000 + len);
	SCOPED_STRBUF(reason, 1000);
	(void)slice_cut(&rest, '\0', &xml);
	(void)slice_cut(&rest, '\0', &request.origin);
	(void)slice_cut(&rest, '\0', &request.method);
	request.headers = rest;
	if (cors_parse(xml, &cors, &reason) != ERR_OK) {
		assert(!cors && reason.len);
		return 0;
	}
	check_round_trip(cors);
	enum err e = cors_preflight(cors, &request, &out);
	assert(e != ERR_CORS_NOT_ENABLED && (e != ERR_OK || out.len > 0));
	cors_actual(cors, request.origin, request.method, &out);
	assert(!strbuf_broken(&out));
	assert_header_lines(strbuf_slice(&out));
	cors_free(cors);
	return 0;
}
