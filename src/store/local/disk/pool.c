/* SPDX-License-Identifier: Apache-2.0 */
#include "store/local/disk/pool.h"

#include <pthread.h>
#include <stdbool.h>

struct pool {
	pthread_mutex_t lock; /* protects all below but `threads` */
	pthread_cond_t work;
	pthread_cond_t idle;
	struct job *first;
	struct job **last;
	bool stop;
	unsigned running; /* jobs that may still add others */
	unsigned count;
	pthread_t threads[];
};

static struct job *take(struct pool *pool)
{
	struct job *job = pool->first;
	if (!job)
		return NULL;
	pool->first = job->next;
	if (!pool->first)
		pool->last = &pool->first;
	pool->running++;
	return job;
}

static void *work(void *arg)
{
	struct pool *pool = arg;
	(void)pthread_mutex_lock(&pool->lock);
	for (;;) {
		struct job *job = take(pool);
		if (!job && pool->stop && pool->running == 0)
			break;
		if (!job) {
			(void)pthread_cond_wait(&pool->work, &pool->lock);
			continue;
		}
		(void)pthread_mutex_unlock(&pool->lock);
		job->run(job);
		(void)pthread_mutex_lock(&pool->lock);
		pool->running--;
		if (pool->running == 0 && !pool->first)
			(void)pthread_cond_broadcast(&pool->idle);
		if (pool->stop)
			(void)pthread_cond_broadcast(&pool->work);
	}
	(void)pthread_mutex_unlock(&pool->lock);
	return NULL;
}

enum err pool_new(const char *name, unsigned threads, struct pool **ret)
{
	struct pool *pool = calloc(1, sizeof(*pool) + threads * sizeof(pool->threads[0]));
	if (!pool)
		return ERR_UNAVAILABLE;
	(void)pthread_mutex_init(&pool->lock, NULL);
	(void)pthread_cond_init(&pool->work, NULL);
	(void)pthread_cond_init(&pool->idle, NULL);
	pool->last = &pool->first;
	for (unsigned i = 0; i < threads; i++) {
		if (pthread_create(&pool->threads[i], NULL, work, pool) != 0) {
			pool_free(pool);
			return ERR_UNAVAILABLE;
		}
		(void)pthread_setname_np(pool->threads[i], name);
		pool->count++;
	}
	*ret = pool;
	return ERR_OK;
}

void pool_add(struct pool *pool, struct job *job)
{
	job->next = NULL;
	(void)pthread_mutex_lock(&pool->lock);
	*pool->last = job;
	pool->last = &job->next;
	(void)pthread_cond_signal(&pool->work);
	(void)pthread_mutex_unlock(&pool->lock);
}

void pool_drain(struct pool *pool)
{
	(void)pthread_mutex_lock(&pool->lock);
	while (pool->first || pool->running)
		(void)pthread_cond_wait(&pool->idle, &pool->lock);
	(void)pthread_mutex_unlock(&pool->lock);
}

void pool_free(struct pool *pool)
{
	if (!pool)
		return;
	(void)pthread_mutex_lock(&pool->lock);
	pool->stop = true;
	(void)pthread_cond_broadcast(&pool->work);
	(void)pthread_mutex_unlock(&pool->lock);
	for (unsigned i = 0; i < pool->count; i++)
		(void)pthread_join(pool->threads[i], NULL);
	(void)pthread_cond_destroy(&pool->idle);
	(void)pthread_cond_destroy(&pool->work);
	(void)pthread_mutex_destroy(&pool->lock);
	free(pool);
}
