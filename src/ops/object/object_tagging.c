/* SPDX-License-Identifier: Apache-2.0 */
/* PutObjectTagging, GetObjectTagging, DeleteObjectTagging: the tags of an object, /key?tagging. */
#include "base/limits.h"
#include "ops/arguments/require.h"
#include "ops/arguments/version.h"
#include "ops/data/lookup.h"
#include "ops/object/metadata_update.h"
#include "ops/respond.h"
#include "oss/rules/tagging.h"

struct tagging_change {
	struct metadata_update change;
	struct strbuf tags;
};

static void change_begin(struct request *r)
{
	struct tagging_change *state = r->state;
	strbuf_init(&state->tags, TAGGING_BYTES);
	(void)require_bucket(r);
}

static void change(struct request *r, int status)
{
	struct tagging_change *state = r->state;
	state->change.change.set_tags = true;
	state->change.change.tags = strbuf_slice(&state->tags);
	metadata_update_start(&state->change, r, status);
}

static void put_finish(struct request *r)
{
	struct tagging_change *state = r->state;
	SCOPED_STRBUF(reason, 512);
	if (!require_digest(r))
		return;
	enum err e =
		tagging_parse_xml(strbuf_slice(&r->body), TAGGING_OBJECT, &state->tags, &reason);
	if (e == ERR_OK)
		change(r, 200);
	else
		respond_error_text(r, e, "%s", reason.ptr);
}

static void delete_finish(struct request *r)
{
	change(r, 204);
}

static void change_release(struct request *r)
{
	struct tagging_change *state = r->state;
	strbuf_release(&state->tags);
}

static void get_answer(struct lookup *lookup)
{
	const struct store_object *object = &lookup->get.object;
	SCOPED_STRBUF(xml, 2 * TAGGING_BYTES);
	tagging_format_xml(object->tags, &xml);
	version_add_headers(lookup->r, lookup->what.bucket, object);
	respond_xml(lookup->r, &xml);
}

static void get_finish(struct request *r)
{
	lookup_start_here(r->state, r, true, false, get_answer);
}

static void get_release(struct request *r)
{
	lookup_release(r->state);
}

const struct op op_put_object_tagging = {
	.name = "PutObjectTagging",
	.method = HTTP_PUT,
	.level = OP_OBJECT,
	.subresource = "tagging",
	.access = OP_ACCESS_OWNER,
	.action = "oss:PutObjectTagging",
	.version_action = "oss:PutObjectVersionTagging",
	.body = OP_BODY_WHOLE,
	.max_body = LIMIT_TAGGING_BODY_BYTES,
	.state_size = sizeof(struct tagging_change),
	.begin = change_begin,
	.finish = put_finish,
	.release = change_release,
};

const struct op op_get_object_tagging = {
	.name = "GetObjectTagging",
	.method = HTTP_GET,
	.level = OP_OBJECT,
	.subresource = "tagging",
	.access = OP_ACCESS_OWNER,
	.action = "oss:GetObjectTagging",
	.version_action = "oss:GetObjectVersionTagging",
	.body = OP_BODY_NONE,
	.state_size = sizeof(struct lookup),
	.finish = get_finish,
	.release = get_release,
};

const struct op op_delete_object_tagging = {
	.name = "DeleteObjectTagging",
	.method = HTTP_DELETE,
	.level = OP_OBJECT,
	.subresource = "tagging",
	.access = OP_ACCESS_OWNER,
	.action = "oss:DeleteObjectTagging",
	.version_action = "oss:DeleteObjectVersionTagging",
	.body = OP_BODY_NONE,
	.state_size = sizeof(struct tagging_change),
	.begin = change_begin,
	.finish = delete_finish,
	.release = change_release,
};
