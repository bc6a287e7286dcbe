/* SPDX-License-Identifier: Apache-2.0 */
/* PutBucketTags, GetBucketTags, DeleteBucketTags: the tags of a bucket, /?tagging. */
#include "base/limits.h"
#include "ops/arguments/require.h"
#include "ops/bucket/setting.h"
#include "ops/respond.h"
#include "oss/rules/tagging.h"

static enum err normalise(struct request *r, struct strbuf *out, struct strbuf *reason)
{
	return tagging_parse_xml(strbuf_slice(&r->body), TAGGING_BUCKET, out, reason);
}

static void put_finish(struct request *r)
{
	setting_put(r, STORE_SETTING_TAGGING, normalise);
}

static void get_begin(struct request *r)
{
	if (!require_bucket(r))
		return;
	SCOPED_STRBUF(xml, KIB(64));
	tagging_format_xml(r->bucket->settings[STORE_SETTING_TAGGING], &xml);
	respond_xml(r, &xml);
}

/* Whether `key` is one of a list with commas between. */
static bool is_named(struct slice list, struct slice key)
{
	struct slice name;
	while (list.len) {
		(void)slice_cut(&list, ',', &name);
		if (slice_eq(name, key))
			return true;
	}
	return false;
}

/* Appends the tags but those whose keys are named. */
static void keep_others(struct slice tags, struct slice named, struct strbuf *out)
{
	struct slice tag;
	SCOPED_STRBUF(key, TAGGING_BYTES);
	SCOPED_STRBUF(value, TAGGING_BYTES);
	while (tags.len) {
		(void)slice_cut(&tags, '&', &tag);
		struct slice rest = tag;
		if (!tagging_next(&rest, &key, &value) || is_named(named, strbuf_slice(&key)))
			continue;
		if (out->len)
			strbuf_addc(out, '&');
		strbuf_add_slice(out, tag);
	}
}

static void delete_finish(struct request *r)
{
	struct setting_change *state = r->state;
	struct slice named = request_param(r, S("tagging"));
	if (named.len)
		keep_others(r->bucket->settings[STORE_SETTING_TAGGING], named, &state->document);
	setting_delete(r, STORE_SETTING_TAGGING);
}

const struct op op_put_bucket_tags = {
	.name = "PutBucketTags",
	.method = HTTP_PUT,
	.level = OP_BUCKET,
	.subresource = "tagging",
	.access = OP_ACCESS_OWNER,
	.action = "oss:PutBucketTagging",
	.body = OP_BODY_WHOLE,
	.max_body = LIMIT_BUCKET_TAGS_BODY_BYTES,
	.state_size = sizeof(struct setting_change),
	.begin = setting_begin,
	.finish = put_finish,
	.release = setting_release,
};

const struct op op_get_bucket_tags = {
	.name = "GetBucketTags",
	.method = HTTP_GET,
	.level = OP_BUCKET,
	.subresource = "tagging",
	.access = OP_ACCESS_OWNER,
	.action = "oss:GetBucketTagging",
	.body = OP_BODY_NONE,
	.begin = get_begin,
};

const struct op op_delete_bucket_tags = {
	.name = "DeleteBucketTags",
	.method = HTTP_DELETE,
	.level = OP_BUCKET,
	.subresource = "tagging",
	.access = OP_ACCESS_OWNER,
	.action = "oss:DeleteBucketTagging",
	.body = OP_BODY_NONE,
	.state_size = sizeof(struct setting_change),
	.begin = setting_begin,
	.finish = delete_finish,
	.release = setting_release,
};
