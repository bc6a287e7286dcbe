/* SPDX-License-Identifier: Apache-2.0 */
#include "app/webhook.h"

#include "app/app_internal.h"
#include "app/text/json.h"
#include "base/log.h"
#include "crypto/random.h"

#define ID_PREFIX "msg_"
#define ID_LENGTH 24
#define ANSWER_BYTES KIB(256)
/* Of a callback's body each byte may have to be escaped. */
#define BODY_BYTES (8 * LIMIT_APP_BODY_BYTES)

void webhook_init(struct webhook *webhook)
{
	*webhook = (struct webhook){.body.ptr = NULL};
	strbuf_init(&webhook->body, BODY_BYTES);
	webhook_headers_init(&webhook->signature);
	strbuf_init(&webhook->request.answer, 0);
}

void webhook_release(struct webhook *webhook)
{
	strbuf_release(&webhook->body);
	webhook_headers_release(&webhook->signature);
	outgoing_request_release(&webhook->request);
}

void webhook_set_trace(struct webhook *webhook, const struct request_head *head)
{
	struct slice parent = trace_parent(head);
	if (parent.len > 0)
		(void)snprintf(webhook->trace, sizeof(webhook->trace), TRACE_PARENT_START "%.*s",
			SLICE_FMT(parent));
}

struct slice webhook_trace(const struct webhook *webhook)
{
	return slice_from(slice_str(webhook->trace), strlen(TRACE_PARENT_START));
}

/* Nothing is known of a number below zero. */
static void add_number(struct strbuf *out, const char *name, int64_t number)
{
	if (number >= 0)
		json_member_number(out, name, number);
	else
		json_member_null(out, name);
}

static void build_body(
	struct strbuf *out, const struct ledger_entry *entry, const struct upload_message *message)
{
	strbuf_addc(out, '{');
	json_member_string(out, "bucket", entry->bucket);
	json_member_string(out, "object", message->object);
	json_member_string(out, "etag", entry->etag);
	add_number(out, "size", entry->size);
	json_member_string(out, "mimeType", entry->mime_type);
	add_number(out, "width", message->width);
	add_number(out, "height", message->height);
	json_member_string(out, "format", message->image_format);
	json_member_string(out, "clientIp", message->client_ip);
	json_member_string(out, "reqId", message->request_id);
	json_member_string(out, "grantId", entry->grant_id);
	json_member_string(out, "versionId", entry->version_id);
	json_member_bool(out, "confirmed", entry->confirmed);
	json_member_number(out, "receivedMs", entry->received_ms);
	json_member(out, "variables");
	strbuf_add_slice(out, entry->variables.len > 0 ? entry->variables : S("{}"));
	strbuf_addc(out, '}');
}

/* The headers; with a secret, the three of the signature too. */
static bool build_headers(
	const struct app *app, const struct webhook_keys *keys, struct webhook *webhook)
{
	char id[sizeof(ID_PREFIX) - 1 + ID_LENGTH];
	memcpy(id, ID_PREFIX, sizeof(ID_PREFIX) - 1);
	random_alnum(id + sizeof(ID_PREFIX) - 1, ID_LENGTH);
	webhook->headers[0] = "Content-Type: application/json";
	webhook->headers[1] = "User-Agent: postern/" POSTERN_VERSION;
	webhook->request.headers = webhook->headers;
	size_t count = 2;
	if (webhook->trace[0])
		webhook->headers[count++] = webhook->trace;
	webhook->request.header_count = count;
	if (keys->count == 0)
		return true;
	if (!webhook_headers_fill(&webhook->signature, keys, slice_of(id, sizeof(id)),
		    clock_wall_ms(app->parts.clock) / 1000, strbuf_slice(&webhook->body)))
		return false;
	webhook->headers[count] = webhook->signature.id.ptr;
	webhook->headers[count + 1] = webhook->signature.timestamp.ptr;
	webhook->headers[count + 2] = webhook->signature.signature.ptr;
	webhook->request.header_count += WEBHOOK_HEADERS;
	return true;
}

bool webhook_send(struct app *app, const struct rules *rules, struct webhook *webhook,
	const struct ledger_entry *entry, const struct upload_message *message)
{
	struct outgoing_request *request = &webhook->request;
	build_body(&webhook->body, entry, message);
	if (strbuf_broken(&webhook->body) || !build_headers(app, &rules->webhook_keys, webhook)) {
		log_error("webhook: no memory: it is not sent");
		return false;
	}
	request->class = OUTGOING_WEBHOOK;
	request->url = rules->webhook_url.ptr;
	request->method = OUTGOING_POST;
	request->body = strbuf_slice(&webhook->body);
	request->max_answer_bytes = ANSWER_BYTES;
	/* Any address: it is the operator's own choice. */
	request->flags = OUTGOING_SNI | OUTGOING_ANY_ADDRESS;
	outgoing_send(app->parts.outgoing, request);
	return true;
}

bool webhook_is_answered(const struct webhook *webhook)
{
	const struct outgoing_request *request = &webhook->request;
	bool ok = request->kind == OUTGOING_ANSWERED && request->status == 200 &&
		  json_is_valid(strbuf_slice(&request->answer));
	if (!ok)
		log_error("webhook: %s (status %d)",
			request->fault ? request->fault : "not answered with 200 and JSON",
			request->status);
	return ok;
}
