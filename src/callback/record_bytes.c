/* SPDX-License-Identifier: Apache-2.0 */
#include "callback/record_bytes.h"

#include <stdio.h>

enum {
	FORMAT = 1
};

enum flag {
	FLAG_OK = 1,
	FLAG_ANSWER_TRUNCATED = 2,
	FLAG_SENDABLE = 4,
	FLAG_SNI = 8,
	FLAG_JSON = 16,
};

static void add_number(struct strbuf *out, uint64_t number, size_t len)
{
	for (size_t i = len; i-- > 0;)
		strbuf_addc(out, (char)(unsigned char)(number >> (8 * i)));
}

static void add_text(struct strbuf *out, struct slice text)
{
	add_number(out, text.len, 4);
	strbuf_add_slice(out, text);
}

void callback_record_format(const struct callback_record *r, struct strbuf *out)
{
	unsigned flags = (r->ok ? FLAG_OK : 0U) |
			 (r->answer_truncated ? FLAG_ANSWER_TRUNCATED : 0U) |
			 (r->sendable ? FLAG_SENDABLE : 0U) | (r->sni ? FLAG_SNI : 0U) |
			 (r->body_type == CALLBACK_JSON ? FLAG_JSON : 0U);
	add_number(out, FORMAT, 1);
	add_number(out, flags, 1);
	add_number(out, r->try_count, 1);
	add_number(out, (uint64_t)r->time_ms, 8);
	add_number(out, r->size, 8);
	for (size_t i = 0; i < r->try_count; i++) {
		add_number(out, (uint64_t)r->tries[i].status, 8);
		add_number(out, (uint64_t)r->tries[i].ms, 8);
		add_text(out, slice_str(r->tries[i].error));
	}
	const struct slice texts[] = {r->bucket, r->object, r->event, r->urls, r->answer, r->body,
		r->host, r->request_id, r->owner, r->requester};
	for (size_t i = 0; i < ARRAY_LEN(texts); i++)
		add_text(out, texts[i]);
}

/* ---- Parsing --------------------------------------------------------------------------------- */

struct reader {
	struct slice rest;
	bool bad; /* it came to the end too early */
};

static struct slice take(struct reader *reader, uint64_t len)
{
	if (len > reader->rest.len) {
		reader->bad = true;
		reader->rest = S("");
		return S("");
	}
	struct slice taken = slice_head(reader->rest, (size_t)len);
	reader->rest = slice_from(reader->rest, (size_t)len);
	return taken;
}

static uint64_t take_number(struct reader *reader, size_t len)
{
	struct slice bytes = take(reader, len);
	uint64_t number = 0;
	for (size_t i = 0; i < bytes.len; i++)
		number = number << 8 | (unsigned char)bytes.ptr[i];
	return number;
}

static struct slice take_text(struct reader *reader)
{
	return take(reader, take_number(reader, 4));
}

static void parse_tries(struct reader *reader, struct callback_record *r)
{
	for (size_t i = 0; i < r->try_count && !reader->bad; i++) {
		struct callback_try *one = &r->tries[i];
		one->status = (int)take_number(reader, 8);
		one->ms = (int64_t)take_number(reader, 8);
		struct slice error = take_text(reader);
		(void)snprintf(one->error, sizeof(one->error), "%.*s", SLICE_FMT(error));
	}
}

static bool parse_texts(struct reader *reader, struct callback_record *r)
{
	struct slice *const texts[] = {&r->bucket, &r->object, &r->event, &r->urls, &r->answer,
		&r->body, &r->host, &r->request_id, &r->owner, &r->requester};
	for (size_t i = 0; i < ARRAY_LEN(texts); i++) {
		struct slice text = take_text(reader);
		*texts[i] = arena_copy(&r->arena, text);
		if (texts[i]->len != text.len)
			return false;
	}
	return !reader->bad && reader->rest.len == 0;
}

struct callback_record *callback_record_parse(struct slice bytes)
{
	struct reader reader = {.rest = bytes};
	struct callback_record *r = callback_record_new();
	if (!r)
		return NULL;
	bool known = take_number(&reader, 1) == FORMAT;
	uint64_t flags = take_number(&reader, 1);
	r->try_count = (size_t)take_number(&reader, 1);
	r->time_ms = (int64_t)take_number(&reader, 8);
	r->size = take_number(&reader, 8);
	r->ok = flags & FLAG_OK;
	r->answer_truncated = flags & FLAG_ANSWER_TRUNCATED;
	r->sendable = flags & FLAG_SENDABLE;
	r->sni = flags & FLAG_SNI;
	r->body_type = flags & FLAG_JSON ? CALLBACK_JSON : CALLBACK_FORM;
	known = known && r->try_count <= ARRAY_LEN(r->tries);
	if (known)
		parse_tries(&reader, r);
	if (known && parse_texts(&reader, r))
		return r;
	callback_record_free(r);
	return NULL;
}
