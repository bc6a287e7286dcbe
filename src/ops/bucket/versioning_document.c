/* SPDX-License-Identifier: Apache-2.0 */
#include "ops/bucket/versioning_document.h"

#include "oss/text/xml.h"

struct reading {
	bool has_status;
	enum store_versioning versioning;
};

static enum err read_status(void *ctx, struct slice text, struct strbuf *reason)
{
	struct reading *reading = ctx;
	struct slice word = xml_trim(text);
	bool enabled = slice_eq(word, S("Enabled"));
	if (reading->has_status || (!enabled && !slice_eq(word, S("Suspended")))) {
		strbuf_adds(reason, "Status must be Enabled or Suspended, and stand once.");
		return ERR_MALFORMED_XML;
	}
	reading->has_status = true;
	reading->versioning = enabled ? STORE_VERSIONED : STORE_VERSIONING_SUSPENDED;
	return ERR_OK;
}

enum err versioning_document_read(
	struct slice document, enum store_versioning *ret, struct strbuf *reason)
{
	static const struct xml_element elements[] = {
		{.path = "/VersioningConfiguration"},
		{.path = "/VersioningConfiguration/Status", .text = read_status},
	};
	struct reading reading = {.has_status = false};
	enum err e = xml_read(document, elements, ARRAY_LEN(elements), &reading, reason);
	if (e == ERR_OK && !reading.has_status) {
		strbuf_adds(reason, "There is no Status.");
		e = ERR_MALFORMED_XML;
	}
	if (e == ERR_OK)
		*ret = reading.versioning;
	return e;
}
