/* SPDX-License-Identifier: Apache-2.0 */
#include "callback/record.h"

#include <jansson.h>
#include <stdlib.h>

#include "base/encode.h"
#include "oss/callback/callback_message.h"

/* All text of a record: two keys' worth of names, the URLs, message, answers to five URLs. */
#define ARENA_BYTES_MAX (LIMIT_CALLBACK_HISTORY_MESSAGE_BYTES + KIB(64))

struct callback_record *callback_record_new(void)
{
	struct callback_record *record = calloc(1, sizeof(*record));
	if (record) {
		record->memory.pool = BUDGET_SIGNED;
		arena_init_counted(
			&record->arena, NULL, 0, ARENA_BYTES_MAX, &record->memory, false);
	}
	return record;
}

void callback_record_free(struct callback_record *record)
{
	if (!record)
		return;
	arena_reset(&record->arena);
	free(record);
}

/* As much of each URL as is worth showing; false if that is not all. */
static bool join_urls(const struct callback_params *params, struct strbuf *out)
{
	bool whole = true;
	for (size_t i = 0; i < params->url_count; i++) {
		struct slice url = params->urls[i].text;
		whole = whole && url.len <= LIMIT_CALLBACK_HISTORY_URL_BYTES;
		strbuf_adds(out, i ? ";" : "");
		strbuf_add_slice(out, slice_head(url, LIMIT_CALLBACK_HISTORY_URL_BYTES));
	}
	return whole && !strbuf_broken(out);
}

void callback_record_message(
	struct callback_record *record, const struct callback_params *params, struct slice body)
{
	SCOPED_STRBUF(urls, LIMIT_CALLBACK_URLS * (LIMIT_CALLBACK_HISTORY_URL_BYTES + 1));
	bool whole = join_urls(params, &urls);
	record->urls = arena_copy(&record->arena, strbuf_slice(&urls));
	record->sni = params->sni;
	record->body_type = params->body_type;
	if (!whole || body.len + params->host.len > LIMIT_CALLBACK_HISTORY_MESSAGE_BYTES)
		return;
	record->body = arena_copy(&record->arena, body);
	record->host = arena_copy(&record->arena, params->host);
	record->sendable = record->body.len == body.len && record->host.len == params->host.len;
}

void callback_record_answer(struct callback_record *record, struct slice answer)
{
	record->answer =
		arena_copy(&record->arena, slice_head(answer, LIMIT_CALLBACK_HISTORY_ANSWER_BYTES));
	record->answer_truncated = answer.len > record->answer.len;
}

enum err callback_record_params(const struct callback_record *record, struct callback_params **ret)
{
	SCOPED_STRBUF(base64, MIB(1));
	SCOPED_STRBUF(reason, 512);
	json_t *json = json_pack("{s:s%, s:s%, s:s, s:s, s:b}", "callbackUrl", record->urls.ptr,
		record->urls.len, "callbackHost", record->host.len ? record->host.ptr : "",
		record->host.len, "callbackBody", "-", /* it has been filled in already */
		"callbackBodyType", callback_content_type(record->body_type), "callbackSNI",
		record->sni);
	char *text = json ? json_dumps(json, JSON_COMPACT) : NULL;
	json_decref(json);
	base64_encode(&base64, slice_str(text));
	free(text);
	if (!record->sendable || strbuf_broken(&base64) || base64.len == 0)
		return record->sendable ? ERR_UNAVAILABLE : ERR_CALLBACK_TOO_LONG;
	*ret = NULL;
	enum err e = callback_params_parse(strbuf_slice(&base64), ret, &reason);
	return e == ERR_OK && !*ret ? ERR_CALLBACK_BAD_URL : e;
}
