/* SPDX-License-Identifier: Apache-2.0 */
/* PutBucketCors, GetBucketCors, DeleteBucketCors: the CORS rules of a bucket, /?cors. */
#include "base/limits.h"
#include "ops/bucket/setting.h"
#include "ops/respond.h"
#include "oss/rules/cors.h"

/* A longer value is not repeated. */
#define SHOWN_BYTES 512

static enum err normalise(struct request *r, struct strbuf *out, struct strbuf *reason)
{
	struct cors *cors = NULL;
	const char *element;
	SCOPED_STRBUF(value, SHOWN_BYTES);
	enum err e = cors_check(strbuf_slice(&r->body), &cors, reason, &element, &value);
	if (e != ERR_OK && element)
		respond_detail_argument(r, element, strbuf_slice(&value));
	if (e != ERR_OK)
		return e;
	cors_format(cors, out);
	cors_free(cors);
	return ERR_OK;
}

static void put_finish(struct request *r)
{
	setting_put(r, STORE_SETTING_CORS, normalise);
}

static void delete_finish(struct request *r)
{
	setting_delete(r, STORE_SETTING_CORS);
}

static void get_begin(struct request *r)
{
	struct slice kept = r->bucket ? r->bucket->settings[STORE_SETTING_CORS] : S("");
	struct cors *cors = NULL;
	SCOPED_STRBUF(reason, 512);
	SCOPED_STRBUF(xml, LIMIT_SETTING_BYTES);
	/* Rules that an older version stored are returned in today's form. */
	if (!kept.len || cors_parse(kept, &cors, &reason) != ERR_OK) {
		(void)setting_get(r, STORE_SETTING_CORS, ERR_NO_SUCH_CORS);
		return;
	}
	cors_format(cors, &xml);
	cors_free(cors);
	respond_xml(r, &xml);
}

const struct op op_put_bucket_cors = {
	.name = "PutBucketCors",
	.method = HTTP_PUT,
	.level = OP_BUCKET,
	.subresource = "cors",
	.access = OP_ACCESS_OWNER,
	.action = "oss:PutBucketCors",
	.body = OP_BODY_WHOLE,
	.max_body = LIMIT_CORS_BODY_BYTES,
	.state_size = sizeof(struct setting_change),
	.begin = setting_begin,
	.finish = put_finish,
	.release = setting_release,
};

const struct op op_get_bucket_cors = {
	.name = "GetBucketCors",
	.method = HTTP_GET,
	.level = OP_BUCKET,
	.subresource = "cors",
	.access = OP_ACCESS_OWNER,
	.action = "oss:GetBucketCors",
	.body = OP_BODY_NONE,
	.begin = get_begin,
};

const struct op op_delete_bucket_cors = {
	.name = "DeleteBucketCors",
	.method = HTTP_DELETE,
	.level = OP_BUCKET,
	.subresource = "cors",
	.access = OP_ACCESS_OWNER,
	.action = "oss:DeleteBucketCors",
	.body = OP_BODY_NONE,
	.state_size = sizeof(struct setting_change),
	.begin = setting_begin,
	.finish = delete_finish,
	.release = setting_release,
};
