/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Threads for work that must not run where it comes up, and the queue in front of them. The work is
 * a task (task.h) that is embedded in the caller's structure: nothing is allocated, and posting
 * never fails. Tasks are begun in the order in which they were posted; with one thread they also
 * end in that order.
 */
#ifndef BASE_THREAD_QUEUE_H
#define BASE_THREAD_QUEUE_H

#include <stddef.h>
#include <stdint.h>

#include "base/compiler.h"
#include "base/err.h"
#include "base/task.h"
#include "base/thread.h"

struct thread_queue;

struct thread_queue_options {
	const char *name; /* of the threads, at most 15 bytes */
	unsigned threads; /* 0 means one */
	enum thread_duty duty;
	/*
	 * With one thread, optional: called with all that waits, as a list, instead of run() for
	 * each, so that tasks can share a transaction or a sync. A task may be freed, or posted
	 * again, once it was taken off the list.
	 */
	void (*batch)(struct task *list, void *state);
	/*
	 * With `batch`, optional: when it wants to be called though nothing waits, with NULL, as a
	 * time of clock_monotonic_ms(); INT64_MAX: it does not. Asked on its thread, under the
	 * queue's lock, before it waits.
	 */
	int64_t (*due_ms)(void *state);
	void *state;
};

/*
 * `*ret` is set before the first thread begins, so that `batch` and `due_ms` may read it.
 * ERR_UNAVAILABLE, and NULL, if there is no memory or no thread.
 */
enum err thread_queue_new(
	const struct thread_queue_options *options, struct thread_queue **ret) MUST_USE;

/* From any thread. */
void thread_queue_add(struct thread_queue *queue, struct task *task);
/*
 * The same for a task that nobody waits for, of a queue with one thread: so that it shares a batch
 * with more, it is begun only when `within_ms` are over, with the next of thread_queue_add(), or
 * when the queue ends, whichever is first.
 */
void thread_queue_add_later(struct thread_queue *queue, struct task *task, int64_t within_ms);
/* The same as an executor; valid until thread_queue_free(). */
struct executor *thread_queue_executor(struct thread_queue *queue);

/* How many tasks wait that no thread has begun. From any thread; for metrics. */
size_t thread_queue_waiting(struct thread_queue *queue);
/* Runs each task of a list, which run() may free. For `batch`. */
void thread_queue_run(struct task *list);

/* Blocks until nothing is left to run. What is posted later is still run. */
void thread_queue_drain(struct thread_queue *queue);
/*
 * Runs what was posted, and what that posts, until nothing is left; then ends the threads. Nobody
 * else may post any more. NULL is allowed.
 */
void thread_queue_free(struct thread_queue *queue);

#endif
