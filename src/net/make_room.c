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
	DROPS_PER_TURN = 16, /* requests that have to go when another needs memory */
	DROP_PAUSE_MS = 10   /* between signed ones */
};

/* ---- The rows of a net thread, oldest first -------------------------------------------------- */

static void join(struct exchange *x, struct exchange_row *row)
{
	x->row = row;
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
	x->older = NULL;
	x->newer = NULL;
}

/* ---- Pools ----------------------------------------------------------------------------------- */

static bool assign(struct exchange *x, enum budget_pool pool, struct slots share)
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
	return assign(x, pool, (struct slots){0});
}

bool exchange_trust(struct exchange *x, struct slice requester)
{
	if (x->account.pool == BUDGET_CONSOLE)
		return true;
	if (!budget_is_ample(BUDGET_SIGNED, 0))
		budget_share(&x->account);
	return assign(x, BUDGET_SIGNED, budget_share_of(requester));
}

bool exchange_admit(struct exchange *x)
{
	return x->account.pool != BUDGET_UNASSIGNED || exchange_assign(x, BUDGET_ANONYMOUS);
}

void exchange_note_memory(struct exchange *x, size_t bytes)
{
	if (bytes > x->noted_memory)
		x->noted_memory = bytes;
}

/* ---- When memory is scarce ------------------------------------------------------------------- */

/* Whether it is its client that it waits for, and not the disk, the service or this loop. */
static bool waits_for_client(const struct connection *c)
{
	const struct exchange *x = c->x;
	if (c->running || c->queued || c->batched || c->prefetching || x->paused)
		return false;
	return (c->phase == CONNECTION_BODY && !x->answered) ||
	       (c->phase == CONNECTION_ANSWER && !x->asking);
}

/* The first of a row that may go, for memory of that pool; NULL if there is none. */
static struct exchange *first_to_go(const struct exchange_row *row, enum budget_pool pool)
{
	bool answers_too = pool == BUDGET_SIGNED;
	for (struct exchange *x = row->oldest; x; x = x->newer)
		if (x->account.pool == pool && waits_for_client(x->connection) &&
			(answers_too || x->connection->phase == CONNECTION_BODY))
			return x;
	return NULL;
}

static void drop(struct exchange *x)
{
	atomic_fetch_add_explicit(&x->net_thread->made_room, 1, memory_order_relaxed);
	connection_starve(x->connection);
}

/* Requests that nobody has signed, and that have been on their way for longest. */
static void drop_unsigned(struct net_thread *net_thread, enum budget_pool pool)
{
	for (int i = 0; i < DROPS_PER_TURN && budget_is_scarce(pool); i++) {
		struct exchange *x = first_to_go(&net_thread->unsigned_requests, pool);
		if (!x)
			return;
		drop(x);
	}
}

/*
 * Signed requests whose clients have done nothing for longest. Of uploads one at a time: it gives
 * its memory back a little later, when the disk is done with it. False if there is none.
 */
static bool drop_slowest(struct net_thread *net_thread)
{
	int64_t now_ms = net_thread->loop.now_ms;
	bool is_upload = false;
	int i = 0;
	if (now_ms - net_thread->dropped_ms < DROP_PAUSE_MS)
		return true;
	for (; i < DROPS_PER_TURN && !is_upload && budget_is_scarce(BUDGET_SIGNED); i++) {
		struct exchange *x = first_to_go(&net_thread->signed_requests, BUDGET_SIGNED);
		if (!x || x->progress_ms > now_ms - net_thread->patience_ms)
			break;
		is_upload = x->connection->phase == CONNECTION_BODY;
		net_thread->dropped_ms = now_ms;
		drop(x);
	}
	return i > 0;
}

void make_room_asked(struct task *task)
{
	struct net_thread *net_thread = CONTAINER_OF(task, struct net_thread, make_room);
	atomic_store_explicit(&net_thread->asked, false, memory_order_relaxed);
	if (budget_is_scarce(BUDGET_SIGNED))
		(void)drop_slowest(net_thread);
}

/* The slow ones may all be on other threads. */
static void ask_others(struct net_thread *net_thread)
{
	for (struct net_thread *t = net_thread->next; t != net_thread; t = t->next)
		if (!atomic_exchange_explicit(&t->asked, true, memory_order_relaxed))
			executor_post(&t->loop.executor, &t->make_room);
}

/* ---- When a connection waits ----------------------------------------------------------------- */

/* An upload holds what its put does; an answer, what the client has not taken. */
static bool holds_much(const struct connection *c)
{
	return c->phase == CONNECTION_BODY || c->buffers.bytes > LIMIT_MEMORY_ANSWER_BYTES ||
	       c->x->noted_memory > LIMIT_MEMORY_ANSWER_BYTES ||
	       c->x->account.bytes > LIMIT_MEMORY_SMALL_BYTES;
}

/* What it has to move to be taken for one that comes on. */
static uint64_t progress_asked(const struct exchange *x)
{
	bool is_large = x->bytes_in > LIMIT_INLINE_BYTES || x->noted_memory > LIMIT_INLINE_BYTES;
	return is_large ? LIMIT_MEMORY_PROGRESS_LARGE_BYTES : LIMIT_MEMORY_PROGRESS_BYTES;
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
	if (x->row && moved - x->progress_bytes < progress_asked(x))
		return;
	make_room_leave(x);
	budget_share(&x->account);
	budget_share(&c->buffers);
	x->progress_bytes = moved;
	x->progress_ms = c->net_thread->loop.now_ms;
	join(x, &c->net_thread->signed_requests);
}

void make_room_wait(struct connection *c)
{
	struct net_thread *net_thread = c->net_thread;
	enum budget_pool pool = connection_pool(c);
	if (c->x && c->x->account.pool == BUDGET_SIGNED)
		note_progress(c);
	if (c->x && c->x->account.pool == BUDGET_UNASSIGNED) {
		drop_unsigned(net_thread, pool);
		if (!exchange_assign(c->x, pool))
			connection_starve(c);
	}
	/* `c` may be gone, or be the one that has to go. */
	if (budget_is_scarce(BUDGET_SIGNED) && !drop_slowest(net_thread))
		ask_others(net_thread);
}
