/* SPDX-License-Identifier: Apache-2.0 */
#include "ops/data/put_headers.h"

#include "base/encode.h"
#include "crypto/digest.h"
#include "ops/respond.h"

bool put_headers_length(struct request *r, uint64_t max)
{
	const struct request_head *head = r->head;
	if (head->body == HTTP_BODY_NONE) {
		respond_error(r, ERR_MISSING_CONTENT_LENGTH);
		return false;
	}
	if (head->body == HTTP_BODY_LENGTH && head->content_length > max) {
		respond_error(r, ERR_ENTITY_TOO_LARGE);
		return false;
	}
	return true;
}

bool put_headers_digest(struct request *r, struct ingest *u)
{
	struct slice text = request_header(r, S("Content-MD5"));
	if (!text.ptr)
		return true;
	SCOPED_STRBUF(digest, 64);
	if (text.len > 64 || !base64_decode(&digest, text) || digest.len != MD5_BYTES) {
		respond_error_text(
			r, ERR_INVALID_DIGEST, "The Content-MD5 you specified is not valid.");
		return false;
	}
	memcpy(u->expect_md5, digest.ptr, MD5_BYTES);
	u->has_md5 = true;
	return true;
}

bool put_headers_finish(
	struct request *r, struct object_headers *h, enum err e, const struct strbuf *reason)
{
	h->bucket_class = r->bucket->settings[STORE_SETTING_STORAGE_CLASS];
	if (e == ERR_OK)
		e = object_headers_finish(h);
	if (e == ERR_OK)
		return true;
	respond_error_text(r, e, "%s", reason->ptr);
	return false;
}

bool put_headers_object(struct request *r, struct object_headers *h)
{
	const struct request_head *head = r->head;
	SCOPED_STRBUF(reason, 512);
	enum err e = ERR_OK;
	for (size_t i = 0; i < head->header_count && e == ERR_OK; i++)
		e = object_headers_add(h, head->headers[i].name, head->headers[i].value, &reason);
	return put_headers_finish(r, h, e, &reason);
}
