/* SPDX-License-Identifier: Apache-2.0 */
#include "ops/request.h"

#include <assert.h>
#include <stdarg.h>

#include "ops/ops_internal.h"
#include "ops/reading.h"
#include "ops/request_internal.h"

void request_enter(struct request *r, enum request_phase phase)
{
	if (phase <= r->phase)
		return;
	if (phase == PHASE_DONE)
		r->answered_in = r->phase;
	r->phase = phase;
}

void request_reopen(struct request *r)
{
	assert(r->phase == PHASE_DONE);
	r->phase = r->answered_in;
}

const char *request_phase_name(const struct request *r)
{
	static const char *const names[] = {
		[PHASE_ADDRESS] = "address",
		[PHASE_AUTHORIZE] = "authorize",
		[PHASE_BODY] = "body",
		[PHASE_WORK] = "work",
		[PHASE_CALLBACK] = "callback",
	};
	return names[r->phase == PHASE_DONE ? r->answered_in : r->phase];
}

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
	exchange_release(request_exchange(r));
	free(CONTAINER_OF(r, struct exchanged_request, r));
	atomic_fetch_sub_explicit(&ops->open_requests, 1, memory_order_release);
}

struct slice request_header(const struct request *r, struct slice name)
{
	return request_head_get(r->head, name);
}

struct slice request_param(const struct request *r, struct slice name)
{
	const struct query_param *found = query_find(r->query, name);
	assert(param_is_known(name)); /* else it could be given twice */
	return found ? found->value : (struct slice){NULL, 0};
}

bool request_is_gone(const struct request *r)
{
	return exchange_is_gone(request_exchange(r));
}

bool request_is_tls(const struct request *r)
{
	return exchange_is_tls(request_exchange(r));
}

struct budget_account *request_account(const struct request *r)
{
	return exchange_account(request_exchange(r));
}

struct budget_account request_holder(const struct request *r)
{
	struct budget_account ret = budget_account_like(request_account(r));
	if (ret.pool == BUDGET_UNASSIGNED)
		ret.pool = BUDGET_ANONYMOUS;
	return ret;
}

bool request_take_memory(struct request *r, size_t bytes)
{
	return budget_take(request_account(r), bytes);
}

bool request_trust(struct request *r, struct slice requester)
{
	return exchange_trust(request_exchange(r), requester);
}

bool request_admit(struct request *r)
{
	return exchange_admit(request_exchange(r));
}

void request_pause(struct request *r)
{
	exchange_pause(request_exchange(r));
}

void request_resume(struct request *r)
{
	exchange_resume(request_exchange(r));
}

void request_note(struct request *r, const char *fmt, ...)
{
	va_list ap;
	va_start(ap, fmt);
	exchange_vnote(request_exchange(r), fmt, ap);
	va_end(ap);
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

enum store_caller request_caller(const struct request *r)
{
	if (!r->anonymous)
		return STORE_CALLER_OWNER;
	return request_may_write(r) ? STORE_CALLER_PUBLIC_BUCKET : STORE_CALLER_PUBLIC_OBJECT;
}
