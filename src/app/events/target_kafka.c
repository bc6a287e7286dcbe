/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Messages to a topic of Kafka, acknowledged by all replicas in sync, by the idempotent producer of
 * librdkafka. That has threads of its own; its answers are taken by one of ours. It is made on that
 * thread, so that what it starts may do no more (sandbox/thread_calls.def).
 */
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>

#include "app/events/cloud_event.h"
#include "app/events/inbox.h"
#include "app/events/librdkafka.h"
#include "app/events/target.h"
#include "app/text/properties.h"
#include "base/clock.h"
#include "base/limits.h"
#include "base/log.h"
#include "base/thread.h"
#include "crypto/secret.h"

/* How often answers are looked for besides when it says that there are some. */
#define LOOK_MS 1000

struct kafka_target {
	struct target base;
	const struct settings *settings;
	struct librdkafka kafka;
	rd_kafka_conf_t *conf;
	struct inbox inbox;
	pthread_t thread;
	bool started;

	/* ---- The thread's own. ---- */
	rd_kafka_t *producer; /* NULL: there is none (any more) */
	size_t under_way;
	char error[200]; /* what librdkafka said last; empty: nothing since the latest success */
	bool stopped;
	int64_t end_ms; /* monotonic: once stopped, when the rest is given up */
};

/* ---- What librdkafka tells, when it is polled -------------------------------------------------
 */

static enum target_result result_of(rd_kafka_resp_err_t err)
{
	if (err == RD_KAFKA_RESP_ERR_NO_ERROR)
		return TARGET_TAKEN;
	return err == RD_KAFKA_RESP_ERR__PURGE_QUEUE || err == RD_KAFKA_RESP_ERR__PURGE_INFLIGHT
		       ? TARGET_STOPPED
		       : TARGET_FAILED;
}

static void finish(
	struct kafka_target *t, struct target_delivery *delivery, rd_kafka_resp_err_t err)
{
	char fault[sizeof(delivery->fault)];
	/* That time is up says nothing: why it was not sent does. */
	bool late = err == RD_KAFKA_RESP_ERR__MSG_TIMED_OUT && t->error[0];
	(void)snprintf(fault, sizeof(fault), "Kafka: %s",
		late ? t->error : t->kafka.rd_kafka_err2str(err));
	if (err == RD_KAFKA_RESP_ERR_NO_ERROR)
		t->error[0] = '\0';
	t->under_way--;
	target_end(delivery, result_of(err), fault);
}

static void on_delivered(
	rd_kafka_t *producer UNUSED, const rd_kafka_message_t *message, void *opaque)
{
	finish(opaque, message->_private, message->err);
}

static void on_error(rd_kafka_t *producer UNUSED, int err UNUSED, const char *reason, void *opaque)
{
	struct kafka_target *t = opaque;
	(void)snprintf(t->error, sizeof(t->error), "%s", reason);
}

/* On a thread of librdkafka. */
static void on_log(
	const rd_kafka_t *producer UNUSED, int level UNUSED, const char *facility, const char *text)
{
	char quoted[512];
	log_debug("kafka: %s %s", facility, log_quoted(slice_str(text), quoted, sizeof(quoted)));
}

/* ---- The producer -----------------------------------------------------------------------------
 */

static bool make_producer(struct kafka_target *t)
{
	static const uint64_t one = 1;
	char why[200] = "no memory";
	rd_kafka_conf_t *conf = t->kafka.rd_kafka_conf_dup(t->conf);
	t->producer = t->kafka.rd_kafka_new(RD_KAFKA_PRODUCER, conf, why, sizeof(why));
	if (!t->producer) {
		t->kafka.rd_kafka_conf_destroy(conf);
		(void)snprintf(t->error, sizeof(t->error), "%s", why);
		return false;
	}
	rd_kafka_queue_t *queue = t->kafka.rd_kafka_queue_get_main(t->producer);
	t->kafka.rd_kafka_queue_io_event_enable(queue, t->inbox.fd, &one, sizeof(one));
	t->kafka.rd_kafka_queue_destroy(queue);
	return true;
}

/* What is under way ends as stopped. */
static void end_producer(struct kafka_target *t)
{
	if (!t->producer)
		return;
	(void)t->kafka.rd_kafka_purge(t->producer,
		RD_KAFKA_PURGE_F_QUEUE | RD_KAFKA_PURGE_F_INFLIGHT | RD_KAFKA_PURGE_F_NON_BLOCKING);
	while (t->under_way > 0)
		(void)t->kafka.rd_kafka_poll(t->producer, LOOK_MS);
	t->kafka.rd_kafka_destroy(TAKE(t->producer));
}

/*
 * NULL without memory. Made here, because librdkafka 2.0 frees those that it makes itself twice
 * when it does not take the message.
 */
static rd_kafka_headers_t *make_headers(
	const struct kafka_target *t, const struct target_delivery *delivery)
{
	struct target_field fields[1 + TARGET_FIELDS_MAX] = {
		{.name = S("content-type"), .value = S(CLOUD_EVENT_TYPE)}};
	size_t count = 1 + target_fields(delivery, &fields[1]);
	rd_kafka_headers_t *headers = t->kafka.rd_kafka_headers_new(count);
	bool ok = headers != NULL;
	for (size_t i = 0; ok && i < count; i++)
		ok = t->kafka.rd_kafka_header_add(headers, fields[i].name.ptr,
			     (ssize_t)fields[i].name.len, fields[i].value.ptr,
			     (ssize_t)fields[i].value.len) == RD_KAFKA_RESP_ERR_NO_ERROR;
	if (headers && !ok)
		t->kafka.rd_kafka_headers_destroy(TAKE(headers));
	return headers;
}

/* Bytes that are not changed. */
static rd_kafka_vu_t bytes(rd_kafka_vtype_t type, struct slice bytes)
{
	return (rd_kafka_vu_t){
		.vtype = type, .u.mem = {.ptr = (void *)(uintptr_t)bytes.ptr, .size = bytes.len}};
}

static rd_kafka_resp_err_t produce(struct kafka_target *t, struct target_delivery *delivery)
{
	rd_kafka_headers_t *headers = make_headers(t, delivery);
	const rd_kafka_vu_t parts[] = {
		{.vtype = RD_KAFKA_VTYPE_TOPIC, .u.cstr = t->settings->events_stream.ptr},
		bytes(RD_KAFKA_VTYPE_KEY, delivery->key),
		bytes(RD_KAFKA_VTYPE_VALUE, delivery->body),
		{.vtype = RD_KAFKA_VTYPE_MSGFLAGS, .u.i = RD_KAFKA_MSG_F_COPY},
		{.vtype = RD_KAFKA_VTYPE_HEADERS, .u.headers = headers},
		{.vtype = RD_KAFKA_VTYPE_OPAQUE, .u.ptr = delivery},
	};
	if (!headers)
		return RD_KAFKA_RESP_ERR__CRIT_SYS_RESOURCE;
	/* Of a message that was taken the headers are librdkafka's. */
	rd_kafka_error_t *error = t->kafka.rd_kafka_produceva(t->producer, parts, ARRAY_LEN(parts));
	if (!error)
		return RD_KAFKA_RESP_ERR_NO_ERROR;
	rd_kafka_resp_err_t ret = t->kafka.rd_kafka_error_code(error);
	t->kafka.rd_kafka_error_destroy(error);
	t->kafka.rd_kafka_headers_destroy(headers);
	return ret;
}

static void begin(struct kafka_target *t, struct target_delivery *delivery)
{
	if (!t->producer && !make_producer(t)) {
		target_end(delivery, TARGET_FAILED, t->error);
		return;
	}
	t->under_way++;
	rd_kafka_resp_err_t err = produce(t, delivery);
	if (err)
		finish(t, delivery, err);
}

/* After some errors an idempotent producer does nothing more: the next event gets another. */
static void replace_failed(struct kafka_target *t)
{
	char why[sizeof(t->error)];
	if (!t->producer || t->kafka.rd_kafka_fatal_error(t->producer, why, sizeof(why)) ==
				    RD_KAFKA_RESP_ERR_NO_ERROR)
		return;
	log_error("kafka: the producer is made anew: %s", why);
	end_producer(t);
}

/* ---- The thread -------------------------------------------------------------------------------
 */

static void take(struct kafka_target *t)
{
	bool stopped;
	struct target_delivery *delivery = inbox_take(&t->inbox, &stopped);
	if (stopped && !t->stopped)
		t->end_ms = clock_monotonic_ms() + LIMIT_CALLBACK_MS;
	t->stopped = stopped;
	while (delivery) {
		struct target_delivery *next = delivery->next_;
		begin(t, delivery);
		delivery = next;
	}
}

static void *run(void *state)
{
	struct kafka_target *t = state;
	while (!t->stopped || (t->under_way > 0 && clock_monotonic_ms() < t->end_ms)) {
		struct pollfd fd = {.fd = t->inbox.fd, .events = POLLIN};
		(void)poll(&fd, 1, t->under_way > 0 ? LOOK_MS : -1);
		take(t);
		while (t->producer && t->kafka.rd_kafka_poll(t->producer, 0) > 0)
			continue;
		replace_failed(t);
	}
	end_producer(t);
	return NULL;
}

/* ---- Life -------------------------------------------------------------------------------------
 */

static enum err start(struct target *target)
{
	struct kafka_target *t = CONTAINER_OF(target, struct kafka_target, base);
	t->started = thread_start(&t->thread, "kafka", THREAD_SERVERS, run, t);
	return t->started ? ERR_OK : ERR_UNAVAILABLE;
}

static void deliver(struct target *target, struct target_delivery *delivery)
{
	inbox_add(&CONTAINER_OF(target, struct kafka_target, base)->inbox, delivery);
}

static void stop(struct target *target)
{
	inbox_stop(&CONTAINER_OF(target, struct kafka_target, base)->inbox);
}

static void free_target(struct target *target)
{
	struct kafka_target *t = CONTAINER_OF(target, struct kafka_target, base);
	if (t->started) {
		stop(target);
		(void)pthread_join(t->thread, NULL);
	}
	if (t->conf)
		t->kafka.rd_kafka_conf_destroy(t->conf);
	inbox_release(&t->inbox);
	free(t);
}

static const struct target_kind kafka_kind = {
	.start = start, .send = deliver, .stop = stop, .free = free_target};

/* The value is not shown: it may be a password. */
static bool set(
	struct kafka_target *t, struct slice name, struct slice value, char *why, size_t why_size)
{
	SCOPED_STRBUF(name_text, KIB(1));
	SCOPED_STRBUF(value_text, LIMIT_KAFKA_FILE_BYTES);
	strbuf_add_slice(&name_text, name);
	strbuf_add_slice(&value_text, value);
	rd_kafka_conf_res_t result = RD_KAFKA_CONF_UNKNOWN;
	if (!strbuf_broken(&name_text) && !strbuf_broken(&value_text))
		result =
			t->kafka.rd_kafka_conf_set(t->conf, name_text.ptr, value_text.ptr, NULL, 0);
	secret_wipe(value_text.ptr, value_text.len);
	char quoted[128];
	(void)log_quoted(name, quoted, sizeof(quoted));
	if (result != RD_KAFKA_CONF_OK)
		(void)snprintf(why, why_size, "events_kafka_file: librdkafka %s %s",
			result == RD_KAFKA_CONF_UNKNOWN ? "has no property"
							: "does not take this value of",
			quoted);
	return result == RD_KAFKA_CONF_OK;
}

static bool configure(struct kafka_target *t, char *why, size_t why_size)
{
	char timeout[24];
	(void)snprintf(timeout, sizeof(timeout), "%d", LIMIT_EVENT_MS);
	const struct {
		const char *name;
		struct slice value;
	} own[] = {{"client.id", S("postern")}, {"log.connection.close", S("false")}},
	  fixed[] = {{"bootstrap.servers", t->settings->events_address.brokers}, {"acks", S("all")},
		  {"enable.idempotence", S("true")}, {"message.timeout.ms", slice_str(timeout)}};
	struct properties properties = {.rest = t->settings->events_kafka};
	bool ok = true;
	for (size_t i = 0; ok && i < ARRAY_LEN(own); i++)
		ok = set(t, slice_str(own[i].name), own[i].value, why, why_size);
	while (ok && properties_next(&properties) == PROPERTY)
		ok = set(t, properties.name, properties.value, why, why_size);
	for (size_t i = 0; ok && i < ARRAY_LEN(fixed); i++)
		ok = set(t, slice_str(fixed[i].name), fixed[i].value, why, why_size);
	t->kafka.rd_kafka_conf_set_opaque(t->conf, t);
	t->kafka.rd_kafka_conf_set_dr_msg_cb(t->conf, on_delivered);
	t->kafka.rd_kafka_conf_set_error_cb(t->conf, on_error);
	t->kafka.rd_kafka_conf_set_log_cb(t->conf, on_log);
	return ok;
}

enum err target_kafka_new(
	const struct settings *settings, struct target **ret, char *why, size_t why_size)
{
	struct kafka_target *t = calloc(1, sizeof(*t));
	if (!t)
		return ERR_UNAVAILABLE;
	*t = (struct kafka_target){.base.kind = &kafka_kind, .settings = settings};
	enum err e = inbox_init(&t->inbox) ? ERR_OK : ERR_UNAVAILABLE;
	if (!e && !librdkafka_load(&t->kafka, why, why_size))
		e = ERR_INVALID_ARGUMENT;
	if (!e) {
		t->conf = t->kafka.rd_kafka_conf_new();
		e = configure(t, why, why_size) ? ERR_OK : ERR_INVALID_ARGUMENT;
	}
	if (e)
		free_target(&t->base);
	else
		*ret = &t->base;
	return e;
}
