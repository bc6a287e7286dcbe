/* SPDX-License-Identifier: Apache-2.0 */
/* An event as JSON, in the structured mode of CloudEvents 1.0. */
#ifndef APP_EVENTS_CLOUD_EVENT_H
#define APP_EVENTS_CLOUD_EVENT_H

#include "app/ledger/ledger.h"
#include "base/strbuf.h"

#define CLOUD_EVENT_TYPE "application/cloudevents+json; charset=utf-8"

/* The traceparent of the callback that it comes from; empty: there is none. */
struct slice cloud_event_trace(const struct ledger_event *event);
void cloud_event_add(struct strbuf *out, const struct ledger_event *event);
/* How long it can be. */
size_t cloud_event_bytes(const struct ledger_event *event);

#endif
