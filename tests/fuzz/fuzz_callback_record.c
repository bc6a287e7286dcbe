/* SPDX-License-Identifier: Apache-2.0 */
/* Records of callbacks in a log that several write: what is read is written as the same again. */
#include <assert.h>

#include "callback/record_bytes.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void write_once(const struct callback_record *record, struct strbuf *out)
{
	callback_record_format(record, out);
	assert(!strbuf_broken(out));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	SCOPED_STRBUF(once, CALLBACK_RECORD_BYTES_MAX);
	SCOPED_STRBUF(twice, CALLBACK_RECORD_BYTES_MAX);
	struct callback_record *record = size > CALLBACK_RECORD_BYTES_MAX
						 ? NULL
						 : callback_record_parse(slice_of(data, size));
	if (!record)
		return 0;
	write_once(record, &once);
	struct callback_record *again = callback_record_parse(strbuf_slice(&once));
	assert(again);
	write_once(again, &twice);
	assert(slice_eq(strbuf_slice(&once), strbuf_slice(&twice)));
	callback_record_free(again);
	callback_record_free(record);
	return 0;
}
