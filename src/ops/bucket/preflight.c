/* SPDX-License-Identifier: Apache-2.0 */
/* OPTIONS: a browser's preflight (spec: CORS section 3). Nobody has to sign it. */
#include "base/limits.h"
#include "ops/access/cross_origin.h"
#include "ops/respond.h"

static void begin(struct request *r)
{
	struct cors_request asked = {
		.origin = request_header(r, S("Origin")),
		.method = request_header(r, S("Access-Control-Request-Method")),
		.headers = request_header(r, S("Access-Control-Request-Headers")),
	};
	SCOPED_STRBUF(lines, KIB(64));
	enum err e = cross_origin_preflight(r->ops, r->bucket, &asked, &lines);
	respond_built_lines(r, &lines);
	if (e == ERR_OK)
		respond(r, 200, NULL, S(""));
	else
		respond_error(r, e);
}

const struct op op_option_object = {
	.name = "OptionObject",
	.method = HTTP_OPTIONS,
	.level = OP_ANY,
	.access = OP_ACCESS_SELF,
	.body = OP_BODY_NONE,
	.begin = begin,
};
