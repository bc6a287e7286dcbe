/* SPDX-License-Identifier: Apache-2.0 */
#include "base/thread_queue.h"

#include <pthread.h>
#include <sched.h>
#include <semaphore.h>
#include <signal.h>
#include <stdatomic.h>
#include <string.h>

#include "tap.h"

enum {
	TASKS = 200,
	POSTERS = 4
};

struct count {
	struct task task;
	size_t number;
	struct executor *again; /* it posts itself there, once */
};

static struct count counts[POSTERS * TASKS];
static atomic_size_t sum;
static size_t order[POSTERS * TASKS];
static size_t order_len; /* the queue's only thread */

static void count_one(struct task *task)
{
	struct count *count = CONTAINER_OF(task, struct count, task);
	struct executor *again = count->again;
	atomic_fetch_add(&sum, 1);
	count->again = NULL;
	if (again)
		executor_post(again, task);
}

static void note_order(struct task *task)
{
	order[order_len++] = CONTAINER_OF(task, struct count, task)->number;
}

static struct thread_queue *queue_of(struct thread_queue_options options)
{
	struct thread_queue *queue = NULL;
	options.name = "test";
	if (thread_queue_new(&options, &queue) != ERR_OK)
		abort();
	return queue;
}

static void prepare(void (*run)(struct task *task), struct executor *again)
{
	atomic_store(&sum, 0);
	order_len = 0;
	for (size_t i = 0; i < ARRAY_LEN(counts); i++)
		counts[i] = (struct count){{.run = run}, i, again};
}

static void in_order(void)
{
	struct thread_queue *queue = queue_of((struct thread_queue_options){.threads = 0});
	prepare(note_order, NULL);
	for (size_t i = 0; i < TASKS; i++)
		thread_queue_add(queue, &counts[i].task);
	thread_queue_free(queue);
	size_t right = 0;
	while (right < order_len && order[right] == right)
		right++;
	IS_INT(right, TASKS, "one thread runs tasks in the order in which they were posted");
}

static void posting_again(unsigned threads)
{
	struct thread_queue *queue = queue_of((struct thread_queue_options){.threads = threads});
	prepare(count_one, thread_queue_executor(queue));
	for (size_t i = 0; i < TASKS; i++)
		thread_queue_add(queue, &counts[i].task);
	thread_queue_free(queue);
	OK(atomic_load(&sum) == 2 * TASKS,
		"%u: what is posted, and what that posts, runs before the end", threads);
}

/* ---- Batches ----------------------------------------------------------------------------------
 */

struct batches {
	sem_t begun, go_on;
	size_t sizes[TASKS];
	size_t count;
};

static void note_batch(struct task *list, void *state)
{
	struct batches *batches = state;
	size_t size = 0;
	for (const struct task *task = list; task; task = task->next)
		size++;
	batches->sizes[batches->count++] = size;
	if (batches->count == 1) {
		(void)sem_post(&batches->begun);
		(void)sem_wait(&batches->go_on);
	}
	thread_queue_run(list);
}

static void in_batches(void)
{
	struct batches batches = {.count = 0};
	(void)sem_init(&batches.begun, 0, 0);
	(void)sem_init(&batches.go_on, 0, 0);
	struct thread_queue *queue =
		queue_of((struct thread_queue_options){.batch = note_batch, .state = &batches});
	prepare(note_order, NULL);
	thread_queue_add(queue, &counts[0].task);
	(void)sem_wait(&batches.begun);
	for (size_t i = 1; i < TASKS; i++)
		thread_queue_add(queue, &counts[i].task);
	size_t waiting = thread_queue_waiting(queue);
	(void)sem_post(&batches.go_on);
	thread_queue_drain(queue);
	OK(waiting == TASKS - 1 && thread_queue_waiting(queue) == 0, "it is known how many wait");
	thread_queue_free(queue);
	IS_INT(batches.count, 2, "what waits meanwhile is one batch");
	IS_INT(batches.sizes[0], 1, "the first was alone");
	IS_INT(batches.sizes[1], TASKS - 1, "all others are in the second");
	IS_INT(order[TASKS - 1], TASKS - 1, "in their order");
	(void)sem_destroy(&batches.begun);
	(void)sem_destroy(&batches.go_on);
}

/* A day: by itself such a task is not begun while the test runs. */
#define LONG_MS 86400000

static void later(void)
{
	struct batches batches = {.count = 0};
	(void)sem_init(&batches.begun, 0, 0);
	(void)sem_init(&batches.go_on, 0, 1);
	struct thread_queue *queue =
		queue_of((struct thread_queue_options){.batch = note_batch, .state = &batches});
	prepare(note_order, NULL);
	thread_queue_add_later(queue, &counts[0].task, LONG_MS);
	thread_queue_add_later(queue, &counts[1].task, LONG_MS);
	thread_queue_add(queue, &counts[2].task);
	thread_queue_drain(queue);
	IS_INT(batches.sizes[0], 3, "what may wait waits for what may not");
	IS_INT(order[2], 2, "and is in front of it");
	thread_queue_add_later(queue, &counts[3].task, 1);
	thread_queue_drain(queue);
	IS_INT(batches.sizes[1], 1, "it is begun when its time is over, though nothing else comes");
	thread_queue_add(queue, &counts[4].task);
	thread_queue_drain(queue);
	IS_INT(order_len, 5, "what may not wait is begun at once again");
	thread_queue_add_later(queue, &counts[5].task, LONG_MS);
	thread_queue_free(queue);
	IS_INT(order_len, 6, "at the end nothing waits");
	(void)sem_destroy(&batches.begun);
	(void)sem_destroy(&batches.go_on);
}

/* ---- Several threads --------------------------------------------------------------------------
 */

static sem_t meeting[2];

/* Ends when its counterpart has begun: two threads are needed. */
static void meet(struct task *task)
{
	size_t number = CONTAINER_OF(task, struct count, task)->number;
	(void)sem_post(&meeting[number]);
	(void)sem_wait(&meeting[1 - number]);
	atomic_fetch_add(&sum, 1);
}

static void side_by_side(void)
{
	struct thread_queue *queue = queue_of((struct thread_queue_options){.threads = 2});
	(void)sem_init(&meeting[0], 0, 0);
	(void)sem_init(&meeting[1], 0, 0);
	prepare(meet, NULL);
	thread_queue_add(queue, &counts[0].task);
	thread_queue_add(queue, &counts[1].task);
	thread_queue_drain(queue);
	IS_INT(atomic_load(&sum), 2, "two threads run two tasks at the same time");
	prepare(count_one, NULL);
	thread_queue_add(queue, &counts[0].task);
	thread_queue_drain(queue);
	IS_INT(atomic_load(&sum), 1, "after it was drained it goes on");
	thread_queue_free(queue);
}

static struct thread_queue *shared;

static void *post_some(void *arg)
{
	struct count *first = arg;
	for (size_t i = 0; i < TASKS; i++)
		thread_queue_add(shared, &first[i].task);
	return NULL;
}

static void posted_by_many(unsigned threads)
{
	pthread_t posters[POSTERS];
	shared = queue_of((struct thread_queue_options){.threads = threads});
	prepare(count_one, NULL);
	for (size_t i = 0; i < POSTERS; i++)
		if (pthread_create(&posters[i], NULL, post_some, &counts[i * TASKS]) != 0)
			abort();
	for (size_t i = 0; i < POSTERS; i++)
		(void)pthread_join(posters[i], NULL);
	thread_queue_drain(shared);
	OK(atomic_load(&sum) == POSTERS * TASKS, "%u: of what many post nothing is lost", threads);
	thread_queue_free(shared);
}

/* A queue that has work before anybody posts, and what its work finds of it. */
struct early {
	struct thread_queue *queue;
	atomic_bool called, found;
};

static int64_t at_once(void *state)
{
	struct early *early = state;
	return atomic_load(&early->called) ? INT64_MAX : 0;
}

static void look_for_queue(struct task *list, void *state)
{
	struct early *early = state;
	(void)list;
	atomic_store(&early->found, early->queue != NULL);
	atomic_store(&early->called, true);
}

static void due_before_it_is_known(void)
{
	unsigned found = 0, rounds = 50;
	for (unsigned i = 0; i < rounds; i++) {
		struct early early = {.queue = NULL};
		const struct thread_queue_options options = {.name = "test",
			.batch = look_for_queue,
			.due_ms = at_once,
			.state = &early};
		if (thread_queue_new(&options, &early.queue) != ERR_OK)
			abort();
		while (!atomic_load(&early.called))
			(void)sched_yield();
		thread_queue_free(early.queue);
		found += atomic_load(&early.found);
	}
	IS_INT(found, rounds, "work that is due at once finds its queue");
}

/* ---- The thread itself ------------------------------------------------------------------------
 */

static char name[16];
static sigset_t blocked;

static void look_around(struct task *task)
{
	(void)task;
	(void)pthread_getname_np(pthread_self(), name, sizeof(name));
	(void)pthread_sigmask(SIG_SETMASK, NULL, &blocked);
}

static void surroundings(void)
{
	struct thread_queue *queue = queue_of((struct thread_queue_options){.threads = 1});
	prepare(look_around, NULL);
	thread_queue_add(queue, &counts[0].task);
	thread_queue_free(queue);
	OK(strcmp(name, "test") == 0, "the thread has its name: %s", name);
	OK(sigismember(&blocked, SIGTERM) == 1 && sigismember(&blocked, SIGPIPE) == 1,
		"and no signals");
}

int main(void)
{
	in_order();
	posting_again(1);
	posting_again(3);
	in_batches();
	later();
	side_by_side();
	posted_by_many(1);
	posted_by_many(3);
	due_before_it_is_known();
	surroundings();
	thread_queue_free(NULL);
	return tap_done();
}
