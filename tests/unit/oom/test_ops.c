/* SPDX-License-Identifier: Apache-2.0 */
/* The fields of a form, and the message that a callback makes of them, when memory runs out. */
#include "ops/object/post_fields.h"
#include "oss/callback/callback_message.h"
#include "oss/callback/ticket.h"
#include "oss/callback/upload_message.h"
#include "unit/oom/oom.h"

/* One field, in two pieces, as it may arrive. */
static bool put(struct post_fields *f, struct slice name, struct slice value, enum err *ret)
{
	*ret = post_fields_begin(f, name);
	if (*ret == ERR_OK)
		*ret = post_fields_add(f, slice_head(value, value.len / 2));
	if (*ret == ERR_OK)
		*ret = post_fields_add(f, slice_from(value, value.len / 2));
	if (*ret == ERR_OK && !post_fields_end(f))
		*ret = ERR_UNAVAILABLE;
	return *ret == ERR_OK;
}

static struct slice long_value(void)
{
	static char text[100000];
	memset(text, 'v', sizeof(text));
	return slice_of(text, sizeof(text));
}

static bool fill(struct post_fields *f, enum err *ret)
{
	return put(f, S("key"), S("user/${filename}"), ret) &&
	       put(f, S("x:long"), long_value(), ret) && put(f, S("x:var"), S("a&b=\"c\""), ret) &&
	       put(f, S("KEY"), S("a second one"), ret);
}

static void fields(struct oom_answer *answer)
{
	struct post_fields f;
	enum err e;
	post_fields_init(&f, NULL);
	(void)fill(&f, &e);
	if (oom_err(answer, e))
		for (const struct post_field *at = NULL; (at = post_fields_next(&f, at)) != NULL;)
			oom_say(answer, "%.*s:%zu:%d ", SLICE_FMT(at->name), at->value.len,
				post_fields_is_first(at));
	post_fields_release(&f);
}

static void message(struct oom_answer *answer, const char *text, enum callback_body_type type)
{
	struct post_fields f;
	struct callback_template body;
	SCOPED_STRBUF(reason, 512);
	SCOPED_STRBUF(out, KIB(16));
	enum err e;
	post_fields_init(&f, NULL);
	if (fill(&f, &e) &&
		oom_err(answer, callback_template_parse(slice_str(text), &body, &reason))) {
		const struct callback_values values = {.bucket = S("bucket"),
			.object = S("a \"key\"/\xc3\xa4"),
			.size = 7,
			.mime_type = S("text/plain"),
			.custom = post_fields_custom,
			.custom_ctx = &f};
		e = callback_message_render(&body, type, &values, &out);
		/* As it says: too long, or no memory. */
		answer->no_memory = e == ERR_CALLBACK_TOO_LONG;
		if (e == ERR_OK)
			oom_say(answer, "%.*s", SLICE_FMT(strbuf_slice(&out)));
	} else {
		(void)oom_err(answer, e);
	}
	post_fields_release(&f);
}

static void message_form(struct oom_answer *answer)
{
	message(answer, "o=${object}&s=${size}&v=${x:var}&w=${x:none}&t=${mimeType}",
		CALLBACK_FORM);
}

static void message_json(struct oom_answer *answer)
{
	message(answer, "{\"o\":${object},\"s\":${size},\"v\":${x:var},\"b\":${bucket}}",
		CALLBACK_JSON);
}

static void received(struct oom_answer *answer, const char *type, const char *body)
{
	struct upload_message m;
	struct arena arena;
	arena_init(&arena, NULL, 0, MIB(1));
	const char *wrong = upload_message_parse(slice_str(type), slice_str(body), &arena, &m);
	if (wrong)
		answer->no_memory = wrong == upload_message_no_memory;
	else
		oom_say(answer, "%.*s %.*s %lld %.*s", SLICE_FMT(m.bucket), SLICE_FMT(m.object),
			(long long)m.size, SLICE_FMT(m.ticket));
	if (wrong && !answer->no_memory)
		oom_say(answer, "%s", wrong);
	arena_reset(&arena);
}

static void received_form(struct oom_answer *answer)
{
	received(answer, "application/x-www-form-urlencoded",
		"bucket=b&object=a%2Fb+c&size=12&grant=g%20h&mimeType=");
}

static void received_json(struct oom_answer *answer)
{
	received(answer, "application/json",
		"{\"bucket\":\"b\",\"object\":\"a\\u4e2d\",\"size\":12,\"grant\":\"g\"}");
}

static void ticket(struct oom_answer *answer)
{
	struct ticket_key key;
	struct ticket read;
	SCOPED_STRBUF(text, TICKET_TEXT_MAX);
	ticket_key_derive(S("secret"), &key);
	const struct ticket_terms terms = {.id = "0123456789abcdef01234567",
		.profile = S("avatar"),
		.prefix = S("user/"),
		.variables = S("{\"a\":\"b\"}"),
		.issued = 100,
		.expires = 200};
	if (!ticket_issue(&key, &terms, &text))
		answer->no_memory = true;
	else
		oom_say(answer, "%d",
			(int)ticket_check(&key, strbuf_slice(&text), S("user/a"), 150, &read));
}

static const struct oom_case cases[] = {
	{"the fields of a form", fields},
	{"a callback's message, a form", message_form},
	{"a callback's message, JSON", message_json},
	{"a message that is received, a form", received_form},
	{"a message that is received, JSON", received_json},
	{"a ticket", ticket},
};

int main(void)
{
	return oom_run(cases, ARRAY_LEN(cases));
}
