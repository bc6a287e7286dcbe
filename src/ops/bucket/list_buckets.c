/* SPDX-License-Identifier: Apache-2.0 */
/*
 * ListBuckets, which OSS also calls GetService: GET / on the service (spec: REST API section 5).
 * The elements about paging are there only if not everything fits.
 */
#include "base/limits.h"
#include "ops/arguments/elements.h"
#include "ops/arguments/params.h"
#include "ops/ops_internal.h"
#include "ops/respond.h"
#include "oss/rules/tagging.h"
#include "oss/text/xml.h"

struct list_buckets {
	struct request *r;
	struct slice prefix;
	struct slice marker;
	struct slice tag_key; /* of which buckets; ptr NULL: any */
	struct slice tag_value;
	uint32_t max;
	uint32_t count;
	bool truncated;
	struct strbuf rows;
	struct strbuf last; /* the name of the last row */
};

static bool tag_fits(const struct list_buckets *state, const struct store_bucket *bucket)
{
	struct slice tags = bucket->settings[STORE_SETTING_TAGGING];
	SCOPED_STRBUF(key, TAGGING_BYTES);
	SCOPED_STRBUF(value, TAGGING_BYTES);
	if (!state->tag_key.len)
		return true;
	while (tagging_next(&tags, &key, &value))
		if (slice_eq(strbuf_slice(&key), state->tag_key))
			return !state->tag_value.ptr ||
			       slice_eq(strbuf_slice(&value), state->tag_value);
	return false;
}

/* Buckets come in the order of their names. */
static void add_row(const struct store_bucket *bucket, void *ctx)
{
	struct list_buckets *state = ctx;
	if (!slice_starts(bucket->name, state->prefix) ||
		slice_cmp(bucket->name, state->marker) <= 0 || !tag_fits(state, bucket))
		return;
	if (state->count == state->max) {
		state->truncated = true;
		return;
	}
	state->count++;
	strbuf_clear(&state->last);
	strbuf_add_slice(&state->last, bucket->name);
	xml_open(&state->rows, "Bucket");
	elements_add_bucket(&state->rows, state->r, bucket);
	xml_close(&state->rows, "Bucket");
}

static void format(const struct list_buckets *state, struct strbuf *out)
{
	strbuf_adds(out, XML_PROLOG "<ListAllMyBucketsResult>");
	if (state->truncated) {
		xml_element(out, "Prefix", state->prefix);
		xml_element(out, "Marker", state->marker);
		xml_element_u64(out, "MaxKeys", state->max);
		xml_element(out, "IsTruncated", S("true"));
		xml_element(out, "NextMarker", strbuf_slice(&state->last));
	}
	elements_add_owner(out);
	xml_open(out, "Buckets");
	strbuf_add_slice(out, strbuf_slice(&state->rows));
	xml_close(out, "Buckets");
	strbuf_adds(out, "</ListAllMyBucketsResult>\n");
}

/* OSS refuses prefixes that no name of a bucket can have. */
static bool may_begin_name(struct slice prefix)
{
	for (size_t i = 0; i < prefix.len; i++) {
		char c = prefix.ptr[i];
		bool is_hyphen = c == '-' && i > 0;
		if (!(c >= 'a' && c <= 'z') && !(c >= '0' && c <= '9') && !is_hyphen)
			return false;
	}
	return true;
}

static void begin(struct request *r)
{
	struct list_buckets *state = r->state;
	state->r = r;
	strbuf_init(&state->rows, MIB(1));
	strbuf_init(&state->last, 128);
	if (!params_max_keys(r, &state->max) || !params_name(r, "prefix", &state->prefix) ||
		!params_name(r, "marker", &state->marker))
		return;
	if (!may_begin_name(state->prefix)) {
		respond_error_text(r, ERR_INVALID_ARGUMENT,
			"No bucket has a name that begins with this prefix.");
		return;
	}
	state->tag_key = request_param(r, S("tag-key"));
	state->tag_value = request_param(r, S("tag-value"));
	store_bucket_each(r->ops->options.store, add_row, state);
	SCOPED_STRBUF(xml, MIB(1));
	format(state, &xml);
	if (strbuf_broken(&state->rows))
		respond_error(r, ERR_UNAVAILABLE);
	else
		respond_xml(r, &xml);
}

static void release(struct request *r)
{
	struct list_buckets *state = r->state;
	strbuf_release(&state->rows);
	strbuf_release(&state->last);
}

const struct op op_list_buckets = {
	.name = "ListBuckets",
	.method = HTTP_GET,
	.level = OP_SERVICE,
	.access = OP_ACCESS_OWNER,
	.action = "oss:ListBuckets",
	.body = OP_BODY_NONE,
	.state_size = sizeof(struct list_buckets),
	.begin = begin,
	.release = release,
};
