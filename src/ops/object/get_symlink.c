/* SPDX-License-Identifier: Apache-2.0 */
/* GetSymlink, GET /key?symlink: where a symbolic link points to. */
#include "http/date.h"
#include "ops/arguments/version.h"
#include "ops/data/lookup.h"
#include "ops/data/object_headers.h"
#include "ops/data/symlink.h"
#include "ops/ops_internal.h"
#include "ops/respond.h"

static void answer(struct lookup *lookup)
{
	struct request *r = lookup->r;
	const struct store_object *link = &lookup->get.object;
	char modified[DATE_SIZE];
	SCOPED_STRBUF(etag, 64);
	if (link->type != STORE_SYMLINK) {
		respond_error(r, ERR_NOT_SYMLINK);
		return;
	}
	strbuf_addc(&etag, '"');
	lookup_add_etag(lookup, &etag);
	strbuf_addc(&etag, '"');
	date_format(link->modified_ms / 1000, modified);
	respond_header_lines(r, link->headers);
	respond_built_header(r, "ETag", &etag);
	respond_header(r, "Last-Modified", slice_str(modified));
	respond_header(r, "x-oss-object-type", S("Symlink"));
	version_add_headers(r, lookup->what.bucket, link);
	respond(r, 200, NULL, S(""));
}

static void finish(struct request *r)
{
	lookup_start_here(r->state, r, true, false, answer);
}

static void release(struct request *r)
{
	lookup_release(r->state);
}

const struct op op_get_symlink = {
	.name = "GetSymlink",
	.method = HTTP_GET,
	.level = OP_OBJECT,
	.subresource = "symlink",
	.access = OP_ACCESS_OBJECT,
	.action = "oss:GetObject",
	.version_action = "oss:GetObjectVersion",
	.body = OP_BODY_NONE,
	.state_size = sizeof(struct lookup),
	.finish = finish,
	.release = release,
};
