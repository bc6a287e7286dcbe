/* SPDX-License-Identifier: Apache-2.0 */
/*
 * XADD to a stream of Redis, over TCP or a Unix socket. One thread and one connection, which is
 * made when there is something to deliver. Commands are sent without waiting for the answers of
 * those before; answers come in the same order.
 */
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>

#include "app/events/hiredis.h"
#include "app/events/inbox.h"
#include "app/events/target.h"
#include "base/clock.h"
#include "base/limits.h"
#include "base/log.h"
#include "base/thread.h"

/* XADD stream MAXLEN ~ count *, the event, the signature and the trace. */
#define WORDS_MAX (6 + 2 * (1 + TARGET_FIELDS_MAX))

struct redis_target {
	struct target base;
	const struct settings *settings;
	struct hiredis redis;
	struct inbox inbox;
	pthread_t thread;
	bool started;

	/* ---- The thread's own. ---- */
	redisContext *context;                 /* NULL: there is no connection */
	bool unsent;                           /* it has bytes that were not written yet */
	unsigned greetings;                    /* answers to AUTH and SELECT that come first */
	struct target_delivery *first, **last; /* whose answers come next */
	bool stopped;
	int64_t end_ms; /* monotonic: once stopped, when the rest is given up */
};

/* ---- The connection ---------------------------------------------------------------------------
 */

/* Closes it; all that had no answer has failed. */
static void drop(struct redis_target *t, enum target_result result, const char *fault)
{
	char text[sizeof(t->first->fault)];
	/* It may be the context's. */
	(void)snprintf(text, sizeof(text), "Redis: %s", fault);
	if (t->context)
		t->redis.redisFree(TAKE(t->context));
	struct target_delivery *delivery = TAKE(t->first);
	t->last = &t->first;
	while (delivery) {
		struct target_delivery *next = delivery->next_;
		target_end(delivery, result, text);
		delivery = next;
	}
}

struct command {
	const char *words[WORDS_MAX];
	size_t lengths[WORDS_MAX];
	int count;
};

static void add_word(struct command *command, struct slice word)
{
	command->words[command->count] = word.ptr;
	command->lengths[command->count++] = word.len;
}

static bool append(struct redis_target *t, const struct command *command)
{
	/* The declaration lacks a const. */
	const char **words = (const char **)(uintptr_t)command->words;
	t->unsent = true;
	return t->redis.redisAppendCommandArgv(
		       t->context, command->count, words, command->lengths) == REDIS_OK;
}

/*
 * AUTH, or else PING, whose answer says if a password is needed: somebody unknown may not send as
 * many words as XADD has, and is told nothing else.
 */
static bool greet(struct redis_target *t)
{
	const struct settings *s = t->settings;
	struct command hello = {.count = 0}, select = {.count = 0};
	char number[8];
	add_word(&hello, s->events_password.len > 0 ? S("AUTH") : S("PING"));
	if (s->events_user.len > 0)
		add_word(&hello, s->events_user);
	if (s->events_password.len > 0)
		add_word(&hello, s->events_password);
	t->greetings = 1;
	if (!append(t, &hello) || s->events_address.database == 0)
		return !t->context->err;
	(void)snprintf(number, sizeof(number), "%u", s->events_address.database);
	add_word(&select, S("SELECT"));
	add_word(&select, slice_str(number));
	t->greetings++;
	return append(t, &select);
}

/* Begins to connect. Blocks while the host's name is looked up. */
static bool begin_to_connect(struct redis_target *t)
{
	const struct events_address *address = &t->settings->events_address;
	char name[256];
	struct slice place = address->path.len > 0 ? address->path : address->host;
	(void)snprintf(name, sizeof(name), "%.*s", SLICE_FMT(place));
	t->context = address->path.len > 0 ? t->redis.redisConnectUnixNonBlock(name)
					   : t->redis.redisConnectNonBlock(name, address->port);
	return t->context && !t->context->err && greet(t);
}

static bool append_event(struct redis_target *t, const struct target_delivery *delivery)
{
	struct command command = {.count = 0};
	struct target_field fields[TARGET_FIELDS_MAX];
	char number[24];
	add_word(&command, S("XADD"));
	add_word(&command, t->settings->events_stream);
	if (t->settings->events_stream_max > 0) {
		(void)snprintf(
			number, sizeof(number), "%lld", (long long)t->settings->events_stream_max);
		add_word(&command, S("MAXLEN"));
		add_word(&command, S("~"));
		add_word(&command, slice_str(number));
	}
	add_word(&command, S("*"));
	add_word(&command, S("event"));
	add_word(&command, delivery->body);
	size_t count = target_fields(delivery, fields);
	for (size_t i = 0; i < count; i++) {
		add_word(&command, fields[i].name);
		add_word(&command, fields[i].value);
	}
	return append(t, &command);
}

/* All of a list; what was sent before them is in front of them. */
static void begin(struct redis_target *t, struct target_delivery *deliveries)
{
	bool ok = true;
	*t->last = deliveries;
	for (struct target_delivery *d = deliveries; d; d = d->next_) {
		d->deadline_ms_ = clock_monotonic_ms() + LIMIT_EVENT_MS;
		t->last = &d->next_;
	}
	for (struct target_delivery *d = deliveries; d && ok; d = d->next_)
		ok = (t->context || begin_to_connect(t)) && append_event(t, d);
	if (!ok)
		drop(t, TARGET_FAILED,
			t->context && t->context->err ? t->context->errstr : "no memory");
}

/* ---- Answers ----------------------------------------------------------------------------------
 */

/* False: the connection is of no use any more, and is closed. */
static bool take_greeting(struct redis_target *t, const redisReply *reply)
{
	t->greetings--;
	if (reply->type != REDIS_REPLY_ERROR)
		return true;
	drop(t, TARGET_FAILED, reply->str);
	return false;
}

static bool take_answer(struct redis_target *t, const redisReply *reply)
{
	struct target_delivery *delivery = t->first;
	char fault[sizeof(delivery->fault)];
	if (!delivery) {
		drop(t, TARGET_FAILED, "an answer to nothing");
		return false;
	}
	bool taken = reply->type == REDIS_REPLY_STRING;
	bool is_error = reply->type == REDIS_REPLY_ERROR;
	/* Another server may be the one that writes by now: its name is looked up again. */
	bool wrong_server = is_error && slice_starts(slice_str(reply->str), S("READONLY"));
	(void)snprintf(fault, sizeof(fault), "Redis: %s",
		is_error ? reply->str : "an answer that XADD has not");
	t->first = delivery->next_;
	if (!t->first)
		t->last = &t->first;
	target_end(delivery, taken ? TARGET_TAKEN : TARGET_FAILED, fault);
	if (wrong_server)
		drop(t, TARGET_FAILED, "it does not write");
	return !wrong_server;
}

static void read_answers(struct redis_target *t)
{
	if (t->redis.redisBufferRead(t->context) != REDIS_OK) {
		drop(t, TARGET_FAILED, t->context->errstr);
		return;
	}
	void *reply = NULL;
	bool goes_on = true;
	while (goes_on && t->redis.redisGetReplyFromReader(t->context, &reply) == REDIS_OK &&
		reply) {
		goes_on = t->greetings > 0 ? take_greeting(t, reply) : take_answer(t, reply);
		t->redis.freeReplyObject(reply);
	}
	if (goes_on && t->context->err)
		drop(t, TARGET_FAILED, t->context->errstr);
}

static void write_commands(struct redis_target *t)
{
	int done = 0;
	if (t->redis.redisBufferWrite(t->context, &done) != REDIS_OK)
		drop(t, TARGET_FAILED, t->context->errstr);
	t->unsent = !done;
}

/* ---- The thread -------------------------------------------------------------------------------
 */

/* Milliseconds until something is late; -1: nothing is waited for. */
static int left_ms(const struct redis_target *t)
{
	int64_t at_ms = t->first ? t->first->deadline_ms_ : INT64_MAX;
	if (t->stopped && t->end_ms < at_ms)
		at_ms = t->end_ms;
	int64_t left = at_ms == INT64_MAX ? -1 : at_ms - clock_monotonic_ms();
	return at_ms != INT64_MAX && left < 0 ? 0 : (int)left;
}

static void take(struct redis_target *t)
{
	bool stopped;
	struct target_delivery *deliveries = inbox_take(&t->inbox, &stopped);
	if (stopped && !t->stopped)
		t->end_ms = clock_monotonic_ms() + LIMIT_CALLBACK_MS;
	t->stopped = stopped;
	begin(t, deliveries);
}

static void work(struct redis_target *t)
{
	struct pollfd fds[] = {{.fd = t->inbox.fd, .events = POLLIN},
		{.fd = t->context ? t->context->fd : -1,
			.events = (short)(POLLIN | (t->unsent ? POLLOUT : 0))}};
	if (poll(fds, ARRAY_LEN(fds), left_ms(t)) < 0)
		return;
	short events = t->context ? fds[1].revents : 0;
	if (events & POLLOUT)
		write_commands(t);
	if (t->context && (events & (POLLIN | POLLERR | POLLHUP)))
		read_answers(t);
	if (left_ms(t) == 0)
		drop(t, t->stopped ? TARGET_STOPPED : TARGET_FAILED, "no answer in time");
	if (fds[0].revents)
		take(t);
}

static void *run(void *state)
{
	struct redis_target *t = state;
	while (!t->stopped || t->first)
		work(t);
	drop(t, TARGET_STOPPED, "stopped");
	return NULL;
}

/* ---- Life -------------------------------------------------------------------------------------
 */

static enum err start(struct target *target)
{
	struct redis_target *t = CONTAINER_OF(target, struct redis_target, base);
	t->started = thread_start(&t->thread, "redis", THREAD_SERVERS, run, t);
	return t->started ? ERR_OK : ERR_UNAVAILABLE;
}

static void deliver(struct target *target, struct target_delivery *delivery)
{
	inbox_add(&CONTAINER_OF(target, struct redis_target, base)->inbox, delivery);
}

static void stop(struct target *target)
{
	inbox_stop(&CONTAINER_OF(target, struct redis_target, base)->inbox);
}

static void free_target(struct target *target)
{
	struct redis_target *t = CONTAINER_OF(target, struct redis_target, base);
	if (t->started) {
		stop(target);
		(void)pthread_join(t->thread, NULL);
	}
	inbox_release(&t->inbox);
	free(t);
}

static const struct target_kind redis_kind = {
	.start = start, .send = deliver, .stop = stop, .free = free_target};

enum err target_redis_new(
	const struct settings *settings, struct target **ret, char *why, size_t why_size)
{
	struct redis_target *t = calloc(1, sizeof(*t));
	if (!t)
		return ERR_UNAVAILABLE;
	*t = (struct redis_target){.base.kind = &redis_kind, .settings = settings};
	t->last = &t->first;
	bool ready = inbox_init(&t->inbox);
	bool loaded = hiredis_load(&t->redis, why, why_size);
	if (ready && loaded) {
		*ret = &t->base;
		return ERR_OK;
	}
	free_target(&t->base);
	return loaded ? ERR_UNAVAILABLE : ERR_INVALID_ARGUMENT;
}
