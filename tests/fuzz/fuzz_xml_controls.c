/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Control characters in XML: text without references comes through hiding and showing as it was,
 * and the size stays within what the header says.
 */
#include <assert.h>

#include "base/limits.h"
#include "oss/text/xml_controls.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len);

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
	struct slice text = slice_of(bytes, len);
	SCOPED_STRBUF(hidden, 3 * LIMIT_XML_BODY_BYTES);
	SCOPED_STRBUF(shown, 3 * LIMIT_XML_BODY_BYTES);
	if (len > LIMIT_XML_BODY_BYTES)
		return 0;
	if (!xml_controls_hide(text, &hidden)) {
		assert(hidden.len == 0);
		return 0;
	}
	assert(hidden.len <= 3 * len);
	xml_controls_show(strbuf_slice(&hidden), &shown);
	assert(shown.len <= hidden.len);
	if (slice_find_slice(text, S("&#")) == len)
		assert(slice_eq(strbuf_slice(&shown), text));
	return 0;
}
