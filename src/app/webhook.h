/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The request that tells the operator's back end of a recorded upload (docs/webhook.md). Its answer
 * is the browser's, if it is 200 and JSON.
 */
#ifndef APP_WEBHOOK_H
#define APP_WEBHOOK_H

#include "app/app.h"
#include "app/ledger/ledger.h"
#include "app/settings/rules.h"
#include "app/text/webhook_signature.h"
#include "http/trace.h"
#include "net/outgoing.h"
#include "oss/callback/upload_message.h"

struct webhook {
	struct strbuf body;
	struct webhook_headers signature; /* if there is a secret */
	const char *headers[3 + WEBHOOK_HEADERS];
	char trace[TRACE_LINE_SIZE]; /* empty: there is none */
	struct outgoing_request request;
};

void webhook_init(struct webhook *webhook);
void webhook_release(struct webhook *webhook);
/* Before webhook_send(): it is part of the trace that the request with this head is part of. */
void webhook_set_trace(struct webhook *webhook, const struct request_head *head);
/* The traceparent that was set; empty: there is none. */
struct slice webhook_trace(const struct webhook *webhook);
/*
 * Sends it. The caller has set request.timeout_ms, .home and .done.run, which is called once.
 * False, and it is not called, without memory, which is logged. What is sent is copied; the rules
 * stay until then.
 */
bool webhook_send(struct app *app, const struct rules *rules, struct webhook *webhook,
	const struct ledger_entry *entry, const struct upload_message *message) MUST_USE;

/* In request.done.run: whose it is. */
static inline struct webhook *webhook_of(struct task *task)
{
	struct outgoing_request *request = CONTAINER_OF(task, struct outgoing_request, done);
	return CONTAINER_OF(request, struct webhook, request);
}

/* Whether request.answer is for the browser; logs why if it is not. */
bool webhook_is_answered(const struct webhook *webhook) MUST_USE;

#endif
