/* SPDX-License-Identifier: Apache-2.0 */
#include "lifecycle/batch.h"

#include "base/compiler.h"

static void post(struct executor *executor, struct task *task UNUSED)
{
	struct batch *batch = CONTAINER_OF(executor, struct batch, executor);
	(void)pthread_mutex_lock(&batch->lock);
	if (--batch->pending == 0)
		(void)pthread_cond_signal(&batch->done);
	(void)pthread_mutex_unlock(&batch->lock);
}

void batch_init(struct batch *batch)
{
	*batch = (struct batch){.executor = {post}};
	(void)pthread_mutex_init(&batch->lock, NULL);
	(void)pthread_cond_init(&batch->done, NULL);
}

void batch_release(struct batch *batch)
{
	(void)pthread_mutex_destroy(&batch->lock);
	(void)pthread_cond_destroy(&batch->done);
}

void batch_add(struct batch *batch, struct store_wait *wait)
{
	*wait = (struct store_wait){.home = &batch->executor};
	(void)pthread_mutex_lock(&batch->lock);
	batch->pending++;
	(void)pthread_mutex_unlock(&batch->lock);
}

void batch_wait(struct batch *batch)
{
	(void)pthread_mutex_lock(&batch->lock);
	while (batch->pending)
		(void)pthread_cond_wait(&batch->done, &batch->lock);
	(void)pthread_mutex_unlock(&batch->lock);
}
