/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/wait.h"

#include "base/compiler.h"

static void post(struct executor *executor, struct task *task UNUSED)
{
	struct waiter *waiter = CONTAINER_OF(executor, struct waiter, executor);
	(void)pthread_mutex_lock(&waiter->lock);
	waiter->done = true;
	(void)pthread_cond_signal(&waiter->changed);
	(void)pthread_mutex_unlock(&waiter->lock);
}

void waiter_init(struct waiter *waiter)
{
	*waiter = (struct waiter){.executor = {post}};
	(void)pthread_mutex_init(&waiter->lock, NULL);
	(void)pthread_cond_init(&waiter->changed, NULL);
}

void waiter_release(struct waiter *waiter)
{
	(void)pthread_mutex_destroy(&waiter->lock);
	(void)pthread_cond_destroy(&waiter->changed);
}

struct executor *waiter_executor(struct waiter *waiter)
{
	waiter->done = false;
	return &waiter->executor;
}

void waiter_prepare(struct waiter *waiter, struct store_wait *wait)
{
	*wait = (struct store_wait){.home = waiter_executor(waiter)};
}

void waiter_wait(struct waiter *waiter)
{
	(void)pthread_mutex_lock(&waiter->lock);
	while (!waiter->done)
		(void)pthread_cond_wait(&waiter->changed, &waiter->lock);
	(void)pthread_mutex_unlock(&waiter->lock);
}
