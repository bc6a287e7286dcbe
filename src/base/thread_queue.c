/* SPDX-License-Identifier: Apache-2.0 */
#include "base/thread_queue.h"

#include <pthread.h>
#include <stdbool.h>
#include <stdlib.h>

#include "base/clock.h"
#include "base/condition.h"
#include "base/thread.h"

struct thread_queue {
	struct executor executor;
	struct thread_queue_options options;
	pthread_mutex_t lock; /* protects what follows up to `running`; a leaf */
	pthread_cond_t posted;
	pthread_cond_t idle;
	struct task *first, **last;
	size_t waiting;   /* from `first` on */
	int64_t begin_ms; /* monotonic: so long may wait what waits; 0: not at all */
	bool ending;
	unsigned running; /* threads that may still post */
	unsigned count;
	pthread_t threads[];
};

/* Under the lock. */
static void append(struct thread_queue *queue, struct task *task)
{
	task->next = NULL;
	*queue->last = task;
	queue->last = &task->next;
	queue->waiting++;
}

void thread_queue_add(struct thread_queue *queue, struct task *task)
{
	(void)pthread_mutex_lock(&queue->lock);
	/* One thread takes all that waits: it has been woken if something does. */
	bool wake = !queue->first || queue->begin_ms || queue->options.threads > 1;
	queue->begin_ms = 0;
	append(queue, task);
	if (wake)
		(void)pthread_cond_signal(&queue->posted);
	(void)pthread_mutex_unlock(&queue->lock);
}

void thread_queue_add_later(struct thread_queue *queue, struct task *task, int64_t within_ms)
{
	(void)pthread_mutex_lock(&queue->lock);
	if (!queue->first) {
		queue->begin_ms = clock_monotonic_ms() + within_ms;
		(void)pthread_cond_signal(&queue->posted);
	}
	append(queue, task);
	(void)pthread_mutex_unlock(&queue->lock);
}

static void post(struct executor *executor, struct task *task)
{
	thread_queue_add(CONTAINER_OF(executor, struct thread_queue, executor), task);
}

/* What a thread works on next, off the queue: all, or the first. Under the lock. */
static struct task *take(struct thread_queue *queue)
{
	struct task *list = queue->first;
	bool all = queue->options.threads == 1;
	queue->first = all ? NULL : list->next;
	queue->waiting = all ? 0 : queue->waiting - 1;
	if (!queue->first)
		queue->last = &queue->first;
	if (!all)
		list->next = NULL;
	return list;
}

/* Whether there is a task to be begun now. Under the lock. */
static bool has_task(const struct thread_queue *queue)
{
	return queue->first &&
	       (queue->begin_ms == 0 || queue->ending || clock_monotonic_ms() >= queue->begin_ms);
}

/* False if the time has come to go on without one. Under the lock. */
static bool wait_for_task(struct thread_queue *queue)
{
	const struct thread_queue_options *o = &queue->options;
	int64_t due_ms = o->due_ms ? o->due_ms(o->state) : INT64_MAX;
	if (queue->first && queue->begin_ms < due_ms)
		due_ms = queue->begin_ms;
	if (due_ms == INT64_MAX) {
		(void)pthread_cond_wait(&queue->posted, &queue->lock);
		return true;
	}
	return condition_wait_until(&queue->posted, &queue->lock, due_ms);
}

static void *work(void *arg)
{
	struct thread_queue *queue = arg;
	(void)pthread_mutex_lock(&queue->lock);
	while (queue->first || queue->running || !queue->ending) {
		if (!has_task(queue) && wait_for_task(queue))
			continue;
		struct task *list = queue->first ? take(queue) : NULL;
		queue->running++;
		(void)pthread_mutex_unlock(&queue->lock);
		if (queue->options.batch)
			queue->options.batch(list, queue->options.state);
		else
			thread_queue_run(list);
		(void)pthread_mutex_lock(&queue->lock);
		queue->running--;
		if (queue->running == 0 && !queue->first)
			(void)pthread_cond_broadcast(&queue->idle);
		/* Those that waited for the last one that may post. */
		if (queue->ending)
			(void)pthread_cond_broadcast(&queue->posted);
	}
	(void)pthread_mutex_unlock(&queue->lock);
	return NULL;
}

enum err thread_queue_new(const struct thread_queue_options *options, struct thread_queue **ret)
{
	unsigned threads = options->threads ? options->threads : 1;
	struct thread_queue *queue = calloc(1, sizeof(*queue) + threads * sizeof(pthread_t));
	if (!queue)
		return ERR_UNAVAILABLE;
	queue->executor.post = post;
	queue->options = *options;
	queue->options.threads = threads;
	queue->last = &queue->first;
	(void)pthread_mutex_init(&queue->lock, NULL);
	condition_init(&queue->posted);
	(void)pthread_cond_init(&queue->idle, NULL);
	/* Before the threads: one that has work by its `due_ms` may look for its queue there. */
	*ret = queue;
	while (queue->count < threads && thread_start(&queue->threads[queue->count], options->name,
						 options->duty, work, queue))
		queue->count++;
	if (queue->count < threads) {
		thread_queue_free(queue);
		*ret = NULL;
		return ERR_UNAVAILABLE;
	}
	return ERR_OK;
}

struct executor *thread_queue_executor(struct thread_queue *queue)
{
	return &queue->executor;
}

size_t thread_queue_waiting(struct thread_queue *queue)
{
	(void)pthread_mutex_lock(&queue->lock);
	size_t waiting = queue->waiting;
	(void)pthread_mutex_unlock(&queue->lock);
	return waiting;
}

void thread_queue_run(struct task *list)
{
	while (list) {
		struct task *task = list;
		list = task->next;
		task->run(task);
	}
}

void thread_queue_drain(struct thread_queue *queue)
{
	(void)pthread_mutex_lock(&queue->lock);
	while (queue->first || queue->running)
		(void)pthread_cond_wait(&queue->idle, &queue->lock);
	(void)pthread_mutex_unlock(&queue->lock);
}

void thread_queue_free(struct thread_queue *queue)
{
	if (!queue)
		return;
	(void)pthread_mutex_lock(&queue->lock);
	queue->ending = true;
	(void)pthread_cond_broadcast(&queue->posted);
	(void)pthread_mutex_unlock(&queue->lock);
	for (unsigned i = 0; i < queue->count; i++)
		(void)pthread_join(queue->threads[i], NULL);
	(void)pthread_cond_destroy(&queue->idle);
	(void)pthread_cond_destroy(&queue->posted);
	(void)pthread_mutex_destroy(&queue->lock);
	free(queue);
}
