/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Uploads in parts as clients name them: 32 upper-case hexadecimal digits (as many as OSS's), which
 * mean nothing to them but are in the order of the uploads; and the numbers of parts.
 */
#ifndef OPS_MULTIPART_UPLOAD_ID_H
#define OPS_MULTIPART_UPLOAD_ID_H

#include "ops/request.h"

void upload_id_add(struct strbuf *out, uint64_t upload);

/* The reverse; false if it cannot be the id of an upload. */
bool upload_id_parse(struct slice id, uint64_t *ret) MUST_USE;

/*
 * The upload that the query parameter uploadId names. False: there is none, or it is no id, and the
 * request has been answered.
 */
bool upload_id_of_request(struct request *r, uint64_t *ret) MUST_USE;

/* The query parameter partNumber, 1 to LIMIT_PARTS. False: the request has been answered. */
bool upload_part_of_request(struct request *r, uint32_t *ret) MUST_USE;

/* Answers with the error; ERR_NO_SUCH_UPLOAD says which. */
void upload_id_refuse(struct request *r, enum err e);

#endif
