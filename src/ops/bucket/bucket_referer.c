/* SPDX-License-Identifier: Apache-2.0 */
/* PutBucketReferer and GetBucketReferer: which pages may show a bucket's objects, /?referer. */
#include "base/limits.h"
#include "ops/bucket/setting.h"
#include "ops/respond.h"
#include "oss/rules/referer.h"

static enum err normalise(struct request *r, struct strbuf *out, struct strbuf *reason)
{
	struct referer *rules = NULL;
	enum err e = referer_parse(strbuf_slice(&r->body), &rules, reason);
	if (e != ERR_OK)
		return e;
	referer_format(rules, out);
	referer_free(rules);
	return ERR_OK;
}

static void put_finish(struct request *r)
{
	setting_put(r, STORE_SETTING_REFERER, normalise);
}

static void get_begin(struct request *r)
{
	if (setting_get(r, STORE_SETTING_REFERER, ERR_OK))
		return;
	SCOPED_STRBUF(xml, KIB(1));
	referer_format_default(&xml);
	respond_xml(r, &xml);
}

const struct op op_put_bucket_referer = {
	.name = "PutBucketReferer",
	.method = HTTP_PUT,
	.level = OP_BUCKET,
	.subresource = "referer",
	.access = OP_ACCESS_OWNER,
	.action = "oss:PutBucketReferer",
	.body = OP_BODY_WHOLE,
	.max_body = LIMIT_REFERER_BODY_BYTES,
	.state_size = sizeof(struct setting_change),
	.begin = setting_begin,
	.finish = put_finish,
	.release = setting_release,
};

const struct op op_get_bucket_referer = {
	.name = "GetBucketReferer",
	.method = HTTP_GET,
	.level = OP_BUCKET,
	.subresource = "referer",
	.access = OP_ACCESS_OWNER,
	.action = "oss:GetBucketReferer",
	.body = OP_BODY_NONE,
	.begin = get_begin,
};
