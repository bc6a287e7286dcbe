/* SPDX-License-Identifier: Apache-2.0 */
#include "ops/multipart/upload_id.h"

#include <inttypes.h>

#include "base/limits.h"
#include "ops/arguments/params.h"
#include "ops/respond.h"

enum {
	ID_DIGITS = 32
};

void upload_id_add(struct strbuf *out, uint64_t upload)
{
	strbuf_addf(out, "%032" PRIX64, upload);
}

bool upload_id_parse(struct slice id, uint64_t *ret)
{
	uint64_t value = 0;
	if (id.len != ID_DIGITS)
		return false;
	for (size_t i = 0; i < id.len; i++) {
		char c = id.ptr[i];
		if ((!ascii_digit(c) && (c < 'A' || c > 'F')) || value >> 60)
			return false;
		value = value << 4 | (uint64_t)(ascii_digit(c) ? c - '0' : c - 'A' + 10);
	}
	*ret = value;
	return value > 0;
}

bool upload_id_of_request(struct request *r, uint64_t *ret)
{
	struct slice id = request_param(r, S("uploadId"));
	if (upload_id_parse(id, ret))
		return true;
	if (id.len == 0)
		return respond_missing_argument(r, "uploadId", "uploadId is missing.");
	upload_id_refuse(r, ERR_NO_SUCH_UPLOAD);
	return false;
}

bool upload_part_of_request(struct request *r, uint32_t *ret)
{
	struct slice text = request_param(r, S("partNumber"));
	uint64_t number;
	if (slice_to_u64(text, &number) && number >= 1 && number <= LIMIT_PARTS) {
		*ret = (uint32_t)number;
		return true;
	}
	return respond_bad_argument(
		r, "partNumber", text, "partNumber must be an integer from 1 to 10000.");
}

void upload_id_refuse(struct request *r, enum err e)
{
	if (e == ERR_NO_SUCH_UPLOAD && !request_is_gone(r))
		respond_detail(r, "UploadId", request_param(r, S("uploadId")));
	respond_error(r, e);
}
