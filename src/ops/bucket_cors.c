/* SPDX-License-Identifier: Apache-2.0 */
/* PutBucketCors, GetBucketCors, DeleteBucketCors: the CORS rules of a bucket, /?cors. */
#include "base/limits.h"
#include "ops/ops_internal.h"
#include "ops/require.h"
#include "ops/respond.h"

struct cors_change {
	struct request *r;
	struct store_bucket_change change;
	struct strbuf document; /* the rules as they are stored */
	int status;
};

static void changed(struct task *task)
{
	struct store_wait *wait = CONTAINER_OF(task, struct store_wait, task);
	struct store_bucket_change *change = CONTAINER_OF(wait, struct store_bucket_change, wait);
	struct cors_change *state = CONTAINER_OF(change, struct cors_change, change);
	struct request *r = state->r;
	if (wait->err != ERR_OK)
		respond_error(r, wait->err);
	else
		respond(r, state->status, NULL, S(""));
	request_release(r);
}

/* Makes `document`, which may be empty, the bucket's configuration. */
static void change(struct request *r, int status)
{
	struct cors_change *state = r->state;
	state->r = r;
	state->status = status;
	state->change = (struct store_bucket_change){
		.wait = {.task.run = changed, .home = r->home},
		.name = r->address.bucket.text,
		.set_setting = true,
		.setting = STORE_SETTING_CORS,
		.value = strbuf_slice(&state->document),
	};
	request_hold(r);
	store_bucket_change(r->ops->options.store, &state->change);
}

static void begin(struct request *r)
{
	struct cors_change *state = r->state;
	strbuf_init(&state->document, KIB(64));
	(void)require_bucket(r);
}

static void put_finish(struct request *r)
{
	struct cors_change *state = r->state;
	struct cors *cors = NULL;
	SCOPED_STRBUF(reason, 512);
	if (!require_digest(r))
		return;
	enum err e = cors_parse(strbuf_slice(&r->body), &cors, &reason);
	if (e != ERR_OK) {
		respond_error_text(r, e, "%s", reason.ptr);
		return;
	}
	cors_format(cors, &state->document);
	cors_free(cors);
	if (strbuf_broken(&state->document))
		respond_error(r, ERR_UNAVAILABLE);
	else
		change(r, 200);
}

static void delete_finish(struct request *r)
{
	change(r, 204);
}

static void release(struct request *r)
{
	struct cors_change *state = r->state;
	strbuf_release(&state->document);
}

static void get_begin(struct request *r)
{
	if (!require_bucket(r))
		return;
	struct slice cors = r->bucket->settings[STORE_SETTING_CORS];
	if (cors.len == 0)
		respond_error(r, ERR_NO_SUCH_CORS);
	else
		respond(r, 200, "application/xml", cors);
}

extern const struct op op_put_bucket_cors;
const struct op op_put_bucket_cors = {
	.name = "PutBucketCors",
	.method = HTTP_PUT,
	.level = OP_BUCKET,
	.subresource = "cors",
	.access = OP_ACCESS_OWNER,
	.action = "oss:PutBucketCors",
	.body = OP_BODY_WHOLE,
	.max_body = LIMIT_CORS_BODY_BYTES,
	.state_size = sizeof(struct cors_change),
	.begin = begin,
	.finish = put_finish,
	.release = release,
};

extern const struct op op_get_bucket_cors;
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

extern const struct op op_delete_bucket_cors;
const struct op op_delete_bucket_cors = {
	.name = "DeleteBucketCors",
	.method = HTTP_DELETE,
	.level = OP_BUCKET,
	.subresource = "cors",
	.access = OP_ACCESS_OWNER,
	.action = "oss:DeleteBucketCors",
	.body = OP_BODY_NONE,
	.state_size = sizeof(struct cors_change),
	.begin = begin,
	.finish = delete_finish,
	.release = release,
};
