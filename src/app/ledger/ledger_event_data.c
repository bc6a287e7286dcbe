/* SPDX-License-Identifier: Apache-2.0 */
/* What an event tells of an upload or a grant (docs/events.md). */
#include "app/ledger/ledger_internal.h"
#include "base/encode.h"
#include "base/strbuf.h"
#include "oss/text/json_text.h"

/* A store may have passed on what is not UTF-8, which JSON has to be. */
static void add_text(struct strbuf *out, const char *name, struct slice text)
{
	if (utf8_valid(text)) {
		json_member_string(out, name, text);
		return;
	}
	SCOPED_STRBUF(repaired, 3 * text.len);
	utf8_repair(&repaired, text);
	json_member_string(out, name, strbuf_slice(&repaired));
	if (strbuf_broken(&repaired))
		strbuf_starve(out);
}

/* They are JSON already. */
static void add_variables(struct strbuf *out, struct slice variables)
{
	json_member(out, "variables");
	strbuf_add_slice(out, variables.len > 0 ? variables : S("{}"));
}

/* A number that is not known is null. */
static void add_number(struct strbuf *out, const char *name, int64_t number)
{
	if (number >= 0)
		json_member_number(out, name, number);
	else
		json_member_null(out, name);
}

/* Of the callback. Without one there is no such member. */
static void add_trace(struct strbuf *out, struct slice trace)
{
	if (trace.len > 0)
		json_member_string(out, "traceparent", trace);
}

void ledger_event_data_of_upload(struct strbuf *out, int64_t id, const struct ledger_entry *entry,
	const struct ledger_upload_grant *grant)
{
	strbuf_addc(out, '{');
	json_member_number(out, "id", id);
	add_text(out, "bucket", entry->bucket);
	add_text(out, "object", entry->object);
	add_text(out, "etag", entry->etag);
	add_number(out, "size", entry->size);
	add_text(out, "mimeType", entry->mime_type);
	add_number(out, "width", entry->width);
	add_number(out, "height", entry->height);
	add_text(out, "clientIp", entry->client_ip);
	add_text(out, "reqId", entry->request_id);
	add_text(out, "grantId", entry->grant_id);
	add_text(out, "versionId", entry->confirmed ? entry->version_id : S(""));
	add_number(out, "lastModified", entry->confirmed ? entry->last_modified : -1);
	json_member_bool(out, "confirmed", entry->confirmed);
	add_text(out, "source", entry->found ? S("store") : S("callback"));
	json_member_number(out, "receivedMs", entry->received_ms);
	add_text(out, "subject", grant->subject);
	add_text(out, "profile", grant->profile);
	add_trace(out, entry->trace);
	add_variables(out, entry->variables.len > 0 ? entry->variables : grant->variables);
	strbuf_addc(out, '}');
}

void ledger_event_data_of_grant(struct strbuf *out, const struct ledger_event_grant *grant)
{
	strbuf_addc(out, '{');
	add_text(out, "grantId", grant->id);
	add_text(out, "state", grant->state);
	add_text(out, "reason", grant->reason);
	add_text(out, "subject", grant->subject);
	add_text(out, "profile", grant->profile);
	add_text(out, "dir", grant->dir);
	add_text(out, "key", grant->key);
	json_member_number(out, "issuedMs", grant->issued_ms);
	json_member_number(out, "expires", grant->expires);
	json_member_number(out, "changedMs", grant->changed_ms);
	add_trace(out, grant->trace);
	add_variables(out, grant->variables);
	strbuf_addc(out, '}');
}

/* ---- Read again -------------------------------------------------------------------------------
 */

/*
 * A member whose text has nothing that is escaped. `start` is `"name":"`: within a text each quote
 * has a backslash before it, so this is nowhere but at a member. Those of `variables` come last.
 */
static struct slice find_text(struct slice data, struct slice start)
{
	struct slice own = slice_head(data, slice_find_slice(data, S("\"variables\":{")));
	struct slice rest = slice_from(own, slice_find_slice(own, start));
	rest = slice_from(rest, start.len);
	return slice_head(rest, slice_find(rest, '"'));
}

struct slice ledger_event_grant_id(const struct ledger_event *event)
{
	return find_text(event->data, S("\"grantId\":\""));
}

struct slice ledger_event_trace(const struct ledger_event *event)
{
	return find_text(event->data, S("\"traceparent\":\""));
}
