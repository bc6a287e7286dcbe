/* SPDX-License-Identifier: Apache-2.0 */
/* The operations of never_set.def. */
#include <stdlib.h>

#include "base/limits.h"
#include "ops/arguments/require.h"
#include "ops/respond.h"
#include "oss/text/xml.h"

#define NEVER_SET_GET(name, subresource, action, error, document) \
	{#name, error, XML_PROLOG document "\n"},
#define NEVER_SET_DELETE(name, subresource, action, error) {#name, error, NULL},
/* By the name of the operation. */
static const struct {
	const char *name;
	enum err err;
	const char *document; /* NULL: 204 */
} answers[] = {
#include "ops/bucket/never_set.def"
};
#undef NEVER_SET_GET
#undef NEVER_SET_DELETE

static void begin(struct request *r)
{
	size_t i = 0;
	while (strcmp(answers[i].name, r->op->name) != 0)
		i++;
	if (!require_bucket(r))
		return;
	if (answers[i].err != ERR_OK)
		respond_error(r, answers[i].err);
	else if (answers[i].document)
		respond(r, 200, "application/xml", slice_str(answers[i].document));
	else
		respond(r, 204, NULL, S(""));
}

#define ABSENT(op_name, http_method, sub, ram_action)  \
	extern const struct op op_never_set_##op_name; \
	const struct op op_never_set_##op_name = {     \
		.name = #op_name,                      \
		.method = http_method,                 \
		.level = OP_BUCKET,                    \
		.subresource = sub,                    \
		.access = OP_ACCESS_OWNER,             \
		.action = ram_action,                  \
		.body = OP_BODY_NONE,                  \
		.begin = begin,                        \
	};
#define NEVER_SET_GET(name, subresource, action, error, document) \
	ABSENT(name, HTTP_GET, subresource, action)
#define NEVER_SET_DELETE(name, subresource, action, error) \
	ABSENT(name, HTTP_DELETE, subresource, action)
#include "ops/bucket/never_set.def"
