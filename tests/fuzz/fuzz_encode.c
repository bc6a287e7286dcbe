/* SPDX-License-Identifier: Apache-2.0 */
/* Encodings: each text that is accepted is the one that its bytes are written as, where there is
 * one. */
#include <assert.h>

#include "base/encode.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len);

static void check_base64(struct slice text)
{
	SCOPED_STRBUF(decoded, text.len + 1);
	SCOPED_STRBUF(encoded, 2 * text.len + 8);
	strbuf_addc(&decoded, '!');
	bool ok = base64_decode(&decoded, text);
	assert(decoded.ptr[0] == '!');
	struct slice got = slice_from(strbuf_slice(&decoded), 1);
	assert(ok || got.len == 0);
	if (ok) {
		base64_encode(&encoded, got);
		assert(slice_eq(strbuf_slice(&encoded), text));
	}
}

static void check_base64url(struct slice text)
{
	SCOPED_STRBUF(decoded, text.len + 1);
	SCOPED_STRBUF(encoded, 2 * text.len + 8);
	if (!base64url_decode(&decoded, text))
		return;
	base64url_encode(&encoded, strbuf_slice(&decoded));
	assert(slice_eq(strbuf_slice(&encoded), text));
}

/* Many texts mean the same; what is written is read as what it was. */
static void check_percent(struct slice text)
{
	SCOPED_STRBUF(decoded, text.len + 1);
	SCOPED_STRBUF(encoded, 3 * text.len + 1);
	SCOPED_STRBUF(again, 3 * text.len + 1);
	if (!percent_decode(&decoded, text))
		return;
	percent_encode(&encoded, strbuf_slice(&decoded));
	assert(percent_decode(&again, strbuf_slice(&encoded)));
	assert(slice_eq(strbuf_slice(&again), strbuf_slice(&decoded)));
	strbuf_clear(&again);
	/* Without a plus the two decoders agree. */
	assert(plus_decode(&again, text));
	if (slice_find(text, '+') == text.len)
		assert(slice_eq(strbuf_slice(&again), strbuf_slice(&decoded)));
}

static void check_utf8(struct slice text)
{
	SCOPED_STRBUF(repaired, 3 * text.len + 1);
	utf8_repair(&repaired, text);
	assert(utf8_valid(strbuf_slice(&repaired)));
	if (utf8_valid(text))
		assert(slice_eq(strbuf_slice(&repaired), text));
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
	struct slice text = slice_of(bytes, len);
	check_base64(text);
	check_base64url(text);
	check_percent(text);
	check_utf8(text);
	return 0;
}
