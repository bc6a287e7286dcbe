/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The memory of requests: which pool it is counted in, and which of them make room when there is
 * too little for all. Of those that nobody has signed, or not yet, the ones that came first: a
 * slow attacker's are always older than a browser's. Of signed ones those that have gone longest
 * without their client sending or taking something worth counting.
 */
#include "net/server_internal.h"

#include "base/limits.h"

enum {
	DROPS_PER_TURN = 16 /* requests that have to go when another needs memory */
};

/* ---- The rows of a net thread, oldest first -------------------------------------------------- */

static void join(struct exchange *x, struct exchange_row *row)
{
	x->row = row;
	x->newer = NULL;
	x->older = row->newest;
	*(x->older ? &x->older->newer : &row->oldest) = x;
	row->newest = x;
}

void make_room_leave(struct exchange *x)
{
	struct exchange_row *row = TAKE(x->row);
	if (!row)
		return;
	*(x->older ? &x->older->newer : &row->oldest) = x->newer;
	*(x->newer ? &x->newer->older : &row->newest) = x->older;
}

/* ---- Pools ----------------------------------------------------------------------------------- */

static bool assign(struct exchange *x, enum budget_pool pool, unsigned share)
{
	size_t more = x->account.pool == BUDGET_UNASSIGNED ? EXCHANGE_BYTES : 0;
	if (!budget_take(&x->account, more))
		return false;
	if (!budget_assign(&x->account, pool, share)) {
		budget_give(&x->account, more);
		return false;
	}
	make_room_leave(x);
	if (pool == BUDGET_ANONYMOUS || pool == BUDGET_APP)
		join(x, &x->net_thread->unsigned_requests);
	if (x->connection)
		budget_return(&x->connection->buffers, pool, share);
	return true;
}

bool exchange_assign(struct exchange *x, enum budget_pool pool)
{
	return assign(x, pool, 0);
}

bool exchange_trust(struct exchange *x, struct slice requester)
{
	return x->account.pool == BUDGET_CONSOLE ||
	       assign(x, BUDGET_SIGNED, budget_share_of(requester));
}

bool exchange_admit(struct exchange *x)
{
	return x->account.pool != BUDGET_UNASSIGNED || exchange_assign(x, BUDGET_ANONYMOUS);
}

/* ---- When memory is scarce ------------------------------------------------------------------- */

static void drop(struct exchange *x)
{
	atomic_fetch_add_explicit(&x->net_thread->made_room, 1, memory_order_relaxed);
	connection_starve(x->connection);
}

/* Requests that nobody has signed, and that have been on their way for longest. */
static void drop_unsigned(struct net_thread *net_thread, enum budget_pool pool)
{
	struct exchange *next = net_thread->unsigned_requests.oldest;
	for (int i = 0; i < DROPS_PER_TURN && next && budget_is_scarce(pool); i++) {
		struct exchange *x = next;
		next = x->newer;
		struct connection *c = x->connection;
		if (c && !c->running && c->phase == CONNECTION_BODY && !x->answered &&
			x->account.pool == pool)
			drop(x);
	}
}

static bool waits_for_client(const struct connection *c)
{
	return (c->phase == CONNECTION_BODY && !c->x->answered && !c->x->paused) ||
	       c->phase == CONNECTION_ANSWER;
}

/*
 * The signed request whose client has done nothing for longest. One at a time: an upload gives its
 * memory back a little later, when the disk is done with it.
 */
static void drop_slowest(struct net_thread *net_thread)
{
	int64_t now_ms = net_thread->loop.now_ms;
	struct exchange *x = net_thread->signed_requests.oldest;
	while (x && (x->connection->running || !waits_for_client(x->connection)))
		x = x->newer;
	if (!x || x->progress_ms > now_ms - net_thread->patience_ms ||
		net_thread->dropped_ms == now_ms)
		return;
	net_thread->dropped_ms = now_ms;
	drop(x);
}

/* An upload holds what its put does; an answer, what the client has not taken. */
static bool holds_much(const struct connection *c)
{
	return c->phase == CONNECTION_BODY ||
	       c->x->account.bytes + c->buffers.bytes > LIMIT_MEMORY_SMALL_BYTES;
}

/* Its place in the row is as old as the last time that it came on. */
static void note_progress(struct connection *c)
{
	struct exchange *x = c->x;
	uint64_t moved = x->bytes_in + x->bytes_out;
	if (!waits_for_client(c) || !holds_much(c)) {
		make_room_leave(x);
		return;
	}
	if (x->row && moved - x->progress_bytes < LIMIT_MEMORY_PROGRESS_BYTES)
		return;
	make_room_leave(x);
	x->progress_bytes = moved;
	x->progress_ms = c->net_thread->loop.now_ms;
	join(x, &c->net_thread->signed_requests);
}

void make_room_wait(struct connection *c)
{
	struct exchange *x = c->x;
	struct net_thread *net_thread = c->net_thread;
	if (!x)
		return;
	if (x->account.pool == BUDGET_SIGNED) {
		note_progress(c);
		/* Last: it may be `c` itself that has to go. */
		if (budget_is_scarce(BUDGET_SIGNED))
			drop_slowest(net_thread);
	} else if (x->account.pool == BUDGET_UNASSIGNED) {
		drop_unsigned(net_thread, connection_pool(c));
		if (!exchange_assign(x, connection_pool(c)))
			connection_starve(c);
	}
}
