/* SPDX-License-Identifier: Apache-2.0 */
#include "ops/request.h"

#include <assert.h>

#include "base/encode.h"
#include "http/query.h"
#include "ops/ops_internal.h"

void request_hold(struct request *r)
{
	r->holds++;
}

void request_release(struct request *r)
{
	assert(r->holds > 0);
	if (--r->holds)
		return;
	if (r->op && r->state && r->op->release)
		r->op->release(r);
	struct ops *ops = r->ops;
	store_bucket_unref(ops->options.store, r->bucket);
	strbuf_release(&r->body);
	strbuf_release(&r->details);
	arena_reset(&r->arena);
	free(r);
	atomic_fetch_sub_explicit(&ops->open_requests, 1, memory_order_release);
}

struct slice request_header(const struct request *r, struct slice name)
{
	return request_head_get(exchange_head(r->x), name);
}

struct slice request_param(struct request *r, struct slice name)
{
	struct query_param found;
	if (!query_find(exchange_head(r->x)->query, name, &found))
		return (struct slice){NULL, 0};
	SCOPED_STRBUF(decoded, LIMIT_TARGET_BYTES);
	struct slice value =
		plus_decode(&decoded, found.value) ? strbuf_slice(&decoded) : found.value;
	return arena_copy(&r->arena, value);
}

bool request_may_read(
	const struct request *r, const struct store_bucket *bucket, enum store_acl object_acl)
{
	enum store_acl acl = object_acl == STORE_ACL_DEFAULT ? bucket->acl : object_acl;
	return !r->anonymous || acl == STORE_ACL_PUBLIC_READ || acl == STORE_ACL_PUBLIC_READ_WRITE;
}

bool request_may_write(const struct request *r)
{
	return !r->anonymous || r->bucket->acl == STORE_ACL_PUBLIC_READ_WRITE;
}

enum store_public request_as_public(const struct request *r)
{
	if (!r->anonymous)
		return STORE_OWNERS;
	return request_may_write(r) ? STORE_PUBLIC_BUCKET : STORE_PUBLIC_OBJECT;
}
