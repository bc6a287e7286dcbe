/* SPDX-License-Identifier: Apache-2.0 */
#include "net/worker.h"

#include <pthread.h>
#include <signal.h>
#include <stdbool.h>
#include <stdlib.h>

struct worker {
	struct executor executor;
	struct worker_options options;
	pthread_t thread;
	pthread_mutex_t lock; /* protects what follows; held for a few instructions */
	pthread_cond_t posted;
	struct task *first, **last;
	bool ending;
};

static void worker_post(struct executor *executor, struct task *task)
{
	struct worker *worker = CONTAINER_OF(executor, struct worker, executor);
	task->next = NULL;
	(void)pthread_mutex_lock(&worker->lock);
	bool wake = worker->first == NULL;
	*worker->last = task;
	worker->last = &task->next;
	if (wake)
		(void)pthread_cond_signal(&worker->posted);
	(void)pthread_mutex_unlock(&worker->lock);
}

/* Everything that was posted; waits for something. NULL: the worker ends. */
static struct task *take_batch(struct worker *worker)
{
	(void)pthread_mutex_lock(&worker->lock);
	while (!worker->first && !worker->ending)
		(void)pthread_cond_wait(&worker->posted, &worker->lock);
	struct task *batch = worker->first;
	worker->first = NULL;
	worker->last = &worker->first;
	(void)pthread_mutex_unlock(&worker->lock);
	return batch;
}

static void *worker_main(void *argument)
{
	struct worker *worker = argument;
	struct task *batch;
	while ((batch = take_batch(worker))) {
		while (batch) {
			struct task *task = batch;
			batch = task->next; /* run() may free the task */
			task->run(task);
		}
		if (worker->options.after_batch)
			worker->options.after_batch(worker->options.state);
	}
	return NULL;
}

/* Signals are the main thread's affair. */
static int start_thread(struct worker *worker)
{
	sigset_t all, before;
	(void)sigfillset(&all);
	(void)pthread_sigmask(SIG_SETMASK, &all, &before);
	int fault = pthread_create(&worker->thread, NULL, worker_main, worker);
	(void)pthread_sigmask(SIG_SETMASK, &before, NULL);
	if (fault == 0)
		(void)pthread_setname_np(worker->thread, worker->options.name);
	return fault;
}

enum err worker_new(const struct worker_options *options, struct worker **ret)
{
	struct worker *worker = calloc(1, sizeof(*worker));
	if (!worker)
		return ERR_UNAVAILABLE;
	worker->executor.post = worker_post;
	worker->options = *options;
	worker->last = &worker->first;
	(void)pthread_mutex_init(&worker->lock, NULL);
	(void)pthread_cond_init(&worker->posted, NULL);
	if (start_thread(worker) != 0) {
		free(worker);
		return ERR_UNAVAILABLE;
	}
	*ret = worker;
	return ERR_OK;
}

struct executor *worker_executor(struct worker *worker)
{
	return &worker->executor;
}

void worker_free(struct worker *worker)
{
	if (!worker)
		return;
	(void)pthread_mutex_lock(&worker->lock);
	worker->ending = true;
	(void)pthread_cond_signal(&worker->posted);
	(void)pthread_mutex_unlock(&worker->lock);
	(void)pthread_join(worker->thread, NULL);
	(void)pthread_cond_destroy(&worker->posted);
	(void)pthread_mutex_destroy(&worker->lock);
	free(worker);
}
