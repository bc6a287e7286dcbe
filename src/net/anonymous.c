/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The memory of requests: which pool it is counted in, and what becomes of requests that nobody has
 * signed, or not yet, when there is too little for all of them.
 */
#include "net/server_internal.h"

enum {
	DROPS_PER_TURN = 16 /* requests that have to go when another needs memory */
};

/* ---- The list of a net thread, oldest first -------------------------------------------------- */

static void add(struct exchange *x)
{
	struct net_thread *net_thread = x->net_thread;
	x->older = net_thread->anonymous.newest;
	*(x->older ? &x->older->newer : &net_thread->anonymous.oldest) = x;
	net_thread->anonymous.newest = x;
}

void anonymous_remove(struct exchange *x)
{
	struct net_thread *net_thread = x->net_thread;
	if (!x->older && net_thread->anonymous.oldest != x)
		return;
	*(x->older ? &x->older->newer : &net_thread->anonymous.oldest) = x->newer;
	*(x->newer ? &x->newer->older : &net_thread->anonymous.newest) = x->older;
	x->older = NULL;
	x->newer = NULL;
}

/* ---- Pools ----------------------------------------------------------------------------------- */

bool exchange_assign(struct exchange *x, enum budget_pool pool)
{
	size_t more = x->account.pool == BUDGET_UNASSIGNED ? EXCHANGE_BYTES : 0;
	if (!budget_take(&x->account, more))
		return false;
	if (!budget_assign(&x->account, pool)) {
		budget_give(&x->account, more);
		return false;
	}
	anonymous_remove(x);
	if (pool == BUDGET_ANONYMOUS || pool == BUDGET_APP)
		add(x);
	if (x->connection)
		budget_return(&x->connection->buffers, pool);
	return true;
}

bool exchange_trust(struct exchange *x)
{
	return x->account.pool == BUDGET_CONSOLE || exchange_assign(x, BUDGET_SIGNED);
}

bool exchange_admit(struct exchange *x)
{
	return x->account.pool != BUDGET_UNASSIGNED || exchange_assign(x, BUDGET_ANONYMOUS);
}

/* ---- When memory is scarce ------------------------------------------------------------------- */

/* Requests that have been on their way for longest make room for a new one. */
static void make_room(struct net_thread *net_thread, enum budget_pool pool)
{
	struct exchange *next = net_thread->anonymous.oldest;
	for (int i = 0; i < DROPS_PER_TURN && next && budget_is_scarce(pool); i++) {
		struct exchange *x = next;
		next = x->newer;
		struct connection *c = x->connection;
		if (c && !c->running && c->phase == CONNECTION_BODY && !x->answered &&
			x->account.pool == pool)
			connection_starve(c);
	}
}

void anonymous_wait(struct connection *c)
{
	struct exchange *x = c->x;
	if (!x || x->account.pool != BUDGET_UNASSIGNED)
		return;
	make_room(c->net_thread, connection_pool(c));
	if (!exchange_assign(x, connection_pool(c)))
		connection_starve(c);
}
