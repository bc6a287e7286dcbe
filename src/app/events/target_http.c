/* SPDX-License-Identifier: Apache-2.0 */
/* A POST to a URL of the operator's; any answer of 200 to 299 takes the event. */
#include <stdio.h>
#include <stdlib.h>

#include "app/events/cloud_event.h"
#include "app/events/target.h"
#include "base/limits.h"

#define ANSWER_BYTES KIB(64) /* of which nothing is kept */

struct http_target {
	struct target base;
	const struct settings *settings;
	struct outgoing *outgoing;
};

struct http_delivery {
	struct target_delivery *delivery;
	const char *lines[WEBHOOK_HEADERS + 3];
	struct outgoing_request request;
};

static enum target_result judge(const struct outgoing_request *request)
{
	if (request->kind == OUTGOING_STOPPED)
		return TARGET_STOPPED;
	/* No room for it here: that says nothing about the back end. */
	if (request->kind == OUTGOING_BUSY)
		return TARGET_BUSY;
	return request->kind == OUTGOING_ANSWERED && request->status >= 200 && request->status < 300
		       ? TARGET_TAKEN
		       : TARGET_FAILED;
}

static void on_answer(struct task *task)
{
	struct outgoing_request *request = CONTAINER_OF(task, struct outgoing_request, done);
	struct http_delivery *http = CONTAINER_OF(request, struct http_delivery, request);
	struct target_delivery *delivery = http->delivery;
	char fault[sizeof(delivery->fault)];
	if (request->kind == OUTGOING_ANSWERED)
		(void)snprintf(fault, sizeof(fault), "answered with status %d", request->status);
	else
		(void)snprintf(
			fault, sizeof(fault), "%s", request->fault ? request->fault : "no answer");
	enum target_result result = judge(request);
	outgoing_request_release(request);
	free(http);
	target_end(delivery, result, fault);
}

static enum err start(struct target *target UNUSED)
{
	return ERR_OK;
}

static void deliver(struct target *target, struct target_delivery *delivery)
{
	struct http_target *t = CONTAINER_OF(target, struct http_target, base);
	struct http_delivery *http = calloc(1, sizeof(*http));
	if (!http) {
		target_end(delivery, TARGET_BUSY, "no memory");
		return;
	}
	http->delivery = delivery;
	http->lines[0] = "Content-Type: " CLOUD_EVENT_TYPE;
	http->lines[1] = "User-Agent: postern/" POSTERN_VERSION;
	http->lines[2] = delivery->headers->id.ptr;
	http->lines[3] = delivery->headers->timestamp.ptr;
	http->lines[4] = delivery->headers->signature.ptr;
	http->lines[5] = delivery->trace;
	http->request = (struct outgoing_request){.class = OUTGOING_WEBHOOK,
		.url = t->settings->events_url.ptr,
		.method = OUTGOING_POST,
		.body = delivery->body,
		.headers = http->lines,
		.header_count = ARRAY_LEN(http->lines) - !delivery->trace[0],
		/* Any address: it is the operator's own choice. */
		.flags = OUTGOING_SNI | OUTGOING_ANY_ADDRESS,
		.timeout_ms = LIMIT_EVENT_MS,
		.max_answer_bytes = ANSWER_BYTES,
		.home = delivery->home,
		.done.run = on_answer};
	outgoing_send(t->outgoing, &http->request);
}

/* outgoing_stop() ends what is under way. */
static void stop(struct target *target UNUSED)
{
}

static void free_target(struct target *target)
{
	free(CONTAINER_OF(target, struct http_target, base));
}

static const struct target_kind http_kind = {
	.start = start, .send = deliver, .stop = stop, .free = free_target};

enum err target_http_new(
	const struct settings *settings, struct outgoing *outgoing, struct target **ret)
{
	struct http_target *t = calloc(1, sizeof(*t));
	if (!t)
		return ERR_UNAVAILABLE;
	*t = (struct http_target){
		.base.kind = &http_kind, .settings = settings, .outgoing = outgoing};
	*ret = &t->base;
	return ERR_OK;
}
