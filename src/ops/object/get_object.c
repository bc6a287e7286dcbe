/* SPDX-License-Identifier: Apache-2.0 */
/* GetObject and HeadObject: conditions, one range, the bytes straight from the store's file. */
#include "base/encode.h"
#include "http/conditional.h"
#include "http/date.h"
#include "http/range.h"
#include "ops/arguments/params.h"
#include "ops/arguments/version.h"
#include "ops/data/lookup.h"
#include "ops/data/object_body.h"
#include "ops/data/object_headers.h"
#include "ops/data/object_text.h"
#include "ops/data/symlink.h"
#include "ops/ops_internal.h"
#include "ops/respond.h"
#include "ops/rules/expiration.h"
#include "oss/rules/tagging.h"

struct get_object {
	struct lookup lookup;
	struct object_body body;
};

/* Query parameters that replace a header of the answer. */
static const struct {
	struct slice param;
	struct slice header;
} overrides[] = {
	{SLICE_LIT("response-content-type"), SLICE_LIT("Content-Type")},
	{SLICE_LIT("response-content-language"), SLICE_LIT("Content-Language")},
	{SLICE_LIT("response-expires"), SLICE_LIT("Expires")},
	{SLICE_LIT("response-cache-control"), SLICE_LIT("Cache-Control")},
	{SLICE_LIT("response-content-disposition"), SLICE_LIT("Content-Disposition")},
	{SLICE_LIT("response-content-encoding"), SLICE_LIT("Content-Encoding")},
};

/* Appends the kept lines but those that the query replaces, then the replacements. */
static bool add_kept_headers(struct request *r, struct slice kept)
{
	struct slice values[ARRAY_LEN(overrides)];
	bool any = false;
	for (size_t i = 0; i < ARRAY_LEN(overrides); i++) {
		values[i] = request_param(r, overrides[i].param);
		any = any || values[i].ptr;
	}
	if (!any) {
		respond_header_lines(r, kept);
		return true;
	}
	if (r->anonymous) {
		respond_error_text(r, ERR_INVALID_REQUEST,
			"Response headers can be overridden in signed requests only.");
		return false;
	}
	for (size_t i = 0; i < ARRAY_LEN(overrides); i++) {
		if (!object_headers_fits(values[i])) {
			return respond_bad_argument(r, overrides[i].param.ptr, values[i],
				"The value of a header cannot hold control characters.");
		}
	}
	struct slice line;
	while (slice_cut(&kept, '\n', &line)) {
		bool replaced = false;
		for (size_t i = 0; i < ARRAY_LEN(overrides); i++) {
			struct slice name = slice_head(line, slice_find(line, ':'));
			replaced = replaced ||
				   (values[i].ptr && slice_eq_nocase(name, overrides[i].header));
		}
		if (!replaced)
			respond_header_lines(r, slice_of(line.ptr, line.len + 1));
	}
	for (size_t i = 0; i < ARRAY_LEN(overrides); i++)
		if (values[i].ptr)
			respond_header(r, overrides[i].header.ptr, values[i]);
	return true;
}

static void add_object_headers(const struct lookup *lookup, struct slice etag)
{
	struct request *r = lookup->r;
	const struct store_object *object = &lookup->get.object;
	const struct store_object *reported = lookup_reported(lookup);
	char modified[DATE_SIZE];
	SCOPED_STRBUF(lines, 512);
	date_format(lookup_modified_ms(lookup) / 1000, modified);
	strbuf_adds(&lines, "ETag: \"");
	strbuf_add_slice(&lines, etag);
	strbuf_adds(&lines, "\"\r\nLast-Modified: ");
	strbuf_adds(&lines, modified);
	strbuf_adds(&lines, "\r\nx-oss-object-type: ");
	strbuf_adds(&lines, object_type_name(reported->type));
	strbuf_adds(&lines, "\r\nAccept-Ranges: bytes\r\nX-Content-Type-Options: nosniff\r\n"
			    "x-oss-hash-crc64ecma: ");
	strbuf_add_u64(&lines, object->crc64);
	if (object->type == STORE_NORMAL) {
		strbuf_adds(&lines, "\r\nContent-MD5: ");
		base64_encode(&lines, slice_of(object->md5, sizeof(object->md5)));
	} else if (reported->type == STORE_APPENDABLE) {
		strbuf_adds(&lines, "\r\nx-oss-next-append-position: ");
		strbuf_add_u64(&lines, object->size);
	}
	strbuf_adds(&lines, "\r\n");
	respond_built_lines(r, &lines);
	version_add_headers(r, lookup->what.bucket, reported);
	if (!lookup->what.version.is_null && !lookup->what.version.number)
		expiration_add_header(r, lookup->what.bucket, r->address.key.text, reported);
	/* OSS sends the number only to clients that may read the tags. */
	size_t tags = r->anonymous ? 0 : tagging_count(reported->tags);
	if (tags) {
		SCOPED_STRBUF(count, 32);
		strbuf_add_u64(&count, tags);
		respond_built_header(r, "x-oss-tagging-count", &count);
	}
}

/* True: go on. */
static bool conditions_hold(const struct lookup *lookup, struct slice etag)
{
	struct request *r = lookup->r;
	struct conditional conditions = conditional_from_head(r->head, S(""));
	const char *name = NULL;
	enum conditional_result result = conditional_check(
		&conditions, etag, lookup_modified_ms(lookup) / 1000, true, &name);
	if (result == CONDITIONAL_NOT_MODIFIED)
		add_object_headers(lookup, etag);
	return lookup_condition_holds(r, result, name);
}

static void answer_object(struct get_object *state, struct slice etag)
{
	struct lookup *lookup = &state->lookup;
	struct request *r = lookup->r;
	struct store_get *get = &lookup->get;
	const struct store_object *object = &get->object;
	struct byte_range range = {.first = 0, .size = object->size};
	bool standard = slice_eq(request_header(r, S("x-oss-range-behavior")), S("standard"));
	/* Whoever resumes a download of what has changed since begins again. */
	bool same = conditional_if_range(request_header(r, S("If-Range")), etag);
	enum range_result part =
		same ? range_parse(request_header(r, S("Range")), object->size, standard, &range)
		     : RANGE_WHOLE;
	if (part == RANGE_UNSATISFIABLE) {
		SCOPED_STRBUF(size, 64);
		strbuf_adds(&size, "bytes */");
		strbuf_add_u64(&size, object->size);
		respond_built_header(r, "Content-Range", &size);
		respond_error(r, ERR_INVALID_RANGE);
		return;
	}
	if (!add_kept_headers(r, symlink_other_headers(lookup_reported(lookup))))
		return;
	add_object_headers(lookup, etag);
	if (part == RANGE_PART) {
		SCOPED_STRBUF(text, 96);
		strbuf_adds(&text, "bytes ");
		strbuf_add_u64(&text, range.first);
		strbuf_addc(&text, '-');
		strbuf_add_u64(&text, range.first + range.size - 1);
		strbuf_addc(&text, '/');
		strbuf_add_u64(&text, object->size);
		respond_built_header(r, "Content-Range", &text);
	}
	object_body_send(
		&state->body, r, get, part == RANGE_PART ? 206 : 200, range.first, range.size);
}

static void found(struct lookup *lookup)
{
	SCOPED_STRBUF(etag, 64);
	lookup_add_etag(lookup, &etag);
	if (strbuf_broken(&etag))
		respond_error(lookup->r, ERR_UNAVAILABLE);
	else if (conditions_hold(lookup, strbuf_slice(&etag)))
		answer_object(CONTAINER_OF(lookup, struct get_object, lookup), strbuf_slice(&etag));
}

static void finish(struct request *r)
{
	struct get_object *state = r->state;
	bool head_only = r->op->method == HTTP_HEAD;
	lookup_start_here(&state->lookup, r, head_only, true, found);
}

static void release(struct request *r)
{
	struct get_object *state = r->state;
	object_body_release(&state->body);
	lookup_release(&state->lookup);
}

const struct op op_get_object = {
	.name = "GetObject",
	.method = HTTP_GET,
	.level = OP_OBJECT,
	.access = OP_ACCESS_OBJECT,
	.action = "oss:GetObject",
	.version_action = "oss:GetObjectVersion",
	.body = OP_BODY_NONE,
	.state_size = sizeof(struct get_object),
	.finish = finish,
	.release = release,
};

const struct op op_head_object = {
	.name = "HeadObject",
	.method = HTTP_HEAD,
	.level = OP_OBJECT,
	.access = OP_ACCESS_OBJECT,
	.action = "oss:GetObject",
	.version_action = "oss:GetObjectVersion",
	.body = OP_BODY_NONE,
	.state_size = sizeof(struct get_object),
	.finish = finish,
	.release = release,
};
