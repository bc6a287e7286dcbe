/* SPDX-License-Identifier: Apache-2.0 */
#include "net/outgoing_wait.h"

#include <pthread.h>

#include "base/compiler.h"

struct waiting {
	struct executor executor;
	pthread_mutex_t lock; /* of `done` */
	pthread_cond_t changed;
	bool done;
};

static void post(struct executor *executor, struct task *task UNUSED)
{
	struct waiting *w = CONTAINER_OF(executor, struct waiting, executor);
	(void)pthread_mutex_lock(&w->lock);
	w->done = true;
	(void)pthread_cond_signal(&w->changed);
	(void)pthread_mutex_unlock(&w->lock);
}

/* It is not run: being posted says it all. */
static void ignore(struct task *task UNUSED)
{
}

void outgoing_wait(struct outgoing *outgoing, struct outgoing_request *request)
{
	struct waiting w = {.executor = {post}};
	(void)pthread_mutex_init(&w.lock, NULL);
	(void)pthread_cond_init(&w.changed, NULL);
	request->home = &w.executor;
	request->done.run = ignore;
	outgoing_send(outgoing, request);
	(void)pthread_mutex_lock(&w.lock);
	while (!w.done)
		(void)pthread_cond_wait(&w.changed, &w.lock);
	(void)pthread_mutex_unlock(&w.lock);
	(void)pthread_cond_destroy(&w.changed);
	(void)pthread_mutex_destroy(&w.lock);
}
