/* SPDX-License-Identifier: Apache-2.0 */
#include "ops/respond.h"

#include <stdarg.h>

#include "base/encode.h"
#include "ops/ops_internal.h"
#include "ops/request_internal.h"
#include "oss/text/xml.h"

enum {
	ARGUMENT_SHOWN_BYTES = 1024 /* of a refused one, in the error document */
};

void respond_header(struct request *r, const char *name, struct slice value)
{
	exchange_header(request_exchange(r), name, value);
}

void respond_header_lines(struct request *r, struct slice lines)
{
	exchange_header_lines(request_exchange(r), lines);
}

void respond_spoil(struct request *r)
{
	exchange_spoil(request_exchange(r));
}

static bool was_built(struct request *r, const struct strbuf *text)
{
	if (strbuf_broken(text))
		respond_spoil(r);
	return !strbuf_broken(text);
}

void respond_built_header(struct request *r, const char *name, const struct strbuf *value)
{
	if (was_built(r, value))
		respond_header(r, name, strbuf_slice(value));
}

void respond_built_lines(struct request *r, const struct strbuf *lines)
{
	if (was_built(r, lines))
		respond_header_lines(r, strbuf_slice(lines));
}

/* The headers of every answer of the store. */
static void add_common_headers(struct request *r)
{
	exchange_header_lines(request_exchange(r), S("Server: AliyunOSS\r\n"));
	respond_header(r, "x-oss-request-id", r->id);
	exchange_header_lines(request_exchange(r), r->cors_lines);
}

static bool begin_answer(struct request *r)
{
	if (request_is_answered(r) || request_is_gone(r))
		return false;
	request_enter(r, PHASE_DONE);
	add_common_headers(r);
	return true;
}

/*
 * For what is no object's: an answer is never a page of this origin, whatever a callback's server
 * has made of it. (A 304 speaks of the object that the client has.)
 */
#define NO_PAGE                               \
	"X-Content-Type-Options: nosniff\r\n" \
	"Content-Security-Policy: default-src 'none'; sandbox\r\n"

void respond(struct request *r, int status, const char *content_type, struct slice body)
{
	if (status != 503 && !request_is_gone(r) &&
		!exchange_reserve(request_exchange(r), body.len)) {
		respond_error(r, ERR_UNAVAILABLE);
		return;
	}
	if (!begin_answer(r))
		return;
	if (content_type)
		respond_header(r, "Content-Type", slice_str(content_type));
	if (status != 304) /* that speaks of the object which the client has */
		respond_header_lines(r, S(NO_PAGE));
	exchange_send(request_exchange(r), status, body);
}

static struct exchange_bytes bytes_of(const struct store_blob *blob, uint64_t offset, uint64_t size)
{
	return (struct exchange_bytes){blob->fd, blob->offset + offset, size, blob->check};
}

void respond_blob(struct request *r, int status, const struct store_blob *blob, uint64_t offset,
	uint64_t size, void (*damaged)(struct exchange *x, void *ctx, uint64_t offset), void *ctx)
{
	struct exchange_bytes bytes = bytes_of(blob, offset, size);
	if (!begin_answer(r))
		return;
	exchange_guard(request_exchange(r), damaged, ctx);
	exchange_note_memory(request_exchange(r), blob->held);
	if (blob->bytes)
		exchange_send_memory(request_exchange(r), status,
			slice_of(blob->bytes + blob->offset + offset, (size_t)size));
	else
		exchange_send_file(request_exchange(r), status, &bytes);
}

void respond_extents(struct request *r, int status, uint64_t size,
	void (*next)(struct exchange *x, void *ctx, uint64_t at),
	void (*damaged)(struct exchange *x, void *ctx, uint64_t offset), void *ctx)
{
	if (!begin_answer(r))
		return;
	exchange_guard(request_exchange(r), damaged, ctx);
	exchange_send_extents(request_exchange(r), status, size, next, ctx);
}

void respond_extent(struct request *r, const struct store_blob *place)
{
	struct exchange_bytes bytes = bytes_of(place, 0, place->size);
	exchange_note_memory(request_exchange(r), place->held);
	if (place->bytes)
		exchange_extent_memory(request_exchange(r),
			slice_of(place->bytes + place->offset, (size_t)place->size));
	else
		exchange_extent(request_exchange(r), &bytes);
}

void respond_broken(struct request *r)
{
	if (!exchange_take_back(request_exchange(r)))
		return;
	request_reopen(r);
	respond_error(r, ERR_INTERNAL);
}

void respond_extent_failed(struct request *r)
{
	exchange_extent_failed(request_exchange(r));
}

void respond_head(struct request *r, int status, uint64_t size)
{
	if (begin_answer(r))
		exchange_send_head(request_exchange(r), status, size);
}

void respond_xml(struct request *r, const struct strbuf *document)
{
	if (strbuf_broken(document))
		respond_error(r, ERR_UNAVAILABLE);
	else
		respond(r, 200, "application/xml", strbuf_slice(document));
}

void respond_detail(struct request *r, const char *element, struct slice text)
{
	xml_element(&r->details, element, text);
}

static struct slice ec_of(const struct request *r, const struct err_info *info)
{
	return slice_str(r->ec ? r->ec : info->ec);
}

/* The error document; without its details if they make it longer than clients read. */
static void error_document(const struct request *r, const struct err_info *info,
	struct slice message, bool details, struct strbuf *out)
{
	strbuf_adds(out, XML_PROLOG "<Error>");
	xml_element(out, "Code", slice_str(info->code));
	xml_element(out, "Message", message);
	xml_element(out, "RequestId", r->id);
	xml_element(out, "HostId", r->head->host);
	if (details)
		strbuf_add_slice(out, strbuf_slice(&r->details));
	if (ec_of(r, info).len)
		xml_element(out, "EC", ec_of(r, info));
	strbuf_adds(out, "</Error>\n");
}

static void send_error(struct request *r, enum err e, struct slice message)
{
	const struct err_info *info = err_info(e);
	if (request_is_answered(r) || request_is_gone(r))
		return;
	if (r->arena.starved && info->status < 500) {
		/* What was found without memory may be wrong. */
		info = err_info(ERR_UNAVAILABLE);
		message = slice_str(info->message);
	}
	SCOPED_STRBUF(body, LIMIT_ERROR_BODY_BYTES);
	error_document(r, info, message, !strbuf_broken(&r->details), &body);
	if (strbuf_broken(&body)) {
		strbuf_clear(&body);
		error_document(r, info, slice_head(message, 512), false, &body);
	}
	if (ec_of(r, info).len)
		respond_header(r, "x-oss-ec", ec_of(r, info));
	request_note(r, "code=%s", info->code);
	if (info->status == 503)
		respond_header(r, "Retry-After", S("1"));
	if (info->status >= 400)
		ops_count(&r->ops->errors);
	if (r->head->method == HTTP_HEAD && info->status >= 400) {
		SCOPED_STRBUF(encoded, 2 * LIMIT_ERROR_BODY_BYTES);
		base64_encode(&encoded, strbuf_slice(&body));
		respond_built_header(r, "x-oss-err", &encoded);
	}
	respond(r, info->status, info->status == 304 ? NULL : "application/xml",
		info->status == 304 ? S("") : strbuf_slice(&body));
}

void respond_error(struct request *r, enum err e)
{
	send_error(r, e, slice_str(err_info(e)->message));
}

void respond_error_text(struct request *r, enum err e, const char *fmt, ...)
{
	SCOPED_STRBUF(message, 2048);
	va_list ap;
	va_start(ap, fmt);
	strbuf_vaddf(&message, fmt, ap);
	va_end(ap);
	send_error(r, e,
		strbuf_broken(&message) || message.len == 0 ? slice_str(err_info(e)->message)
							    : strbuf_slice(&message));
}

void respond_detail_argument(struct request *r, const char *name, struct slice value)
{
	respond_detail(r, "ArgumentName", slice_str(name));
	respond_detail(r, "ArgumentValue", slice_head(value, ARGUMENT_SHOWN_BYTES));
}

bool respond_argument(
	struct request *r, enum err e, const char *name, struct slice value, const char *why)
{
	respond_detail_argument(r, name, value);
	respond_error_text(r, e, "%s", why);
	return false;
}

bool respond_bad_argument(struct request *r, const char *name, struct slice value, const char *why)
{
	return respond_argument(r, ERR_INVALID_ARGUMENT, name, value, why);
}

bool respond_missing_argument(struct request *r, const char *name, const char *why)
{
	respond_detail(r, "ArgumentName", slice_str(name));
	respond_error_text(r, ERR_MISSING_ARGUMENT, "%s", why);
	return false;
}

void respond_refused(const struct refused_head *refused, struct strbuf *lines, struct strbuf *body)
{
	enum err e = refused->status == 431   ? ERR_HEAD_TOO_LONG
		     : refused->status == 505 ? ERR_HTTP_VERSION
					      : ERR_INVALID_REQUEST;
	strbuf_addf(lines,
		"Server: AliyunOSS\r\n" NO_PAGE
		"Content-Type: application/xml\r\nx-oss-request-id: %.*s\r\n",
		SLICE_FMT(refused->id));
	strbuf_adds(body, XML_PROLOG "<Error>");
	xml_element(body, "Code", slice_str(err_info(e)->code));
	strbuf_addf(body, "<Message>The request cannot be read: %s.</Message>", refused->why);
	xml_element(body, "RequestId", refused->id);
	strbuf_adds(body, "<HostId></HostId></Error>\n");
}
