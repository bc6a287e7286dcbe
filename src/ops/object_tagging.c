/* SPDX-License-Identifier: Apache-2.0 */
/* GetObjectTagging: the tags of an object, /key?tagging. */
#include "ops/lookup.h"
#include "ops/respond.h"
#include "ops/version.h"
#include "oss/tagging.h"

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

extern const struct op op_get_object_tagging;
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
