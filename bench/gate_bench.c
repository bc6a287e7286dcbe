/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What it costs to pass the gate of the index (store/local/index/gate.h), which every question to
 * the index does, beside a lock for readers and writers: one pass in and out, on one thread and on
 * several at once.
 *
 *	make build/release/bench/gate_bench && build/release/bench/gate_bench
 */
#include <pthread.h>
#include <stdint.h>
#include <stdio.h>
#include <time.h>

#include "store/local/index/gate.h"

enum {
	PASSES = 5000000,
	THREADS_MAX = 4,
};

static struct gate gate;
static pthread_rwlock_t lock = PTHREAD_RWLOCK_INITIALIZER;

static void *pass_gate(void *failed)
{
	for (int i = 0; i < PASSES; i++) {
		if (!gate_enter(&gate)) {
			*(int *)failed = 1;
			return NULL;
		}
		gate_leave(&gate);
	}
	return NULL;
}

static void *pass_lock(void *failed)
{
	for (int i = 0; i < PASSES; i++) {
		if (pthread_rwlock_rdlock(&lock) != 0) {
			*(int *)failed = 1;
			return NULL;
		}
		(void)pthread_rwlock_unlock(&lock);
	}
	return NULL;
}

static double now(void)
{
	struct timespec t;
	(void)clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static int measure(const char *name, void *(*pass)(void *failed), int threads)
{
	pthread_t all[THREADS_MAX];
	int failed[THREADS_MAX] = {0};
	int any = 0;
	double began = now();
	for (int i = 0; i < threads; i++)
		if (pthread_create(&all[i], NULL, pass, &failed[i]) != 0)
			return 1;
	for (int i = 0; i < threads; i++) {
		(void)pthread_join(all[i], NULL);
		any |= failed[i];
	}
	printf("%-14s %d threads %7.1f ns\n", name, threads, (now() - began) * 1e9 / PASSES);
	return any;
}

int main(void)
{
	int failed = 0;
	gate_init(&gate);
	for (int threads = 1; threads <= THREADS_MAX; threads *= 2) {
		failed |= measure("gate", pass_gate, threads);
		failed |= measure("pthread_rwlock", pass_lock, threads);
	}
	gate_destroy(&gate);
	return failed;
}
