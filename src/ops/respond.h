/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Answers of the object store: the headers that every answer has, and error documents (spec: REST
 * API section 2). If the exchange has gone, nothing happens. After an answer the operation does no
 * more than return.
 */
#ifndef OPS_RESPOND_H
#define OPS_RESPOND_H

#include "ops/request.h"

/* Adds a header to the answer to come. */
void respond_header(struct request *r, const char *name, struct slice value);
/* Adds header lines that are ready to send, each ended by CRLF. */
void respond_header_lines(struct request *r, struct slice lines);

/* An answer with a body, empty or of `content_type` (NULL: no such header). */
void respond(struct request *r, int status, const char *content_type, struct slice body);

/* 200 with a document; ERR_UNAVAILABLE if it is broken. */
void respond_xml(struct request *r, const struct strbuf *document);

/* Bytes of an object; keep them readable until op->release. */
void respond_blob(struct request *r, int status, const struct store_blob *blob, uint64_t offset,
	uint64_t size);

/* Bytes that lie in several places: see exchange_send_extents(). */
void respond_extents(struct request *r, int status, uint64_t size,
	void (*next)(struct exchange *x, void *ctx, uint64_t at), void *ctx);
/* Due once for each call of `next`: see exchange_extent() and exchange_extent_failed(). */
void respond_extent(struct request *r, const struct store_blob *place);
void respond_extent_failed(struct request *r);

/* The headers alone, with the Content-Length `size`, also to GET: see exchange_send_head(). */
void respond_head(struct request *r, int status, uint64_t size);

/* The error with its default message. */
void respond_error(struct request *r, enum err e);
/* The error with another message. */
void respond_error_text(struct request *r, enum err e, const char *fmt, ...) PRINTF_LIKE(3, 4);

/*
 * The document for what could not be read as a request, and the headers that it has: no request is
 * needed.
 */
void respond_refused(const struct refused_head *refused, struct strbuf *lines, struct strbuf *body);

/* One more element for the error document that follows: "ArgumentName". */
void respond_detail(struct request *r, const char *element, struct slice text);

#endif
