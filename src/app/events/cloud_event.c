/* SPDX-License-Identifier: Apache-2.0 */
#include "app/events/cloud_event.h"

#include <inttypes.h>
#include <stdio.h>

#include "base/limits.h"
#include "http/trace.h"
#include "oss/text/iso8601.h"
#include "oss/text/json_text.h"

#define TEXT_BYTES 128
/* Names, punctuation, times. */
#define FIXED_BYTES KIB(2)

static void add_type(struct strbuf *out, struct slice type)
{
	SCOPED_STRBUF(text, TEXT_BYTES);
	strbuf_adds(&text, "postern.");
	strbuf_add_slice(&text, type);
	json_member_string(out, "type", strbuf_slice(&text));
}

static void add_time(struct strbuf *out, int64_t time_ms)
{
	SCOPED_STRBUF(text, TEXT_BYTES);
	iso8601_add(&text, time_ms);
	json_member_string(out, "time", strbuf_slice(&text));
}

/* Of texts the order is that of the numbers: hence the zeros. */
static void add_sequence(struct strbuf *out, int64_t id)
{
	SCOPED_STRBUF(text, TEXT_BYTES);
	strbuf_addf(&text, "%019" PRId64, id);
	json_member_string(out, "sequence", strbuf_slice(&text));
}

struct slice cloud_event_trace(const struct ledger_event *event)
{
	struct slice trace = ledger_event_trace(event);
	return trace_is_parent(trace) ? trace : S("");
}

/* The extension for distributed tracing. */
static void add_trace(struct strbuf *out, struct slice trace)
{
	if (trace.len > 0)
		json_member_string(out, "traceparent", trace);
}

void cloud_event_add(struct strbuf *out, const struct ledger_event *event)
{
	strbuf_addc(out, '{');
	json_member_string(out, "specversion", S("1.0"));
	json_member_string(out, "id", event->name);
	json_member_string(out, "source", event->source);
	add_type(out, event->type);
	json_member_string(out, "subject", event->key);
	add_time(out, event->created_ms);
	add_sequence(out, event->id);
	add_trace(out, cloud_event_trace(event));
	json_member_string(out, "datacontenttype", S("application/json"));
	json_member(out, "data");
	strbuf_add_slice(out, event->data);
	strbuf_addc(out, '}');
}

/* Each byte of a text may have to be escaped. */
size_t cloud_event_bytes(const struct ledger_event *event)
{
	size_t texts = event->name.len + event->source.len + event->type.len + event->key.len;
	return FIXED_BYTES + 6 * texts + event->data.len;
}
