/* SPDX-License-Identifier: Apache-2.0 */
/* PutBucketLifecycle, GetBucketLifecycle, DeleteBucketLifecycle: /?lifecycle. */
#include "base/limits.h"
#include "ops/bucket/setting.h"
#include "oss/rules/lifecycle.h"

static enum err normalise(struct request *r, struct strbuf *out, struct strbuf *reason)
{
	struct lifecycle *lifecycle = NULL;
	struct slice word = request_header(r, S("x-oss-allow-same-action-overlap"));
	bool allow_overlap = slice_eq_nocase(word, S("true"));
	enum err e = lifecycle_parse(strbuf_slice(&r->body), allow_overlap, &lifecycle, reason);
	if (e != ERR_OK)
		return e;
	lifecycle_format(lifecycle, out);
	lifecycle_free(lifecycle);
	return ERR_OK;
}

static void put_finish(struct request *r)
{
	setting_put(r, STORE_SETTING_LIFECYCLE, normalise);
}

static void delete_finish(struct request *r)
{
	setting_delete(r, STORE_SETTING_LIFECYCLE);
}

static void get_begin(struct request *r)
{
	(void)setting_get(r, STORE_SETTING_LIFECYCLE, ERR_NO_SUCH_LIFECYCLE);
}

const struct op op_put_bucket_lifecycle = {
	.name = "PutBucketLifecycle",
	.method = HTTP_PUT,
	.level = OP_BUCKET,
	.subresource = "lifecycle",
	.access = OP_ACCESS_OWNER,
	.action = "oss:PutBucketLifecycle",
	.body = OP_BODY_WHOLE,
	.max_body = LIMIT_LIFECYCLE_BODY_BYTES,
	.state_size = sizeof(struct setting_change),
	.begin = setting_begin,
	.finish = put_finish,
	.release = setting_release,
};

const struct op op_get_bucket_lifecycle = {
	.name = "GetBucketLifecycle",
	.method = HTTP_GET,
	.level = OP_BUCKET,
	.subresource = "lifecycle",
	.access = OP_ACCESS_OWNER,
	.action = "oss:GetBucketLifecycle",
	.body = OP_BODY_NONE,
	.begin = get_begin,
};

const struct op op_delete_bucket_lifecycle = {
	.name = "DeleteBucketLifecycle",
	.method = HTTP_DELETE,
	.level = OP_BUCKET,
	.subresource = "lifecycle",
	.access = OP_ACCESS_OWNER,
	.action = "oss:DeleteBucketLifecycle",
	.body = OP_BODY_NONE,
	.state_size = sizeof(struct setting_change),
	.begin = setting_begin,
	.finish = delete_finish,
	.release = setting_release,
};
