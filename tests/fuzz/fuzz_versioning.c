/* SPDX-License-Identifier: Apache-2.0 */
/* The document of PutBucketVersioning: it begins or is suspended, and is never ended by it. */
#include <assert.h>

#include "ops/bucket/versioning_document.h"
#include "oss/text/xml.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len);

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
	SCOPED_STRBUF(reason, 512);
	enum store_versioning got = STORE_UNVERSIONED;
	enum err e = versioning_document_read(slice_of(bytes, len), &got, &reason);
	if (e == ERR_OK) {
		assert(got == STORE_VERSIONED || got == STORE_VERSIONING_SUSPENDED);
		SCOPED_STRBUF(xml, 256);
		enum store_versioning same = STORE_UNVERSIONED;
		xml_open(&xml, "VersioningConfiguration");
		xml_element(&xml, "Status", got == STORE_VERSIONED ? S("Enabled") : S("Suspended"));
		xml_close(&xml, "VersioningConfiguration");
		e = versioning_document_read(strbuf_slice(&xml), &same, &reason);
		assert(e == ERR_OK && same == got);
	} else {
		assert(got == STORE_UNVERSIONED);
		assert(e == ERR_MALFORMED_XML && reason.len > 0);
	}
	return 0;
}
