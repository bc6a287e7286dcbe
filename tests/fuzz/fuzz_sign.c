/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Signed requests: the first line is the query, each other line a header. Nothing here is signed
 * with the secret, so nothing may verify.
 */
#include <assert.h>
#include <stdint.h>

#include "base/limits.h"
#include "oss/sign/sign.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len);

static void verify(const struct sign_parsed *p, const struct sign_request *r)
{
	SCOPED_STRBUF(text, SIGN_TEXT_BYTES);
	SCOPED_STRBUF(canonical, SIGN_TEXT_BYTES);
	assert(p->access_key_id.len > 0 && p->signature.len > 0);
	/* Only a V1 URL may hold for longer than the calendar. */
	assert(p->scheme == SIGN_V1_URL || sign_check_time(p, INT64_MAX / 2) != ERR_OK);
	assert(sign_check_region(p, S("")) == ERR_OK);
	assert(sign_verify(p, r, S("a secret that nobody knows"), NULL, &text, &canonical) !=
		ERR_OK);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
	struct http_header headers[LIMIT_HEADERS];
	struct sign_request r = {.method = S("PUT"),
		.bucket = S("bucket"),
		.key = S("dir/a file"),
		.headers = headers};
	struct slice rest = slice_of(bytes, len);
	if (len > LIMIT_HEAD_BYTES)
		return 0;
	struct slice query;
	(void)slice_cut(&rest, '\n', &query);
	while (rest.len > 0 && r.header_count < LIMIT_HEADERS) {
		struct http_header *header = &headers[r.header_count++];
		(void)slice_cut(&rest, '\n', &header->value);
		(void)slice_cut(&header->value, ':', &header->name);
		header->value = slice_trim(header->value);
	}
	char first[4096];
	struct arena arena;
	struct refusal why = {0};
	struct sign_parsed parsed;
	arena_init(&arena, first, sizeof(first), LIMIT_REQUEST_ARENA_BYTES);
	enum err e = ERR_UNAVAILABLE;
	if (query_parse(query, &arena, &r.query))
		e = sign_parse(&r, &arena, &parsed, &why);
	if (e == ERR_OK && parsed.scheme != SIGN_NONE)
		verify(&parsed, &r);
	arena_reset(&arena);
	return 0;
}
