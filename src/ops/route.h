/* SPDX-License-Identifier: Apache-2.0 */
/* Finds the operation that a request asks for. */
#ifndef OPS_ROUTE_H
#define OPS_ROUTE_H

#include "base/err.h"
#include "base/strbuf.h"
#include "http/head.h"
#include "ops/op.h"
#include "oss/names.h"

/*
 * ERR_NOT_IMPLEMENTED: the method, level or sub-resource is OSS's but not in the table.
 * ERR_INVALID_BUCKET_NAME: it is about a bucket, and names none.
 * ERR_METHOD_NOT_ALLOWED: nothing in OSS is like this.
 */
enum err route(const struct request_head *head, const struct address *address,
	const struct op **ret) MUST_USE;

/* "GET, PUT": the methods that the address answers to when no sub-resource is asked for. */
void route_allowed(const struct address *address, struct strbuf *out);

#endif
