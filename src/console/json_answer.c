/* SPDX-License-Identifier: Apache-2.0 */
#include "console/json_answer.h"

#include <stdlib.h>

#include "base/encode.h"
#include "base/limits.h"
#include "ops/respond.h"

void json_answer(struct request *r, json_t *root)
{
	char *text = root ? json_dumps(root, JSON_COMPACT) : NULL;
	json_decref(root);
	if (!text) {
		respond_error(r, ERR_UNAVAILABLE);
		return;
	}
	respond_header(r, "Cache-Control", S("no-store"));
	respond_header(r, "X-Content-Type-Options", S("nosniff"));
	respond(r, 200, "application/json", slice_str(text));
	free(text);
}

json_t *json_text(struct slice text)
{
	json_t *string = json_stringn(text.len ? text.ptr : "", text.len);
	if (string)
		return string;
	SCOPED_STRBUF(valid, MIB(1));
	utf8_repair(&valid, text);
	return strbuf_broken(&valid) ? NULL : json_stringn(valid.ptr, valid.len);
}
