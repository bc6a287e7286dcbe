/* SPDX-License-Identifier: Apache-2.0 */
#include "ops/arguments/unimplemented.h"

#include "ops/respond.h"

/* One that ends with `-` stands for all that begin with it. */
static const struct slice names[] = {
	SLICE_LIT("x-oss-ac-"), /* where a signed URL may be used from */
	SLICE_LIT("x-oss-async-process"),
	SLICE_LIT("x-oss-bucket-object-"),
	SLICE_LIT("x-oss-object-worm-"),
	SLICE_LIT("x-oss-persistent-headers"),
	SLICE_LIT("x-oss-process"),
	SLICE_LIT("x-oss-resource-group-id"),
	SLICE_LIT("x-oss-server-side-"),
	SLICE_LIT("x-oss-traffic-limit"),
	SLICE_LIT("x-oss-user-last-modified"),
};

/* They are of PutObject and CompleteMultipartUpload alone, and of PostObject in its form. */
static const struct slice callbacks[] = {SLICE_LIT("x-oss-callback"),
	SLICE_LIT("x-oss-callback-var"), SLICE_LIT("callback"), SLICE_LIT("callback-var")};

static bool is_listed(struct slice name)
{
	for (size_t i = 0; i < ARRAY_LEN(names); i++) {
		bool all = slice_ends(names[i], S("-"));
		if (slice_eq_nocase(all ? slice_head(name, names[i].len) : name, names[i]))
			return true;
	}
	return false;
}

enum err unimplemented_check(struct slice name, struct slice value)
{
	/* What is empty asks for nothing. */
	if (value.len == 0 || !is_listed(name))
		return ERR_OK;
	bool is_algorithm = slice_eq_nocase(name, S("x-oss-server-side-encryption"));
	if (is_algorithm && !slice_eq(value, S("AES256")) && !slice_eq(value, S("KMS")))
		return ERR_INVALID_ENCRYPTION;
	return ERR_NOT_IMPLEMENTED;
}

static bool is_callback(const struct request *r, struct slice name)
{
	if (r->op->takes_callback)
		return false;
	for (size_t i = 0; i < ARRAY_LEN(callbacks); i++)
		if (slice_eq_nocase(name, callbacks[i]))
			return true;
	return false;
}

static bool is_absent(struct request *r, struct slice name, struct slice value)
{
	enum err e = value.len && is_callback(r, name) ? ERR_NOT_IMPLEMENTED
						       : unimplemented_check(name, value);
	if (e == ERR_OK)
		return true;
	respond_detail(r, "Header", name);
	if (e == ERR_NOT_IMPLEMENTED)
		respond_error_text(r, e, "%.*s is not implemented.", SLICE_FMT(name));
	else
		respond_error(r, e);
	return false;
}

/*
 * What decides whether, or of which bytes, an operation may change anything. OSS has these for
 * reading only; to write all the same would lose what the client wants to keep.
 */
static const struct slice preconditions[] = {SLICE_LIT("If-Match"), SLICE_LIT("If-None-Match"),
	SLICE_LIT("If-Modified-Since"), SLICE_LIT("If-Unmodified-Since"),
	SLICE_LIT("Content-Range")};

/* A copy says itself which of them it takes, copy_from.c. */
static bool is_unconditional(struct request *r)
{
	const struct op *op = r->op;
	bool passes = op->method == HTTP_GET || op->method == HTTP_HEAD || op->header ||
		      op->replaces_nothing;
	for (size_t i = 0; i < ARRAY_LEN(preconditions) && !passes; i++) {
		if (request_header(r, preconditions[i]).ptr) {
			respond_detail(r, "Header", preconditions[i]);
			respond_error(r, ERR_CONDITION_NOT_IMPLEMENTED);
			return false;
		}
	}
	return true;
}

bool unimplemented_absent(struct request *r)
{
	const struct request_head *head = r->head;
	if (r->op->method == HTTP_OPTIONS)
		return true; /* a preflight: the request that it asks about is refused itself */
	if (!is_unconditional(r))
		return false;
	for (size_t i = 0; i < head->header_count; i++)
		if (!is_absent(r, head->headers[i].name, head->headers[i].value))
			return false;
	for (size_t i = 0; i < r->query->count; i++)
		if (!is_absent(r, r->query->params[i].name, r->query->params[i].value))
			return false;
	return true;
}
