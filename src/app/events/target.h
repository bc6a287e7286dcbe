/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Where events are delivered to. A target tries once, and answers for each delivery by itself;
 * what becomes of a failure is for events.c, and so is the order: a target is never given two
 * events of one key at a time. Each kind is a file: target_http.c, target_redis.c, target_kafka.c.
 */
#ifndef APP_EVENTS_TARGET_H
#define APP_EVENTS_TARGET_H

#include "app/settings/settings.h"
#include "app/text/webhook_signature.h"
#include "base/compiler.h"
#include "base/err.h"
#include "base/slice.h"
#include "base/task.h"
#include "net/outgoing.h"

enum target_result {
	TARGET_TAKEN,   /* it is safe there */
	TARGET_FAILED,  /* it may be there all the same */
	TARGET_BUSY,    /* it was not tried: there is no room or memory here */
	TARGET_STOPPED, /* it may be there all the same */
};

struct target_delivery {
	/* ---- Set by the caller, borrowed until `done` runs. ---- */
	struct slice key;
	struct slice body;
	const struct webhook_headers *headers;
	const char *trace; /* the line of the header traceparent; empty: there is none */
	struct executor *home;
	struct task done; /* done.run set by the caller; posted to `home` exactly once */

	/* ---- The result, valid when `done` runs. ---- */
	enum target_result result;
	char fault[256]; /* why not, in printable characters */

	/* ---- The target's own. ---- */
	struct target_delivery *next_;
	int64_t deadline_ms_; /* monotonic */
};

struct target;

struct target_kind {
	/* Once, on the thread that calls target_send(). ERR_UNAVAILABLE without a thread. */
	enum err (*start)(struct target *target);
	/* Never blocks. */
	void (*send)(struct target *target, struct target_delivery *delivery);
	/* Has what is under way end soon, and what is sent later at once. Never blocks. */
	void (*stop)(struct target *target);
	/* Blocks until the target's thread has ended. When nothing is under way. */
	void (*free)(struct target *target);
};

/* The beginning of each kind's own structure. */
struct target {
	const struct target_kind *kind;
};

/*
 * The target that the settings name. ERR_INVALID_ARGUMENT with a sentence in `why` if it cannot be
 * used on this machine; ERR_UNAVAILABLE. Both arguments outlive it.
 */
enum err target_new(const struct settings *settings, struct outgoing *outgoing, struct target **ret,
	char *why, size_t why_size) MUST_USE;
/* NULL is allowed. */
void target_free(struct target *target);

/* ---- For the kinds ---- */

/* Sets the result, with unprintable characters replaced, and posts the delivery's task. */
void target_end(struct target_delivery *delivery, enum target_result result, const char *fault);

/* The two parts of a header's line. */
struct target_field {
	struct slice name, value;
};
/* The headers of the signature, and of the trace if there is one; how many these are. */
#define TARGET_FIELDS_MAX (WEBHOOK_HEADERS + 1)
size_t target_fields(
	const struct target_delivery *delivery, struct target_field ret[TARGET_FIELDS_MAX]);

enum err target_http_new(
	const struct settings *settings, struct outgoing *outgoing, struct target **ret) MUST_USE;
enum err target_redis_new(
	const struct settings *settings, struct target **ret, char *why, size_t why_size) MUST_USE;
enum err target_kafka_new(
	const struct settings *settings, struct target **ret, char *why, size_t why_size) MUST_USE;

#endif
