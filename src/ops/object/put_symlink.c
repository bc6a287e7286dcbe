/* SPDX-License-Identifier: Apache-2.0 */
/*
 * PutSymlink, PUT /key?symlink: an object that stands for another of the bucket, which need not be
 * there (spec: REST API section 6).
 */
#include "base/encode.h"
#include "base/limits.h"
#include "ops/arguments/require.h"
#include "ops/data/put_headers.h"
#include "ops/data/symlink.h"
#include "ops/ops_internal.h"
#include "ops/respond.h"

static void answer(struct request *r, struct ingest *u UNUSED)
{
	respond(r, 200, NULL, S(""));
}

/*
 * Adds the header line with the target. It comes percent-encoded, and as in x-oss-copy-source a `+`
 * is a space. False: it was answered.
 */
static bool read_target(struct request *r, struct strbuf *headers)
{
	static const char why[] =
		"x-oss-symlink-target must be the name of an object, percent-encoded.";
	SCOPED_STRBUF(decoded, LIMIT_HEAD_BYTES);
	struct slice text;
	struct object_key key;
	if (!require_header(r, SYMLINK_TARGET, &text))
		return false;
	if (!plus_decode(&decoded, text) ||
		object_key_parse(strbuf_slice(&decoded), &key) != ERR_OK) {
		return respond_bad_argument(r, SYMLINK_TARGET, text, why);
	}
	strbuf_adds(headers, SYMLINK_TARGET ": ");
	percent_encode_path(headers, key.text);
	strbuf_adds(headers, "\r\n");
	return true;
}

static bool start(struct request *r, struct ingest *u, struct object_headers *h)
{
	/* The target is the first line, see symlink.h. */
	if (!read_target(r, &h->lines) || !put_headers_object(r, h))
		return false;
	u->spec.type = STORE_SYMLINK;
	u->answer = answer;
	return ingest_begin(u, r, h, 0);
}

static void finish(struct request *r)
{
	struct ingest *u = r->state;
	struct object_headers h;
	object_headers_init(&h);
	if (start(r, u, &h))
		ingest_finish(u);
	object_headers_release(&h);
}

static void release(struct request *r)
{
	ingest_release(r->state);
}

const struct op op_put_symlink = {
	.name = "PutSymlink",
	.method = HTTP_PUT,
	.level = OP_OBJECT,
	.subresource = "symlink",
	.access = OP_ACCESS_WRITE,
	.action = "oss:PutObject",
	.body = OP_BODY_NONE,
	.state_size = sizeof(struct ingest),
	.finish = finish,
	.release = release,
};
