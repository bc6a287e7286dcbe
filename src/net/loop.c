/* SPDX-License-Identifier: Apache-2.0 */
#include "net/loop.h"

#include <assert.h>
#include <errno.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/limits.h"
#include "base/log.h"
#include "base/thread.h"
#include "http/date.h"

enum {
	EVENTS = 256
};

/* Runs on any thread: the first piece of mail in an empty box wakes the loop, the rest ride along.
 */
static void post(struct executor *executor, struct task *task)
{
	struct loop *loop = CONTAINER_OF(executor, struct loop, executor);
	struct task *head = atomic_load_explicit(&loop->mail, memory_order_relaxed);
	do {
		task->next = head;
	} while (!atomic_compare_exchange_weak_explicit(
		&loop->mail, &head, task, memory_order_release, memory_order_relaxed));
	if (head)
		return;
	uint64_t one = 1;
	ssize_t written = write(loop->wakeup, &one, sizeof(one));
	(void)written; /* can only fail when the counter is full: then the loop is awake anyway */
}

/* Runs what was posted, oldest first. */
static void run_mail(struct loop *loop)
{
	uint64_t count;
	ssize_t got = read(loop->wakeup, &count, sizeof(count));
	(void)got;
	struct task *newest = atomic_exchange_explicit(&loop->mail, NULL, memory_order_acquire);
	struct task *oldest = NULL;
	while (newest) {
		struct task *next = newest->next;
		newest->next = oldest;
		oldest = newest;
		newest = next;
	}
	while (oldest) {
		struct task *task = oldest;
		oldest = task->next;
		task->run(task);
	}
}

bool loop_init(struct loop *loop)
{
	*loop = (struct loop){.executor = {post}, .epoll = -1, .wakeup = -1, .date_second = -1};
	strbuf_init(&loop->out, LIMIT_ANSWER_BYTES);
	strbuf_init(&loop->log, MIB(1));
	timers_init(&loop->timers);
	loop->now_ms = clock_monotonic_ms();
	loop->in = malloc(LOOP_IN_BYTES);
	loop->epoll = epoll_create1(EPOLL_CLOEXEC);
	loop->wakeup = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
	struct epoll_event event = {.events = EPOLLIN, .data.ptr = NULL};
	if (!loop->in || loop->epoll < 0 || loop->wakeup < 0 ||
		epoll_ctl(loop->epoll, EPOLL_CTL_ADD, loop->wakeup, &event) != 0) {
		log_error("cannot make an event loop: %s", strerror(errno));
		loop_release(loop);
		return false;
	}
	return true;
}

void loop_release(struct loop *loop)
{
	free(loop->in);
	strbuf_release(&loop->out);
	strbuf_release(&loop->log);
	if (loop->epoll >= 0)
		close(loop->epoll);
	if (loop->wakeup >= 0)
		close(loop->wakeup);
	loop->in = NULL;
	loop->epoll = -1;
	loop->wakeup = -1;
}

static void flush_log(struct loop *loop)
{
	if (loop->log.len == 0)
		return;
	log_lines(strbuf_slice(&loop->log));
	strbuf_clear(&loop->log);
}

static void *run(void *arg)
{
	struct loop *loop = arg;
	struct epoll_event events[EVENTS];
	while (!loop->stop) {
		int64_t wait = timers_next_ms(&loop->timers, clock_monotonic_ms());
		int n = epoll_wait(loop->epoll, events, EVENTS, wait > 60000 ? 60000 : (int)wait);
		loop->now_ms = clock_monotonic_ms();
		bool mail = false;
		loop->reported = events;
		for (loop->reported_count = n; loop->reported_count > 0;) {
			const struct epoll_event *event = loop->reported++;
			loop->reported_count--;
			struct loop_watch *watch = event->data.ptr;
			if (watch)
				watch->ready(watch, event->events);
			else
				mail = true;
		}
		if (mail)
			run_mail(loop);
		struct timer *timer;
		while ((timer = timers_due(&loop->timers, loop->now_ms)))
			loop->timer_due(timer);
		if (loop->turn_end)
			loop->turn_end(loop);
		flush_log(loop);
	}
	return NULL;
}

bool loop_start(struct loop *loop)
{
	return thread_start(&loop->thread, "loop", THREAD_CLIENTS, run, loop);
}

struct stop_task {
	struct task task;
	struct loop *loop;
};

static void stop(struct task *task)
{
	CONTAINER_OF(task, struct stop_task, task)->loop->stop = true;
}

void loop_join(struct loop *loop)
{
	struct stop_task last = {.task.run = stop, .loop = loop};
	executor_post(&loop->executor, &last.task);
	int failed = pthread_join(loop->thread, NULL);
	assert(!failed);
}

static bool watch_add(struct loop *loop, int fd, struct loop_watch *watch, uint32_t events)
{
	struct epoll_event event = {.events = events, .data.ptr = watch};
	return epoll_ctl(loop->epoll, EPOLL_CTL_ADD, fd, &event) == 0;
}

static void ready_no_more(struct loop_watch *watch UNUSED, uint32_t events UNUSED)
{
}

void loop_forget(struct loop *loop, const struct loop_watch *watch)
{
	static struct loop_watch forgotten = {.ready = ready_no_more};
	for (int i = 0; i < loop->reported_count; i++)
		if (loop->reported[i].data.ptr == watch)
			loop->reported[i].data.ptr = &forgotten;
}

bool loop_watch_add(struct loop *loop, int fd, struct loop_watch *watch)
{
	return watch_add(loop, fd, watch, EPOLLIN | EPOLLOUT | EPOLLRDHUP | EPOLLET);
}

bool loop_watch_listener(struct loop *loop, int fd, struct loop_watch *watch)
{
	return watch_add(loop, fd, watch, EPOLLIN);
}

struct slice loop_date(struct loop *loop)
{
	int64_t second = clock_wall_ms(&clock_system) / 1000;
	if (second != loop->date_second) {
		date_format(second, loop->date);
		loop->date_second = second;
	}
	return slice_of(loop->date, DATE_SIZE - 1);
}
