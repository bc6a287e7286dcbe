/* SPDX-License-Identifier: Apache-2.0 */
#include "oss/callback/upload_message.h"

#include <inttypes.h>
#include <jansson.h>
#include <stdio.h>

#include "base/encode.h"
#include "base/limits.h"
#include "base/strbuf.h"
#include "oss/text/json_load.h"

const char upload_message_no_memory[] = "there is no memory for the body";

struct parse {
	struct arena *arena;
	struct upload_message *message;
	struct slice filename;
	struct slice size, width, height; /* as text */
	const char *fault;
};

struct member {
	const char *name;
	struct slice *value;
};

static void fail(struct parse *parse, const char *fault)
{
	if (!parse->fault)
		parse->fault = fault;
}

static void take_member(struct parse *parse, struct slice name, struct slice value)
{
	struct upload_message *m = parse->message;
	const struct member members[] = {
		{"filename", &parse->filename},
		{"size", &parse->size},
		{"mimeType", &m->mime_type},
		{"height", &parse->height},
		{"width", &parse->width},
		{"format", &m->image_format},
		{"bucket", &m->bucket},
		{"object", &m->object},
		{"etag", &m->etag},
		{"reqId", &m->request_id},
		{"clientIp", &m->client_ip},
		{"grant", &m->ticket},
		{"crc64", &m->crc64},
		{"sentCrc64", &m->sent_crc64},
		{"sentSha256", &m->sent_sha256},
	};
	for (size_t i = 0; i < ARRAY_LEN(members); i++) {
		if (!slice_eq(name, slice_str(members[i].name)))
			continue;
		if (members[i].value->ptr)
			fail(parse, "the body names a member twice");
		if (!utf8_valid(value))
			fail(parse, "the body is not UTF-8");
		*members[i].value = arena_copy(parse->arena, value);
		if (!members[i].value->ptr)
			fail(parse, upload_message_no_memory);
		return;
	}
}

static void form_decode(struct parse *parse, struct slice raw, struct strbuf *out)
{
	strbuf_clear(out);
	if (plus_decode(out, raw))
		return;
	fail(parse,
		strbuf_starved(out) ? upload_message_no_memory : "the body is no well-formed form");
}

static void parse_form(struct parse *parse, struct slice body)
{
	SCOPED_STRBUF(name, LIMIT_APP_BODY_BYTES);
	SCOPED_STRBUF(value, LIMIT_APP_BODY_BYTES);
	while (body.len > 0 && !parse->fault) {
		struct slice pair, raw_name;
		(void)slice_cut(&body, '&', &pair);
		(void)slice_cut(&pair, '=', &raw_name);
		form_decode(parse, raw_name, &name);
		form_decode(parse, pair, &value);
		if (!parse->fault)
			take_member(parse, strbuf_slice(&name), strbuf_slice(&value));
	}
}

static void parse_json(struct parse *parse, struct slice body)
{
	bool no_memory;
	json_t *object = json_load_text(body, JSON_REJECT_DUPLICATES, NULL, &no_memory);
	const char *name;
	json_t *value;
	if (no_memory)
		fail(parse, upload_message_no_memory);
	if (!json_is_object(object))
		fail(parse, "the body is no JSON object");
	json_object_foreach(object, name, value)
	{
		char number[32];
		if (json_is_string(value)) {
			take_member(parse, slice_str(name),
				slice_of(json_string_value(value), json_string_length(value)));
		} else if (json_is_integer(value)) {
			snprintf(number, sizeof(number), "%" JSON_INTEGER_FORMAT,
				json_integer_value(value));
			take_member(parse, slice_str(name), slice_str(number));
		}
	}
	json_decref(object);
}

/* Width and height of what is no image are empty. */
static int64_t number_of(struct parse *parse, struct slice text)
{
	uint64_t number;
	if (text.len == 0)
		return -1;
	if (!slice_to_u64(text, &number) || number > INT64_MAX) {
		fail(parse, "size, width or height is no number");
		return -1;
	}
	return (int64_t)number;
}

const char *upload_message_parse(struct slice content_type, struct slice body, struct arena *arena,
	struct upload_message *ret)
{
	struct parse parse = {.arena = arena, .message = ret};
	struct slice type;
	*ret = (struct upload_message){.size = -1};
	(void)slice_cut(&content_type, ';', &type);
	if (slice_eq_nocase(slice_trim(type), S("application/json")))
		parse_json(&parse, body);
	else
		parse_form(&parse, body);
	if (ret->object.len == 0)
		ret->object = parse.filename;
	ret->size = number_of(&parse, parse.size);
	ret->width = number_of(&parse, parse.width);
	ret->height = number_of(&parse, parse.height);
	return parse.fault;
}
