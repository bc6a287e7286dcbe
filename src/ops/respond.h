/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Answers of the object store: the headers that every answer has, and error documents (spec: REST
 * API section 2). If the exchange is gone, these do nothing. After an answer the operation must
 * return at once.
 */
#ifndef OPS_RESPOND_H
#define OPS_RESPOND_H

#include "ops/request.h"

/* Adds a header to the answer to come. */
void respond_header(struct request *r, const char *name, struct slice value);
/* Adds header lines that are ready to send, each ended by CRLF. */
void respond_header_lines(struct request *r, struct slice lines);

/* There was no memory for a header: the answer is not sent, and the connection ends. */
void respond_spoil(struct request *r);
/* A header, and header lines, of what was built; spoils the answer if it is broken. */
void respond_built_header(struct request *r, const char *name, const struct strbuf *value);
void respond_built_lines(struct request *r, const struct strbuf *lines);

/* An answer with a body, empty or of `content_type` (NULL: no such header). */
void respond(struct request *r, int status, const char *content_type, struct slice body);

/* 200 with a document; ERR_UNAVAILABLE if it is broken. */
void respond_xml(struct request *r, const struct strbuf *document);

/* Bytes of an object; keep them readable until op->release. See exchange_guard() for `damaged`. */
void respond_blob(struct request *r, int status, const struct store_blob *blob, uint64_t offset,
	uint64_t size, void (*damaged)(struct exchange *x, void *ctx, uint64_t offset), void *ctx);

/* Bytes in several extents: see exchange_send_extents(). */
void respond_extents(struct request *r, int status, uint64_t size,
	void (*next)(struct exchange *x, void *ctx, uint64_t at),
	void (*damaged)(struct exchange *x, void *ctx, uint64_t offset), void *ctx);
/* Due once for each call of `next`: see exchange_extent() and exchange_extent_failed(). */
void respond_extent(struct request *r, const struct store_blob *place);
void respond_extent_failed(struct request *r);
/* From `damaged`, or instead of the last: 500, unless a part of the answer has left already. */
void respond_broken(struct request *r);

/* The headers alone, with the Content-Length `size`, also to GET: see exchange_send_head(). */
void respond_head(struct request *r, int status, uint64_t size);

/* The error with its default message. */
void respond_error(struct request *r, enum err e);
/* The error with another message. */
void respond_error_text(struct request *r, enum err e, const char *fmt, ...) PRINTF_LIKE(3, 4);

/*
 * The error document and headers for a refused head; needs no request.
 */
void respond_refused(const struct refused_head *refused, struct strbuf *lines, struct strbuf *body);

/* One more element for the error document that follows: "UploadId". */
void respond_detail(struct request *r, const char *element, struct slice text);
/* The elements ArgumentName and ArgumentValue, of the value 1 KiB at most. */
void respond_detail_argument(struct request *r, const char *name, struct slice value);

/*
 * Refuses an argument, a header or a parameter, with those two elements; `why` is the message, or
 * empty: the default one. All are false, so that a check can return what they return.
 */
bool respond_argument(
	struct request *r, enum err e, const char *name, struct slice value, const char *why);
/* The same with ERR_INVALID_ARGUMENT. */
bool respond_bad_argument(struct request *r, const char *name, struct slice value, const char *why);
/* ERR_MISSING_ARGUMENT: there is a name and no value. */
bool respond_missing_argument(struct request *r, const char *name, const char *why);

#endif
