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

/* The length of the character at the start of `text`, or 0 if that is not UTF-8. */
static size_t character(struct slice text)
{
	for (size_t len = 1; len <= 4 && len <= text.len; len++)
		if (utf8_valid(slice_head(text, len)))
			return len;
	return 0;
}

json_t *json_text(struct slice text)
{
	json_t *string = json_stringn(text.len ? text.ptr : "", text.len);
	if (string)
		return string;
	SCOPED_STRBUF(valid, MIB(1));
	while (text.len) {
		size_t len = character(text);
		strbuf_add_slice(&valid, len ? slice_head(text, len) : S("\xef\xbf\xbd"));
		text = slice_from(text, len ? len : 1);
	}
	return strbuf_broken(&valid) ? NULL : json_stringn(valid.ptr, valid.len);
}
