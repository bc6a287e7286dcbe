/* SPDX-License-Identifier: Apache-2.0 */
/* The body of CompleteMultipartUpload: which parts the object is made of (spec: REST API 7). */
#ifndef OPS_MULTIPART_PART_LIST_H
#define OPS_MULTIPART_PART_LIST_H

#include "base/err.h"
#include "base/strbuf.h"
#include "store/store.h"

struct part_list {
	struct store_part_named *parts; /* `count` of them, ascending */
	size_t count;
	size_t room;
	bool has_number; /* of the part that is being read */
	bool has_etag;
};

/*
 * Reads the document into `list`, which is all zero. ERR_MALFORMED_XML; ERR_INVALID_PART_ORDER if
 * the numbers do not ascend; ERR_INVALID_PART for a number or an ETag that no part can have;
 * ERR_UNAVAILABLE. `reason` may get a sentence.
 */
enum err part_list_read(
	struct part_list *list, struct slice document, struct strbuf *reason) MUST_USE;

void part_list_release(struct part_list *list);

#endif
