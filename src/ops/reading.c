/* SPDX-License-Identifier: Apache-2.0 */
#include "ops/reading.h"

#include "base/limits.h"
#include "ops/respond.h"
#include "oss/sign/sign_v1.h"

/* Parameters that are read and that V1 does not sign. */
static const struct slice unsigned_params[] = {SLICE_LIT("Expires"), SLICE_LIT("OSSAccessKeyId"),
	SLICE_LIT("Signature"), SLICE_LIT("accessmonitor"), SLICE_LIT("after"),
	SLICE_LIT("delimiter"), SLICE_LIT("encoding-type"), SLICE_LIT("fetch-owner"),
	SLICE_LIT("key-marker"), SLICE_LIT("limit"), SLICE_LIT("list-type"), SLICE_LIT("marker"),
	SLICE_LIT("max-keys"), SLICE_LIT("max-parts"), SLICE_LIT("max-uploads"),
	SLICE_LIT("part-number-marker"), SLICE_LIT("prefix"), SLICE_LIT("start-after"),
	SLICE_LIT("state"), SLICE_LIT("tag-key"), SLICE_LIT("tag-value"),
	SLICE_LIT("upload-id-marker"), SLICE_LIT("version-id-marker")};

/* Besides `x-oss-*`, of which `x-oss-meta-*` are lists. */
static const struct slice single_headers[] = {SLICE_LIT("Access-Control-Request-Method"),
	SLICE_LIT("Authorization"), SLICE_LIT("Content-Disposition"), SLICE_LIT("Content-MD5"),
	SLICE_LIT("Content-Range"), SLICE_LIT("Content-Type"), SLICE_LIT("Date"),
	SLICE_LIT("Expires"), SLICE_LIT("If-Modified-Since"), SLICE_LIT("If-Range"),
	SLICE_LIT("If-Unmodified-Since"), SLICE_LIT("Origin"), SLICE_LIT("Range"),
	SLICE_LIT("Referer"), SLICE_LIT("User-Agent")};

bool param_is_known(struct slice name)
{
	for (size_t i = 0; i < ARRAY_LEN(unsigned_params); i++)
		if (slice_eq(name, unsigned_params[i]))
			return true;
	return sign_v1_is_subresource(name);
}

bool header_is_single(struct slice name)
{
	if (slice_eq_nocase(slice_head(name, 6), S("x-oss-")))
		return !slice_eq_nocase(slice_head(name, 11), S("x-oss-meta-"));
	for (size_t i = 0; i < ARRAY_LEN(single_headers); i++)
		if (slice_eq_nocase(name, single_headers[i]))
			return true;
	return false;
}

static bool refuse(struct request *r, const char *what, struct slice name, const char *why)
{
	name = slice_head(name, 256);
	respond_detail(r, "ArgumentName", name);
	respond_error_text(
		r, ERR_INVALID_ARGUMENT, "The %s %.*s is given %s.", what, SLICE_FMT(name), why);
	return false;
}

static bool check_params(struct request *r)
{
	const struct query_param *params = r->query->params;
	if (r->query->count > LIMIT_QUERY_PARAMS) {
		respond_error_text(r, ERR_INVALID_ARGUMENT,
			"The query has more than %d parameters.", LIMIT_QUERY_PARAMS);
		return false;
	}
	for (size_t i = 1; i < r->query->count; i++)
		for (size_t k = 0; k < i; k++)
			if (slice_eq(params[i].name, params[k].name) &&
				param_is_known(params[i].name))
				return refuse(r, "parameter", params[i].name, "more than once");
	return true;
}

bool reading_check(struct request *r)
{
	struct slice conflict;
	switch (request_head_join(r->head, header_is_single, &r->arena, &r->head, &conflict)) {
	case HEAD_JOIN_OK:
		return check_params(r);
	case HEAD_JOIN_CONFLICT:
		return refuse(r, "header", conflict, "twice, with different values");
	case HEAD_JOIN_NO_MEMORY:
		respond_error(r, ERR_UNAVAILABLE);
		break;
	}
	return false;
}
