/* SPDX-License-Identifier: Apache-2.0 */
/* Finds the operation that a request asks for. */
#ifndef OPS_DISPATCH_ROUTE_H
#define OPS_DISPATCH_ROUTE_H

#include <stddef.h>

#include "base/err.h"
#include "base/strbuf.h"
#include "http/head.h"
#include "http/query.h"
#include "ops/op.h"
#include "oss/names.h"

/*
 * ERR_NOT_IMPLEMENTED: the method, level or sub-resource is OSS's but not in the table.
 * ERR_INVALID_BUCKET_NAME: it is about a bucket, and names none.
 * ERR_METHOD_NOT_ALLOWED: nothing in OSS is like this.
 */
enum err route(const struct request_head *head, const struct query *query,
	const struct address *address, const struct op **ret) MUST_USE;

/*
 * The query parameters that choose an operation and that signature version 1 does not sign, with
 * who leaves them out; ends with a NULL name. They count only where no signed one is given.
 */
struct unsigned_subresource {
	const char *name;
	const char *left_out_by;
};
extern const struct unsigned_subresource route_unsigned[];
/* All the others, which V1 signs; NULL behind the last. */
const char *route_subresource(size_t i);

/* "GET, PUT": the methods that the address answers to when no sub-resource is asked for. */
void route_allowed(const struct address *address, struct strbuf *out);

#endif
