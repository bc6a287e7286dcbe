/* SPDX-License-Identifier: Apache-2.0 */
#include "store/rados/cluster/observer.h"

#include <errno.h>
#include <stdatomic.h>
#include <stdlib.h>

#include "base/clock.h"
#include "base/limits.h"
#include "base/thread_queue.h"

enum {
	RETRY_MS = 1000 /* after which what could not be watched or read is tried again */
};

/* What was heard on a thread of librados. */
struct heard {
	struct task task;
	struct observer *observer;
	uint64_t notification;
};

struct observer {
	struct observer_options options;
	struct thread_queue *queue;
	struct watch watch;
	atomic_bool is_lost; /* the watch is to be begun anew */
	atomic_bool looks;   /* `look` is queued */
	struct task begin;
	struct task look;
	struct task end;
	/* The thread's. */
	int64_t due_ms; /* when to go on without being told */
	bool has_begun;
	bool is_behind;     /* it is to be read */
	struct task *heard; /* of this batch: to be acknowledged */
	enum err begun;     /* what came of the beginning */
};

static struct observer *observer_of(struct watch *watch)
{
	return CONTAINER_OF(watch, struct observer, watch);
}

/* ---- On the threads of librados -------------------------------------------------------------- */

static void on_look(struct task *task)
{
	struct observer *o = CONTAINER_OF(task, struct observer, look);
	atomic_store(&o->looks, false);
	o->is_behind = true;
}

void observer_look(struct observer *o)
{
	if (!atomic_exchange(&o->looks, true))
		thread_queue_add(o->queue, &o->look);
}

static void on_heard(struct task *task)
{
	struct heard *heard = CONTAINER_OF(task, struct heard, task);
	struct observer *o = heard->observer;
	heard->task.next = o->heard;
	o->heard = &heard->task;
	o->is_behind = true;
}

static void notified(struct watch *watch, uint64_t notification)
{
	struct observer *o = observer_of(watch);
	struct heard *heard = malloc(sizeof(*heard));
	if (!heard)
		return; /* whoever notified waits in vain, and says so */
	*heard = (struct heard){.task.run = on_heard, .observer = o, .notification = notification};
	thread_queue_add(o->queue, &heard->task);
}

static void lost(struct watch *watch)
{
	struct observer *o = observer_of(watch);
	atomic_store(&o->is_lost, true);
	observer_look(o);
}

/* ---- On its thread --------------------------------------------------------------------------- */

static enum err watch(struct observer *o)
{
	return cluster_err(watch_begin(&o->watch, o->options.pool, o->options.object), "watching",
		o->options.object);
}

/* What has changed while nobody watched is read, too. */
static bool watch_again(struct observer *o)
{
	watch_end(&o->watch);
	atomic_store(&o->is_lost, false);
	o->is_behind = true;
	bool watches = watch(o) == ERR_OK;
	if (!watches)
		atomic_store(&o->is_lost, true);
	return watches;
}

static void acknowledge(struct observer *o, bool was_read)
{
	while (o->heard) {
		struct heard *heard = CONTAINER_OF(o->heard, struct heard, task);
		o->heard = heard->task.next;
		if (was_read)
			watch_acknowledge(&o->watch, heard->notification);
		free(heard);
	}
}

/* After what has come, or at its time (NULL). */
static void on_batch(struct task *list, void *state)
{
	struct observer *o = state;
	o->is_behind = o->is_behind || !list;
	thread_queue_run(list);
	if (!o->has_begun) {
		acknowledge(o, false);
		return;
	}
	bool watches = !atomic_load(&o->is_lost) || watch_again(o);
	if (o->is_behind)
		o->is_behind = o->options.read(o->options.ctx) != ERR_OK;
	acknowledge(o, !o->is_behind);
	unsigned pause_ms = watches && !o->is_behind ? o->options.every_ms : RETRY_MS;
	o->due_ms = pause_ms ? clock_monotonic_ms() + pause_ms : INT64_MAX;
}

static int64_t due_ms(void *state)
{
	const struct observer *o = state;
	return o->due_ms;
}

static void on_begin(struct task *task)
{
	struct observer *o = CONTAINER_OF(task, struct observer, begin);
	o->begun = watch(o);
	if (o->begun == ERR_OK)
		o->begun = o->options.read(o->options.ctx);
	if (o->begun == ERR_OK)
		o->has_begun = true;
	else
		watch_end(&o->watch);
}

static void on_end(struct task *task)
{
	struct observer *o = CONTAINER_OF(task, struct observer, end);
	if (o->has_begun)
		watch_end(&o->watch);
	o->has_begun = false;
	o->due_ms = INT64_MAX;
}

/* ---- From any thread ------------------------------------------------------------------------- */

enum err observer_new(const struct observer_options *options, struct observer **ret)
{
	struct observer *o = calloc(1, sizeof(*o));
	if (!o)
		return ERR_UNAVAILABLE;
	const struct thread_queue_options queue = {
		.name = options->thread, .batch = on_batch, .due_ms = due_ms, .state = o};
	o->options = *options;
	o->watch.notified = notified;
	o->watch.lost = lost;
	o->begin.run = on_begin;
	o->look.run = on_look;
	o->end.run = on_end;
	o->due_ms = INT64_MAX;
	enum err e = thread_queue_new(&queue, &o->queue);
	if (e == ERR_OK) {
		thread_queue_add(o->queue, &o->begin);
		thread_queue_drain(o->queue);
		e = o->begun;
	}
	if (e != ERR_OK) {
		observer_free(o);
		return e;
	}
	*ret = o;
	return ERR_OK;
}

void observer_free(struct observer *o)
{
	if (!o)
		return;
	if (o->queue) {
		/* Once the watch has ended librados posts nothing any more. */
		thread_queue_add(o->queue, &o->end);
		thread_queue_drain(o->queue);
	}
	thread_queue_free(o->queue);
	free(o);
}

enum err pool_tell(struct pool *pool, const char *object)
{
	int result = pool_notify(pool, object, LIMIT_RADOS_NOTIFY_MS);
	/* One that has died is off the list after a while. */
	if (result == -ETIMEDOUT)
		result = pool_notify(pool, object, LIMIT_RADOS_NOTIFY_MS);
	return cluster_err(result, "telling all gateways of", object);
}
