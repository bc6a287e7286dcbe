/* SPDX-License-Identifier: Apache-2.0 */
/*
 * An executor for tests: the test's own thread runs the tasks posted to it, when it waits for
 * something to become true.
 */
#ifndef TESTS_WAITING_H
#define TESTS_WAITING_H

#include <pthread.h>
#include <stdbool.h>

#include "base/compiler.h"
#include "base/task.h"

struct waiting {
	struct executor executor;
	pthread_mutex_t lock;
	pthread_cond_t posted;
	struct task *first, **last;
};

static inline void waiting_post(struct executor *executor, struct task *task)
{
	struct waiting *w = CONTAINER_OF(executor, struct waiting, executor);
	pthread_mutex_lock(&w->lock);
	task->next = NULL;
	*w->last = task;
	w->last = &task->next;
	pthread_cond_signal(&w->posted);
	pthread_mutex_unlock(&w->lock);
}

static inline void waiting_init(struct waiting *w)
{
	w->executor.post = waiting_post;
	pthread_mutex_init(&w->lock, NULL);
	pthread_cond_init(&w->posted, NULL);
	w->first = NULL;
	w->last = &w->first;
}

/* Runs tasks until *flag is set (by one of them). */
static inline void waiting_until(struct waiting *w, const bool *flag)
{
	while (!*flag) {
		pthread_mutex_lock(&w->lock);
		while (!w->first)
			pthread_cond_wait(&w->posted, &w->lock);
		struct task *task = w->first;
		w->first = task->next;
		if (!w->first)
			w->last = &w->first;
		pthread_mutex_unlock(&w->lock);
		task->run(task);
	}
}

#endif
