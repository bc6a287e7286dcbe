/* SPDX-License-Identifier: Apache-2.0 */
/*
 * An event loop: one thread, one epoll, the connections that it owns for their whole life, and a
 * mailbox through which other threads post tasks to it. Nothing that runs on a loop may block.
 *
 * The buffers belong to the loop and not to the connections, so an idle connection takes a few
 * hundred bytes.
 */
#ifndef NET_LOOP_H
#define NET_LOOP_H

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/limits.h"
#include "base/strbuf.h"
#include "base/task.h"
#include "net/timers.h"

struct epoll_event;

/* What epoll reports to; embedded by connections and listeners. */
struct loop_watch {
	void (*ready)(struct loop_watch *watch, uint32_t events);
};

struct loop {
	struct executor executor; /* first: an executor is cast back to its loop */
	int epoll;
	int wakeup;                  /* eventfd: there is mail */
	_Atomic(struct task *) mail; /* newest first */
	struct timers timers;
	int64_t now_ms; /* monotonic, once an iteration */
	bool stop;      /* leave after this iteration */
	pthread_t thread;
	/* What epoll has reported and is not yet told. */
	struct epoll_event *reported;
	int reported_count;
	void (*timer_due)(struct timer *timer);
	void (*turn_end)(struct loop *loop); /* before it waits again */

	/* For the code that runs on the loop, until it returns. */
	char *in; /* LOOP_IN_BYTES */
	struct strbuf out;
	struct strbuf log; /* lines written once an iteration */
	char date[32];     /* the Date header's value */
	int64_t date_second;
};

#define LOOP_IN_BYTES KIB(512)

/* False, logged, if the kernel has no epoll descriptor or memory. */
bool loop_init(struct loop *loop) MUST_USE;
/* After the loop's thread has ended, or instead of starting it. */
void loop_release(struct loop *loop);

bool loop_start(struct loop *loop) MUST_USE;
/* From any thread: the loop ends after running the tasks posted before; then joins its thread. */
void loop_join(struct loop *loop);

/* Edge-triggered, for reading and writing; false if the kernel refuses. */
bool loop_watch_add(struct loop *loop, int fd, struct loop_watch *watch) MUST_USE;
/*
 * Before the watch's memory goes, on the loop's own thread; its descriptor is closed besides. Epoll
 * may have reported it together with what is being handled: it is told of that no more.
 */
void loop_forget(struct loop *loop, const struct loop_watch *watch);
/* Level-triggered, for reading. */
bool loop_watch_listener(struct loop *loop, int fd, struct loop_watch *watch) MUST_USE;

/* The value of the Date header now; 29 bytes. */
struct slice loop_date(struct loop *loop);

#endif
