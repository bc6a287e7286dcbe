/* SPDX-License-Identifier: Apache-2.0 */
#include "app/events/events.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>

#include "app/events/cloud_event.h"
#include "app/events/event_label.h"
#include "app/events/event_pause.h"
#include "app/events/target.h"
#include "base/condition.h"
#include "base/limits.h"
#include "base/log.h"
#include "base/thread.h"
#include "crypto/random.h"
#include "http/trace.h"

/* Between two looks at the outbox when nothing is due: others write into the file, too. */
#define POLL_MS 1000
/* Of the numbers for the metrics. */
#define DEPTH_MS 10000
#define DEPTH_ROWS 10000 /* with fewer than these they cost nothing */

struct delivery {
	struct events *events;
	bool busy;
	bool ended; /* but the page that is on its way may have it, as it was before */
	int64_t id, tries, since_ms;
	char label[EVENT_LABEL_SIZE];
	char trace[TRACE_LINE_SIZE]; /* empty: there is none */
	struct strbuf key, body;
	struct webhook_headers headers;
	struct target_delivery at_target;
};

struct events {
	struct events_parts parts;
	struct target *target; /* NULL: there is none */
	pthread_t thread;
	bool started;

	/* What others ask of the thread. */
	struct executor here;
	pthread_mutex_t lock; /* a leaf */
	pthread_cond_t changed;
	struct task *first, **last;
	bool woken, stopped;

	/* ---- The thread's own. ---- */
	struct delivery deliveries[LIMIT_EVENTS_IN_FLIGHT];
	size_t in_flight;
	struct ledger_events page;
	bool listing, ending;
	bool failing;              /* the latest delivery did */
	int64_t look_ms, depth_ms; /* monotonic: when next */

	atomic_uint_fast64_t delivered, failed, dead;
	_Atomic int64_t waiting, dead_letters, oldest_ms;
	atomic_bool counted; /* these, once at least */
};

static int64_t wall_ms(const struct events *e)
{
	return clock_wall_ms(e->parts.clock);
}

/* ---- One delivery -----------------------------------------------------------------------------
 */

/* Whether this was the last try. */
static bool is_over(const struct events *e, const struct delivery *d, int64_t now_ms)
{
	const struct settings *s = e->parts.settings;
	return d->tries + 1 >= s->events_tries ||
	       now_ms - d->since_ms >= s->events_max_age_hours * 3600000;
}

static uint32_t chance(void)
{
	uint32_t ret;
	random_bytes(&ret, sizeof(ret));
	return ret;
}

/* Of many that fail the first is told of, and those that are given up. */
static void log_failure(const struct delivery *d, const char *fault, bool over, bool first)
{
	if (over)
		log_error("%s %s; it is given up", d->label, fault);
	else if (first)
		log_error("%s %s; it is sent again later, as all others are", d->label, fault);
	else
		log_debug("%s %s; it is sent again later", d->label, fault);
}

static void note_failure(struct events *e, struct delivery *d, struct ledger_event_end *end)
{
	/* What was not tried says nothing about the back end. */
	end->tried = d->at_target.result != TARGET_BUSY;
	bool over = end->tried && is_over(e, d, end->now_ms);
	end->how = over ? LEDGER_EVENT_DEAD : LEDGER_EVENT_LATER;
	end->due_ms = end->now_ms + event_pause_ms(d->tries + end->tried, chance());
	end->fault = d->at_target.fault;
	atomic_fetch_add(&e->failed, 1);
	if (over)
		atomic_fetch_add(&e->dead, 1);
	log_failure(d, end->fault, over, !e->failing);
	e->failing = true;
	ledger_end_event(e->parts.ledger, end);
}

static void release(struct delivery *d)
{
	webhook_headers_release(&d->headers);
	strbuf_release(&d->key);
	strbuf_release(&d->body);
	d->busy = d->ended = false;
	d->events->in_flight--;
}

static void on_end(struct task *task)
{
	struct target_delivery *at_target = CONTAINER_OF(task, struct target_delivery, done);
	struct delivery *d = CONTAINER_OF(at_target, struct delivery, at_target);
	struct events *e = d->events;
	struct ledger_event_end end = {.id = d->id, .now_ms = wall_ms(e), .tried = true};
	if (at_target->result == TARGET_TAKEN) {
		atomic_fetch_add(&e->delivered, 1);
		if (e->failing)
			log_info("events are delivered again");
		e->failing = false;
		log_info("%s delivered", d->label);
		end.how = LEDGER_EVENT_DELIVERED;
		ledger_end_event(e->parts.ledger, &end);
	} else if (at_target->result != TARGET_STOPPED) {
		note_failure(e, d, &end);
	}
	e->look_ms = 0;
	if (e->listing)
		d->ended = true;
	else
		release(d);
}

static void set_trace(struct delivery *d, struct slice parent)
{
	d->trace[0] = '\0';
	if (parent.len > 0)
		(void)snprintf(
			d->trace, sizeof(d->trace), TRACE_PARENT_START "%.*s", SLICE_FMT(parent));
}

static bool fill(struct events *e, struct delivery *d, const struct ledger_event *event)
{
	SCOPED_RULES struct rules *rules = rules_history_now(e->parts.rules);
	strbuf_init(&d->key, event->key.len + 1);
	strbuf_init(&d->body, cloud_event_bytes(event));
	webhook_headers_init(&d->headers);
	set_trace(d, cloud_event_trace(event));
	strbuf_add_slice(&d->key, event->key);
	cloud_event_add(&d->body, event);
	return !strbuf_broken(&d->key) && !strbuf_broken(&d->body) &&
	       webhook_headers_fill(&d->headers, &rules->webhook_keys, event->name,
		       wall_ms(e) / 1000, strbuf_slice(&d->body));
}

/* Without memory it stays as it is, and is found again. */
static void deliver(struct events *e, struct delivery *d, const struct ledger_event *event)
{
	d->events = e;
	d->busy = true;
	d->id = event->id;
	d->tries = event->tries;
	d->since_ms = event->since_ms;
	(void)event_label(event, d->label);
	e->in_flight++;
	if (!fill(e, d, event)) {
		log_error("%s no memory: it is sent later", d->label);
		release(d);
		return;
	}
	if (d->tries == 0 && d->since_ms != event->created_ms)
		log_info("%s replayed", d->label);
	d->at_target = (struct target_delivery){.key = strbuf_slice(&d->key),
		.body = strbuf_slice(&d->body),
		.headers = &d->headers,
		.trace = d->trace,
		.home = &e->here,
		.done.run = on_end};
	e->target->kind->send(e->target, &d->at_target);
}

/* ---- What is due ------------------------------------------------------------------------------
 */

/* NULL: all places are taken. */
static struct delivery *free_place(struct events *e)
{
	for (size_t i = 0; i < ARRAY_LEN(e->deliveries); i++)
		if (!e->deliveries[i].busy)
			return &e->deliveries[i];
	return NULL;
}

static bool is_under_way(const struct events *e, int64_t id)
{
	for (size_t i = 0; i < ARRAY_LEN(e->deliveries); i++)
		if (e->deliveries[i].busy && e->deliveries[i].id == id)
			return true;
	return false;
}

static void deliver_page(struct events *e)
{
	for (size_t i = 0; i < e->page.count; i++) {
		struct delivery *place = free_place(e);
		if (!place)
			return;
		if (!is_under_way(e, e->page.rows[i].id))
			deliver(e, place, &e->page.rows[i]);
	}
}

static void note_depth(struct events *e)
{
	atomic_store(&e->waiting, e->page.waiting);
	atomic_store(&e->dead_letters, e->page.dead);
	atomic_store(&e->oldest_ms, e->page.waiting > 0 ? e->page.oldest_ms : 0);
	atomic_store(&e->counted, true);
	e->depth_ms = clock_monotonic_ms() + (e->page.waiting > DEPTH_ROWS ? DEPTH_MS : POLL_MS);
}

static void plan(struct events *e)
{
	int64_t pause = POLL_MS;
	if (!e->page.failed && e->page.next_due_ms != INT64_MAX) {
		int64_t left = e->page.next_due_ms - wall_ms(e);
		if (left < pause)
			pause = left > 0 ? left : 1;
	}
	e->look_ms = clock_monotonic_ms() + pause;
}

/* Of these the next page is as they ended. */
static void release_ended(struct events *e)
{
	for (size_t i = 0; i < ARRAY_LEN(e->deliveries); i++) {
		if (!e->deliveries[i].ended)
			continue;
		release(&e->deliveries[i]);
		e->look_ms = 0;
	}
}

static void on_page(struct task *task)
{
	struct ledger_events *page = CONTAINER_OF(task, struct ledger_events, done);
	struct events *e = CONTAINER_OF(page, struct events, page);
	e->listing = false;
	plan(e);
	if (!page->failed && page->want_depth)
		note_depth(e);
	if (!page->failed && !e->ending)
		deliver_page(e);
	release_ended(e);
	ledger_list_events_release(page);
}

static void list(struct events *e)
{
	e->page = (struct ledger_events){.now_ms = wall_ms(e),
		.want_due = e->target && free_place(e),
		.want_depth = clock_monotonic_ms() >= e->depth_ms,
		.home = &e->here,
		.done.run = on_page};
	e->listing = true;
	ledger_list_events(e->parts.ledger, &e->page);
}

/* ---- The thread -------------------------------------------------------------------------------
 */

static void post(struct executor *executor, struct task *task)
{
	struct events *e = CONTAINER_OF(executor, struct events, here);
	(void)pthread_mutex_lock(&e->lock);
	task->next = NULL;
	*e->last = task;
	e->last = &task->next;
	(void)pthread_cond_signal(&e->changed);
	(void)pthread_mutex_unlock(&e->lock);
}

static void wake(void *ctx)
{
	struct events *e = ctx;
	(void)pthread_mutex_lock(&e->lock);
	e->woken = true;
	(void)pthread_cond_signal(&e->changed);
	(void)pthread_mutex_unlock(&e->lock);
}

/* What was posted; waits for it, or for the time to look. */
static struct task *wait(struct events *e)
{
	(void)pthread_mutex_lock(&e->lock);
	while (!e->first && !e->woken && (!e->stopped || e->listing || e->in_flight > 0)) {
		if (e->stopped || e->listing) {
			(void)pthread_cond_wait(&e->changed, &e->lock);
		} else {
			if (clock_monotonic_ms() >= e->look_ms)
				break;
			(void)condition_wait_until(&e->changed, &e->lock, e->look_ms);
		}
	}
	if (e->woken)
		e->look_ms = 0;
	e->woken = false;
	struct task *tasks = e->first;
	e->first = NULL;
	e->last = &e->first;
	e->ending = e->stopped;
	(void)pthread_mutex_unlock(&e->lock);
	return tasks;
}

static void *run(void *state)
{
	struct events *e = state;
	while (!e->ending || e->listing || e->in_flight > 0) {
		struct task *task = wait(e);
		while (task) {
			struct task *next = task->next;
			task->run(task);
			task = next;
		}
		if (!e->ending && !e->listing && clock_monotonic_ms() >= e->look_ms)
			list(e);
	}
	return NULL;
}

/* ---- Life -------------------------------------------------------------------------------------
 */

static void init_waiting(struct events *e)
{
	e->here.post = post;
	e->last = &e->first;
	(void)pthread_mutex_init(&e->lock, NULL);
	condition_init(&e->changed);
}

/* Before events are written: those that wait would be late if there is no library for them. */
static enum err make_target(struct events *e, char *why, size_t why_size)
{
	const struct events_parts *parts = &e->parts;
	if (parts->settings->events_url.len == 0)
		return ERR_OK;
	return target_new(parts->settings, parts->outgoing, &e->target, why, why_size);
}

enum err events_new(
	const struct events_parts *parts, struct events **ret, char *why, size_t why_size)
{
	struct events *e = calloc(1, sizeof(*e));
	if (!e)
		return ERR_UNAVAILABLE;
	e->parts = *parts;
	init_waiting(e);
	enum err err = make_target(e, why, why_size);
	const struct ledger_events_options options = {
		.max = parts->settings->events_max,
		.keep_seconds = parts->settings->events_keep_days * 86400,
		.source = parts->settings->host,
		.with_target = e->target != NULL,
		.written = wake,
		.ctx = e,
	};
	if (!err)
		err = ledger_keep_events(parts->ledger, &options);
	if (err) {
		events_free(e);
		return err;
	}
	*ret = e;
	return ERR_OK;
}

enum err events_start(struct events *events)
{
	if (events->target && events->target->kind->start(events->target) != ERR_OK)
		return ERR_UNAVAILABLE;
	events->started = thread_start(&events->thread, "events", THREAD_DISK, run, events);
	return events->started ? ERR_OK : ERR_UNAVAILABLE;
}

void events_stop(struct events *events)
{
	if (!events)
		return;
	(void)pthread_mutex_lock(&events->lock);
	events->stopped = true;
	(void)pthread_cond_signal(&events->changed);
	(void)pthread_mutex_unlock(&events->lock);
	if (events->target)
		events->target->kind->stop(events->target);
}

void events_end(struct events *events)
{
	if (!events || !events->started)
		return;
	events_stop(events);
	(void)pthread_join(events->thread, NULL);
	events->started = false;
}

void events_free(struct events *events)
{
	if (!events)
		return;
	events_end(events);
	target_free(events->target);
	(void)pthread_mutex_destroy(&events->lock);
	(void)pthread_cond_destroy(&events->changed);
	free(events);
}

void events_stats(const struct events *events, struct events_stats *ret)
{
	*ret = (struct events_stats){.counted = true};
	if (!events)
		return;
	ret->counted = atomic_load(&events->counted);
	int64_t oldest_ms = atomic_load(&events->oldest_ms);
	int64_t age_ms = oldest_ms > 0 ? wall_ms(events) - oldest_ms : 0;
	ret->delivered = atomic_load(&events->delivered);
	ret->failed = atomic_load(&events->failed);
	ret->dead = atomic_load(&events->dead);
	ret->dropped = ledger_events_dropped(events->parts.ledger);
	ret->waiting = (uint64_t)atomic_load(&events->waiting);
	ret->dead_letters = (uint64_t)atomic_load(&events->dead_letters);
	ret->oldest_seconds = age_ms > 0 ? (uint64_t)age_ms / 1000 : 0;
}
