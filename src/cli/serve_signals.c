/* SPDX-License-Identifier: Apache-2.0 */
#include <malloc.h>
#include <signal.h>
#include <time.h>

#include "base/budget.h"
#include "base/limits.h"
#include "base/log.h"
#include "cli/serve_internal.h"
#include "sandbox/refused.h"

void serve_block_signals(sigset_t *set)
{
	(void)sigemptyset(set);
	(void)sigaddset(set, SIGTERM);
	(void)sigaddset(set, SIGINT);
	(void)sigaddset(set, SIGHUP);
	(void)pthread_sigmask(SIG_BLOCK, set, NULL);
	(void)signal(SIGPIPE, SIG_IGN);
}

/* After a peak, what the allocator has kept goes back to the system. */
static void return_memory(uint64_t *peak)
{
	struct budget_stats stats;
	uint64_t used = 0;
	budget_stats(&stats);
	for (size_t i = 0; i < BUDGET_POOLS; i++)
		used += stats.used[i];
	if (used > *peak)
		*peak = used;
	if (*peak < LIMIT_MEMORY_BYTES_MIN / 2 || used > *peak / 4)
		return;
	(void)malloc_trim(0);
	*peak = used;
}

/* The store has been taken from this process, and what it knows of itself is not true any more. */
static bool store_is_over(const struct parts *p)
{
	struct store_stats stats;
	if (!p->store || p->config.store_backend != BACKEND_RADOS)
		return false;
	store_stats(p->store, &stats);
	return stats.is_over;
}

/*
 * Checks regularly whether the access keys have changed, because `postern keys` does not know the
 * process.
 */
bool serve_wait_for_stop(struct parts *p, const sigset_t *set)
{
	static const struct timespec pause = {.tv_sec = 1};
	uint64_t peak = 0;
	for (;;) {
		return_memory(&peak);
		refused_log();
		int number = sigtimedwait(set, NULL, &pause);
		if (number == SIGHUP)
			serve_reload(p);
		else if (number > 0)
			return true;
		else if (p->documents)
			documents_look(p->documents, false);
		if (store_is_over(p)) {
			log_error("the store is to be opened anew: this process ends, with status "
				  "1, and has to be started again");
			return false;
		}
	}
}
