/* SPDX-License-Identifier: Apache-2.0 */
/*
 * ListObjectsV2, list-type=2 (spec: REST API section 5). A continuation token is the last key of
 * the listing before in hexadecimal: clients must not look into it, and it passes through every
 * encoding of theirs as it is.
 */
#include "base/encode.h"
#include "base/limits.h"
#include "ops/arguments/params.h"
#include "ops/bucket/listing.h"
#include "ops/respond.h"
#include "oss/text/xml.h"

struct list_objects_v2 {
	struct listing listing;
	struct slice token; /* empty: none */
	struct slice start_after;
	bool fetch_owner;
};

static void format(struct listing *listing, struct strbuf *out)
{
	const struct list_objects_v2 *state =
		CONTAINER_OF(listing, struct list_objects_v2, listing);
	const struct store_list *list = &listing->list;
	strbuf_adds(out, XML_PROLOG "<ListBucketResult>");
	xml_element(out, "Name", listing->r->bucket->name);
	listing_add_name(listing, out, "Prefix", list->prefix);
	if (state->start_after.len)
		listing_add_name(listing, out, "StartAfter", state->start_after);
	if (state->token.len)
		xml_element(out, "ContinuationToken", state->token);
	xml_element_u64(out, "MaxKeys", list->max_entries);
	listing_add_name(listing, out, "Delimiter", list->delimiter);
	if (listing->encode)
		xml_element(out, "EncodingType", S("url"));
	xml_element(out, "IsTruncated", list->truncated ? S("true") : S("false"));
	struct slice next = listing_next(listing);
	if (next.len) {
		xml_open(out, "NextContinuationToken");
		hex_encode_lower(out, next);
		xml_close(out, "NextContinuationToken");
	}
	xml_element_u64(out, "KeyCount", list->count);
	listing_add_rows(listing, out, state->fetch_owner);
	strbuf_adds(out, "</ListBucketResult>\n");
}

/* Where to begin: behind what the token says, or else start-after. */
static bool read_start(struct request *r, struct list_objects_v2 *state)
{
	struct slice *marker = &state->listing.list.marker;
	if (!params_name(r, "start-after", &state->start_after))
		return false;
	state->token = request_param(r, S("continuation-token"));
	*marker = state->start_after;
	if (!state->token.len)
		return true;
	size_t len = state->token.len / 2;
	char *key = len <= LIMIT_KEY_BYTES ? arena_alloc(&r->arena, len + 1) : NULL;
	if (!key || !hex_decode(state->token, key, len)) {
		return respond_bad_argument(r, "continuation-token", state->token,
			"The continuation token is not one that this store has given.");
	}
	*marker = slice_of(key, len);
	return true;
}

static bool read_params(struct request *r, struct list_objects_v2 *state)
{
	struct slice type = request_param(r, S("list-type"));
	struct slice owner = request_param(r, S("fetch-owner"));
	state->fetch_owner = slice_eq(owner, S("true"));
	if (!slice_eq(type, S("2"))) {
		return respond_bad_argument(r, "list-type", type, "list-type must be 2.");
	}
	if (owner.len && !state->fetch_owner && !slice_eq(owner, S("false"))) {
		return respond_bad_argument(
			r, "fetch-owner", owner, "fetch-owner must be true or false.");
	}
	return read_start(r, state);
}

static void finish(struct request *r)
{
	struct list_objects_v2 *state = r->state;
	if (listing_init(&state->listing, r) && read_params(r, state))
		listing_start(&state->listing, format);
}

static void release(struct request *r)
{
	struct list_objects_v2 *state = r->state;
	listing_release(&state->listing);
}

const struct op op_list_objects_v2 = {
	.name = "ListObjectsV2",
	.method = HTTP_GET,
	.level = OP_BUCKET,
	.subresource = "list-type",
	.access = OP_ACCESS_READ,
	.action = "oss:ListObjects",
	.body = OP_BODY_NONE,
	.state_size = sizeof(struct list_objects_v2),
	.finish = finish,
	.release = release,
};
