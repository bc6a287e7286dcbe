/* SPDX-License-Identifier: Apache-2.0 */
/* The store's answers about uploads in parts (spec: REST API section 7). Pure: any thread. */
#ifndef APP_MULTIPART_MULTIPART_ANSWER_H
#define APP_MULTIPART_MULTIPART_ANSWER_H

#include <stdint.h>

#include "app/multipart/multipart_id.h"

/* The UploadId of an InitiateMultipartUploadResult. False: there is none. */
bool multipart_answer_begun(
	struct slice document, char ret_upload[MULTIPART_UPLOAD_MAX + 1]) MUST_USE;

/* A part that the store has. */
struct multipart_listed {
	unsigned int number;
	struct slice etag; /* as the store has written it: with quotes */
	uint64_t size;
};

typedef void multipart_part_seen(void *ctx, const struct multipart_listed *part);

/* A page of a ListPartsResult. */
struct multipart_page {
	bool truncated;
	unsigned int next; /* the number of its last part, if truncated */
	uint64_t bytes;    /* of all its parts; UINT64_MAX if they are more */
	size_t count;
};

/* Reads a page, and calls `seen`, if it is not NULL, for each part. False: it is none. */
bool multipart_answer_page(struct slice document, multipart_part_seen *seen, void *ctx,
	struct multipart_page *ret) MUST_USE;

/* An ETag without its quotes, if it has them. */
struct slice multipart_etag(struct slice text);

/* Appends the Code of an error document; nothing if it is none. */
void multipart_answer_code(struct slice document, struct strbuf *out);

#endif
