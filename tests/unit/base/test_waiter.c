/* SPDX-License-Identifier: Apache-2.0 */
#include "base/waiter.h"

#include <stdlib.h>

#include "base/compiler.h"
#include "base/thread.h"
#include "tap.h"

/* A request that needs a step in between on the thread that asked. */
struct request {
	struct task start; /* on the other thread */
	struct task step;  /* on this one */
	struct task done;
	struct executor *home;
	pthread_t stepped_on;
	bool runs_it; /* instead of posting it */
};

static void on_step(struct task *task)
{
	struct request *r = CONTAINER_OF(task, struct request, step);
	r->stepped_on = pthread_self();
	if (r->runs_it)
		r->done.run(&r->done);
	else
		executor_post(r->home, &r->done);
}

static void *answer(void *arg)
{
	struct request *r = arg;
	r->step.run = on_step;
	executor_post(r->home, &r->step);
	return NULL;
}

static void ask(struct request *r, struct waiter *waiter, pthread_t *thread)
{
	r->home = waiter_expect(waiter, &r->done);
	if (!thread_start(thread, "answers", THREAD_ANY, answer, r))
		abort();
}

int main(void)
{
	enum {
		COUNT = 20
	};
	struct waiter waiter;
	struct request requests[COUNT];
	pthread_t threads[COUNT];
	waiter_init(&waiter);
	waiter_wait(&waiter);
	OK(true, "where nothing is expected, nothing is waited for");
	for (int round = 0; round < 2; round++) {
		bool here = true;
		for (unsigned i = 0; i < COUNT; i++) {
			requests[i].runs_it = i % 2;
			ask(&requests[i], &waiter, &threads[i]);
		}
		waiter_wait(&waiter);
		for (unsigned i = 0; i < COUNT; i++) {
			here = here && pthread_equal(requests[i].stepped_on, pthread_self());
			(void)pthread_join(threads[i], NULL);
		}
		OK(here, "round %d: all have come, and steps between ran here", round);
		IS_INT(waiter.expected, 0, "no more is expected");
		OK(waiter.first == NULL, "nothing is left");
	}
	struct task task;
	executor_post(waiter_expect(&waiter, &task), &task);
	waiter_wait(&waiter);
	OK(true, "what came before it was waited for");
	waiter_release(&waiter);
	return tap_done();
}
