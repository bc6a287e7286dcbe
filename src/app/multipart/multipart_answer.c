/* SPDX-License-Identifier: Apache-2.0 */
#include "app/multipart/multipart_answer.h"

#include "base/encode.h"
#include "oss/text/xml.h"

#define ETAG_BYTES_MAX 128
#define CODE_BYTES_MAX 128

/* ---- A text -----------------------------------------------------------------------------------
 */

static enum err set_text(void *ctx, struct slice text, struct strbuf *reason UNUSED)
{
	struct strbuf *out = ctx;
	strbuf_clear(out);
	strbuf_add_slice(out, xml_trim(text));
	return strbuf_broken(out) ? ERR_MALFORMED_XML : ERR_OK;
}

bool multipart_answer_begun(struct slice document, char ret_upload[MULTIPART_UPLOAD_MAX + 1])
{
	static const struct xml_element elements[] = {
		{.path = "/InitiateMultipartUploadResult", .skips_unknown = true},
		{.path = "/InitiateMultipartUploadResult/UploadId", .text = set_text},
	};
	SCOPED_STRBUF(upload, MULTIPART_UPLOAD_MAX);
	SCOPED_STRBUF(reason, 512);
	if (xml_read(document, elements, ARRAY_LEN(elements), &upload, &reason) != ERR_OK ||
		upload.len == 0)
		return false;
	memcpy(ret_upload, upload.ptr, upload.len + 1);
	return true;
}

void multipart_answer_code(struct slice document, struct strbuf *out)
{
	static const struct xml_element elements[] = {
		{.path = "/Error", .skips_unknown = true},
		{.path = "/Error/Code", .text = set_text},
	};
	SCOPED_STRBUF(code, CODE_BYTES_MAX);
	SCOPED_STRBUF(reason, 512);
	if (xml_read(document, elements, ARRAY_LEN(elements), &code, &reason) == ERR_OK)
		strbuf_add_slice(out, strbuf_slice(&code));
}

/* ---- A list of parts --------------------------------------------------------------------------
 */

struct reading {
	struct multipart_page *page;
	multipart_part_seen *seen; /* NULL: nobody wants it */
	void *ctx;
	uint64_t number; /* of the part, as the next two; 0: not told */
	uint64_t size;
	struct strbuf etag;
};

static enum err read_number(struct slice text, uint64_t *ret, struct strbuf *reason)
{
	if (slice_to_u64(xml_trim(text), ret))
		return ERR_OK;
	strbuf_adds(reason, "It is not a number.");
	return ERR_MALFORMED_XML;
}

static enum err set_truncated(void *ctx, struct slice text, struct strbuf *reason UNUSED)
{
	struct reading *r = ctx;
	r->page->truncated = slice_eq_nocase(xml_trim(text), S("true"));
	return ERR_OK;
}

static enum err set_number(void *ctx, struct slice text, struct strbuf *reason)
{
	struct reading *r = ctx;
	return read_number(text, &r->number, reason);
}

static enum err set_size(void *ctx, struct slice text, struct strbuf *reason)
{
	struct reading *r = ctx;
	return read_number(text, &r->size, reason);
}

static enum err set_etag(void *ctx, struct slice text, struct strbuf *reason)
{
	struct reading *r = ctx;
	return set_text(&r->etag, text, reason);
}

static enum err open_part(void *ctx, struct strbuf *reason UNUSED)
{
	struct reading *r = ctx;
	r->number = 0;
	r->size = 0;
	strbuf_clear(&r->etag);
	return ERR_OK;
}

static enum err close_part(void *ctx, struct strbuf *reason)
{
	struct reading *r = ctx;
	struct multipart_page *page = r->page;
	if (r->number <= page->next || r->number > LIMIT_PARTS ||
		!utf8_valid(strbuf_slice(&r->etag))) {
		strbuf_adds(reason, "The parts have no numbers in order.");
		return ERR_MALFORMED_XML;
	}
	page->next = (unsigned int)r->number;
	page->count++;
	page->bytes = r->size > UINT64_MAX - page->bytes ? UINT64_MAX : page->bytes + r->size;
	if (r->seen) {
		const struct multipart_listed part = {page->next, strbuf_slice(&r->etag), r->size};
		r->seen(r->ctx, &part);
	}
	return ERR_OK;
}

struct slice multipart_etag(struct slice text)
{
	if (text.len > 2 && text.ptr[0] == '"' && text.ptr[text.len - 1] == '"')
		return slice_of(text.ptr + 1, text.len - 2);
	return text;
}

bool multipart_answer_page(
	struct slice document, multipart_part_seen *seen, void *ctx, struct multipart_page *ret)
{
	static const struct xml_element elements[] = {
		{.path = "/ListPartsResult", .skips_unknown = true},
		{.path = "/ListPartsResult/IsTruncated", .text = set_truncated},
		{.path = "/ListPartsResult/Part",
			.skips_unknown = true,
			.open = open_part,
			.close = close_part},
		{.path = "/ListPartsResult/Part/PartNumber", .text = set_number},
		{.path = "/ListPartsResult/Part/ETag", .text = set_etag},
		{.path = "/ListPartsResult/Part/Size", .text = set_size},
	};
	struct multipart_page page = {.next = 0};
	struct reading r = {
		.page = &page, .seen = seen, .ctx = ctx, .etag = STRBUF_INIT(ETAG_BYTES_MAX)};
	SCOPED_STRBUF(reason, 512);
	enum err e = xml_read(document, elements, ARRAY_LEN(elements), &r, &reason);
	strbuf_release(&r.etag);
	/* A page that promises more and has none would be asked for for ever. */
	if (e || (page.truncated && page.count == 0))
		return false;
	*ret = page;
	return true;
}
