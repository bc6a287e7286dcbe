/* SPDX-License-Identifier: Apache-2.0 */
/* Dates of headers, policies and signatures: what is read and written again is the same time. */
#include <assert.h>

#include "http/date.h"
#include "oss/text/iso8601.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len);

static void check_header(struct slice text)
{
	char written[DATE_SIZE];
	int64_t seconds, again;
	if (!date_parse(text, &seconds))
		return;
	date_format(seconds, written);
	assert(date_parse(slice_str(written), &again) && again == seconds);
}

static void check_iso8601(struct slice text)
{
	int64_t ms, again;
	SCOPED_STRBUF(written, 64);
	if (iso8601_parse(text, &ms)) {
		iso8601_add(&written, ms);
		assert(iso8601_parse(strbuf_slice(&written), &again));
		/* The fraction is not written. */
		assert(again <= ms && ms - again < 1000);
	}
}

/* There is one way to write these. */
static void check_basic(struct slice text)
{
	int64_t ms;
	SCOPED_STRBUF(written, 64);
	SCOPED_STRBUF(day, 64);
	if (iso8601_parse_basic(text, &ms)) {
		iso8601_add_basic(&written, ms);
		assert(slice_eq(strbuf_slice(&written), text));
	}
	if (iso8601_parse_basic_date(text, &ms)) {
		iso8601_add_basic_date(&day, ms);
		assert(slice_eq(strbuf_slice(&day), text));
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
	struct slice text = slice_of(bytes, len);
	check_header(text);
	check_iso8601(text);
	check_basic(text);
	return 0;
}
