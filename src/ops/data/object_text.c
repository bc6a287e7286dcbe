/* SPDX-License-Identifier: Apache-2.0 */
#include "ops/data/object_text.h"

#include <inttypes.h>

#include "base/encode.h"

void object_etag_add(struct strbuf *out, const struct store_object *object)
{
	hex_encode_upper(out, slice_of(object->md5, sizeof(object->md5)));
	if (object->type == STORE_MULTIPART)
		strbuf_addf(out, "-%" PRIu32, object->parts);
}

const char *object_type_name(enum store_type type)
{
	static const char *const names[] = {
		[STORE_NORMAL] = "Normal",
		[STORE_MULTIPART] = "Multipart",
		[STORE_APPENDABLE] = "Appendable",
		[STORE_SYMLINK] = "Symlink",
	};
	return names[type];
}
