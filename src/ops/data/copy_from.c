/* SPDX-License-Identifier: Apache-2.0 */
#include "ops/data/copy_from.h"

#include "http/conditional.h"
#include "ops/access/authorize.h"
#include "ops/arguments/params.h"
#include "ops/arguments/version.h"
#include "ops/ops_internal.h"
#include "ops/respond.h"

/*
 * Conditions are about the source and have names of their own. ali-oss sends them by their plain
 * names as well; those alone would be about the target, which is not OSS's.
 */
static bool has_conditions(struct request *r)
{
	static const char *const names[] = {
		"If-Match", "If-None-Match", "If-Modified-Since", "If-Unmodified-Since"};
	for (size_t i = 0; i < ARRAY_LEN(names); i++) {
		SCOPED_STRBUF(twin, 64);
		strbuf_addf(&twin, "x-oss-copy-source-%s", names[i]);
		if (request_header(r, slice_str(names[i])).ptr &&
			!request_header(r, strbuf_slice(&twin)).ptr) {
			respond_detail(r, "Header", slice_str(names[i]));
			respond_error(r, ERR_CONDITION_NOT_IMPLEMENTED);
			return true;
		}
	}
	return false;
}

static bool read_source(struct request *r, struct copy_from *from)
{
	SCOPED_STRBUF(reason, 512);
	struct slice text = request_header(r, S("x-oss-copy-source"));
	enum err e = copy_source_parse(text, &r->arena, &from->name, &reason);
	if (e == ERR_OK)
		return version_of_argument(r, "versionId", from->name.version, &from->version);
	if (e == ERR_INVALID_ARGUMENT)
		(void)respond_bad_argument(r, "x-oss-copy-source", text, reason.ptr);
	else
		respond_error(r, e);
	return false;
}

bool copy_from_parse(struct copy_from *from, struct request *r)
{
	from->r = r;
	return read_source(r, from) && !has_conditions(r) &&
	       authorize_key(r, from->name.version.ptr ? "oss:GetObjectVersion" : "oss:GetObject",
		       from->name.bucket.text, from->name.key.text);
}

/* True: go on. */
static bool conditions_hold(struct lookup *source)
{
	struct request *r = source->r;
	const char *name = NULL;
	struct conditional conditions = conditional_from_head(r->head, S("x-oss-copy-source-"));
	SCOPED_STRBUF(etag, 64);
	lookup_add_etag(source, &etag);
	if (strbuf_broken(&etag)) {
		respond_error(r, ERR_UNAVAILABLE);
		return false;
	}
	enum conditional_result result = conditional_check(&conditions, strbuf_slice(&etag),
		source->get.object.modified_ms / 1000, true, &name);
	return lookup_condition_holds(r, result, name);
}

static void found(struct lookup *source)
{
	struct copy_from *from = CONTAINER_OF(source, struct copy_from, source);
	if (conditions_hold(source))
		from->found(from);
}

void copy_from_find(struct copy_from *from, bool follow_link, void (*done)(struct copy_from *from))
{
	struct request *r = from->r;
	struct slice name = from->name.bucket.text;
	from->found = done;
	from->bucket = store_bucket_get(r->ops->options.store, name);
	if (!from->bucket) {
		respond_detail(r, "BucketName", name);
		respond_error(r, ERR_NO_SUCH_BUCKET);
		return;
	}
	struct lookup_what what = {
		.bucket = from->bucket,
		.key = from->name.key.text,
		.version = from->version,
		.follow = follow_link,
	};
	lookup_start(&from->source, r, &what, found);
}

void copy_from_release(struct copy_from *from)
{
	if (!from->bucket)
		return;
	lookup_release(&from->source);
	store_bucket_unref(from->r->ops->options.store, from->bucket);
}
