/* SPDX-License-Identifier: Apache-2.0 */
#include "ops/bucket/bucket_document.h"

#include <string.h>

#include "oss/storage_class.h"
#include "oss/text/xml.h"

static enum err storage_class(void *ctx, struct slice text, struct strbuf *reason)
{
	struct bucket_document *ret = ctx;
	/* The text lives for this call alone. */
	ret->storage_class = arena_copy(ret->arena, xml_trim(text));
	if (!ret->storage_class.ptr)
		return ERR_UNAVAILABLE;
	if (storage_class_is_known(ret->storage_class))
		return ERR_OK;
	strbuf_adds(reason, "The StorageClass must be " STORAGE_CLASS_NAMES ".");
	return ERR_INVALID_ARGUMENT;
}

static enum err redundancy(void *ctx UNUSED, struct slice text, struct strbuf *reason)
{
	if (slice_eq(xml_trim(text), S("LRS")))
		return ERR_OK;
	strbuf_adds(reason, "Buckets of this store have the redundancy type LRS.");
	return ERR_NOT_IMPLEMENTED;
}

/* The region that GetBucketLocation tells; Java's SDK sends it, and others its name alone. */
static enum err location(void *ctx, struct slice text, struct strbuf *reason)
{
	const struct bucket_document *ret = ctx;
	struct slice word = xml_trim(text);
	if (slice_eq(word, ret->location) ||
		slice_eq(word, slice_from(ret->location, strlen("oss-"))))
		return ERR_OK;
	strbuf_addf(reason, "The LocationConstraint is not valid: this store is in %.*s.",
		SLICE_FMT(ret->location));
	return ERR_INVALID_LOCATION;
}

enum err bucket_document_read(
	struct bucket_document *ret, struct slice document, struct strbuf *reason)
{
	static const struct xml_element elements[] = {
		{.path = "/CreateBucketConfiguration"},
		{.path = "/CreateBucketConfiguration/StorageClass", .text = storage_class},
		{.path = "/CreateBucketConfiguration/DataRedundancyType", .text = redundancy},
		{.path = "/CreateBucketConfiguration/LocationConstraint", .text = location},
	};
	return xml_read(document, elements, ARRAY_LEN(elements), ret, reason);
}
