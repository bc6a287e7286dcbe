/* SPDX-License-Identifier: Apache-2.0 */
#include "callback/record_bytes.h"

#include <stdlib.h>
#include <string.h>

#include "tap.h"

static struct callback_record *full(void)
{
	struct callback_record *r = callback_record_new();
	if (!r)
		abort();
	r->time_ms = 1700000000123;
	r->size = UINT64_C(1) << 40;
	r->bucket = S("b");
	r->object = S("dir/\xe4\xb8\xad'\".png");
	r->event = S("PostObject");
	r->urls = S("http://a.example/x;https://b.example/");
	r->answer = S("{\0}");
	r->body = S("a\0b");
	r->host = S("h.example");
	r->request_id = S("5F00");
	r->owner = S("owner");
	r->requester = S("key");
	r->try_count = 2;
	r->tries[0] = (struct callback_try){.status = 0, .ms = 12, .error = "nothing listens"};
	r->tries[1] = (struct callback_try){.status = 200, .ms = 3};
	r->ok = true;
	r->sendable = true;
	r->sni = true;
	r->body_type = CALLBACK_JSON;
	return r;
}

/* Whether the bytes of both are the same, and so what they say. */
static bool same(const struct callback_record *one, const struct callback_record *other)
{
	SCOPED_STRBUF(a, CALLBACK_RECORD_BYTES_MAX);
	SCOPED_STRBUF(b, CALLBACK_RECORD_BYTES_MAX);
	callback_record_format(one, &a);
	callback_record_format(other, &b);
	return !strbuf_broken(&a) && slice_eq(strbuf_slice(&a), strbuf_slice(&b));
}

static void round_trip(const struct callback_record *record)
{
	SCOPED_STRBUF(bytes, CALLBACK_RECORD_BYTES_MAX);
	callback_record_format(record, &bytes);
	struct callback_record *got = callback_record_parse(strbuf_slice(&bytes));
	if (!OK(got, "a record comes back"))
		return;
	OK(same(record, got), "the same in all");
	OK(got->time_ms == record->time_ms && got->size == record->size &&
			got->try_count == record->try_count && got->ok == record->ok &&
			got->answer_truncated == record->answer_truncated &&
			got->sendable == record->sendable && got->sni == record->sni &&
			got->body_type == record->body_type,
		"numbers and flags");
	OK(got->tries[0].ms == record->tries[0].ms &&
			got->tries[1].status == record->tries[1].status &&
			strcmp(got->tries[0].error, record->tries[0].error) == 0,
		"tries");
	IS(got->object, record->object, "object");
	IS(got->body, record->body, "body");
	IS(got->answer, record->answer, "answer");
	IS(got->requester, record->requester, "requester");
	callback_record_free(got);
}

/* Each in a block of its own, so that sanitizers see what is read beyond it. */
static bool parses(const char *bytes, size_t len)
{
	char *copy = malloc(len ? len : 1);
	if (!copy)
		abort();
	if (len)
		memcpy(copy, bytes, len);
	struct callback_record *record = callback_record_parse(slice_of(copy, len));
	bool parsed = record;
	callback_record_free(record);
	free(copy);
	return parsed;
}

static void damaged(const struct callback_record *record)
{
	SCOPED_STRBUF(bytes, CALLBACK_RECORD_BYTES_MAX);
	unsigned parsed = 0;
	callback_record_format(record, &bytes);
	for (size_t len = 0; len < bytes.len; len++)
		parsed += parses(bytes.ptr, len);
	IS_INT(parsed, 0, "what was cut is none");
	strbuf_addc(&bytes, 'x');
	OK(!parses(bytes.ptr, bytes.len), "nor what is longer");
	bytes.ptr[0] = 2;
	OK(!parses(bytes.ptr, bytes.len - 1), "nor one of a later format");
	bytes.ptr[0] = 1;
	bytes.ptr[2] = (char)(unsigned char)255;
	OK(!parses(bytes.ptr, bytes.len - 1), "nor one of too many tries");
}

int main(void)
{
	struct callback_record *record = full();
	struct callback_record *empty = callback_record_new();
	if (!empty)
		abort();
	round_trip(record);
	round_trip(empty);
	damaged(record);
	callback_record_free(record);
	callback_record_free(empty);
	return tap_done();
}
