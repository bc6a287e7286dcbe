/* SPDX-License-Identifier: Apache-2.0 */
/* ListObjects, version 1 (spec: REST API section 5): goes on behind a marker, which is a key. */
#include "ops/arguments/params.h"
#include "ops/bucket/listing.h"
#include "oss/text/xml.h"

static void format(struct listing *listing, struct strbuf *out)
{
	const struct store_list *list = &listing->list;
	strbuf_adds(out, XML_PROLOG "<ListBucketResult>");
	xml_element(out, "Name", listing->r->bucket->name);
	listing_add_name(listing, out, "Prefix", list->prefix);
	listing_add_name(listing, out, "Marker", list->marker);
	xml_element_u64(out, "MaxKeys", list->max_entries);
	listing_add_name(listing, out, "Delimiter", list->delimiter);
	if (listing->encode)
		xml_element(out, "EncodingType", S("url"));
	xml_element(out, "IsTruncated", list->truncated ? S("true") : S("false"));
	struct slice next = listing_next(listing);
	if (next.len)
		listing_add_name(listing, out, "NextMarker", next);
	listing_add_rows(listing, out, true);
	strbuf_adds(out, "</ListBucketResult>\n");
}

static void finish(struct request *r)
{
	struct listing *listing = r->state;
	if (listing_init(listing, r) && params_name(r, "marker", &listing->list.marker))
		listing_start(listing, format);
}

static void release(struct request *r)
{
	listing_release(r->state);
}

const struct op op_list_objects = {
	.name = "ListObjects",
	.method = HTTP_GET,
	.level = OP_BUCKET,
	.access = OP_ACCESS_READ,
	.action = "oss:ListObjects",
	.body = OP_BODY_NONE,
	.state_size = sizeof(struct listing),
	.finish = finish,
	.release = release,
};
