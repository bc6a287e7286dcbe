/* SPDX-License-Identifier: Apache-2.0 */
#include "base/waiter.h"

#include <stddef.h>

#include "base/compiler.h"

static void post(struct executor *executor, struct task *task)
{
	struct waiter *waiter = CONTAINER_OF(executor, struct waiter, executor);
	task->next = NULL;
	(void)pthread_mutex_lock(&waiter->lock);
	if (waiter->first)
		waiter->last->next = task;
	else
		waiter->first = task;
	waiter->last = task;
	(void)pthread_cond_signal(&waiter->posted);
	(void)pthread_mutex_unlock(&waiter->lock);
}

void waiter_init(struct waiter *waiter)
{
	*waiter = (struct waiter){.executor = {post}};
	(void)pthread_mutex_init(&waiter->lock, NULL);
	(void)pthread_cond_init(&waiter->posted, NULL);
}

void waiter_release(struct waiter *waiter)
{
	(void)pthread_cond_destroy(&waiter->posted);
	(void)pthread_mutex_destroy(&waiter->lock);
}

/* Whose tasks this thread is running. */
static _Thread_local struct waiter *waiting;

/* What is to be done with it is done by whoever waits. */
static void on_expected(struct task *task UNUSED)
{
	waiting->expected--;
}

struct executor *waiter_expect(struct waiter *waiter, struct task *task)
{
	task->run = on_expected;
	waiter->expected++;
	return &waiter->executor;
}

static struct task *take(struct waiter *waiter)
{
	(void)pthread_mutex_lock(&waiter->lock);
	while (!waiter->first)
		(void)pthread_cond_wait(&waiter->posted, &waiter->lock);
	struct task *task = waiter->first;
	waiter->first = task->next;
	(void)pthread_mutex_unlock(&waiter->lock);
	return task;
}

void waiter_wait(struct waiter *waiter)
{
	struct waiter *before = waiting;
	waiting = waiter;
	while (waiter->expected) {
		struct task *task = take(waiter);
		task->run(task);
	}
	waiting = before;
}
