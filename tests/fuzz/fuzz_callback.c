/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A callback template, NUL, and a value that every string variable gets. Whatever both are, a value
 * in a form is one run of harmless characters that decodes to the value, a value in JSON is one
 * JSON string, and the message is exactly its pieces.
 */
#include <assert.h>
#include <jansson.h>
#include <stdio.h>

#include "base/encode.h"
#include "base/limits.h"
#include "oss/callback/callback_message.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len);

static struct slice custom(void *ctx, struct slice name)
{
	assert(slice_starts(name, S("x:")) && name.len > 2);
	return *(const struct slice *)ctx;
}

static bool is_number(enum callback_variable v)
{
	return v == CALLBACK_SIZE || v == CALLBACK_IMAGE_HEIGHT || v == CALLBACK_IMAGE_WIDTH;
}

static void check_form(struct slice text, struct slice value, enum callback_variable v)
{
	SCOPED_STRBUF(decoded, LIMIT_CALLBACK_BODY_BYTES);
	for (size_t i = 0; i < text.len; i++) {
		char c = ascii_lower(text.ptr[i]);
		assert((c >= 'a' && c <= 'z') || ascii_digit(c) || memchr("-._~%", c, 5));
	}
	assert(percent_decode(&decoded, text));
	assert(is_number(v) || v == CALLBACK_CRC64 || v == CALLBACK_UNKNOWN ||
		slice_eq(strbuf_slice(&decoded), value));
}

static void check_json(struct slice text, struct slice value, enum callback_variable v)
{
	json_t *json = json_loadb(text.ptr, text.len, JSON_DECODE_ANY | JSON_ALLOW_NUL, NULL);
	assert(json && (is_number(v) ? json_is_integer(json) : json_is_string(json)));
	if (json_is_string(json) && utf8_valid(value) && v != CALLBACK_CRC64 &&
		v != CALLBACK_UNKNOWN)
		assert(slice_eq(
			slice_of(json_string_value(json), json_string_length(json)), value));
	json_decref(json);
}

/* Renders one variable alone and appends it to `sum`. */
static void render_alone(const struct callback_segment *segment, enum callback_body_type type,
	const struct callback_values *values, struct strbuf *sum)
{
	SCOPED_STRBUF(text, LIMIT_CALLBACK_BODY_BYTES);
	SCOPED_STRBUF(out, LIMIT_CALLBACK_BODY_BYTES);
	SCOPED_STRBUF(reason, 1000);
	struct callback_template t;
	strbuf_adds(&text, "${");
	strbuf_add_slice(&text, segment->text);
	strbuf_addc(&text, '}');
	assert(callback_template_parse(strbuf_slice(&text), &t, &reason) == ERR_OK);
	assert(callback_message_render(&t, type, values, &out) == ERR_OK);
	if (type == CALLBACK_FORM)
		check_form(strbuf_slice(&out), values->object, segment->variable);
	else
		check_json(strbuf_slice(&out), values->object, segment->variable);
	strbuf_add_slice(sum, strbuf_slice(&out));
}

static void check(const struct callback_template *t, enum callback_body_type type,
	const struct callback_values *values)
{
	SCOPED_STRBUF(out, LIMIT_CALLBACK_BODY_BYTES);
	SCOPED_STRBUF(sum, LIMIT_CALLBACK_BODY_BYTES);
	struct slice rest = t->text;
	struct callback_segment segment;
	if (callback_message_render(t, type, values, &out) != ERR_OK)
		return;
	while (callback_segment_next(&rest, &segment)) {
		assert(segment.variable == CALLBACK_LITERAL ||
			callback_template_uses(t, segment.variable));
		if (segment.variable == CALLBACK_LITERAL)
			strbuf_add_slice(&sum, segment.text);
		else
			render_alone(&segment, type, values, &sum);
	}
	assert(slice_eq(strbuf_slice(&sum), strbuf_slice(&out)));
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
	struct slice value = slice_of(bytes, len);
	struct slice text;
	struct callback_template t;
	SCOPED_STRBUF(reason, 1000);
	(void)slice_cut(&value, '\0', &text);
	const struct callback_values values = {
		.bucket = value,
		.object = value,
		.etag = value,
		.size = len,
		.mime_type = value,
		.image_width = 1,
		.image_height = UINT32_MAX,
		.image_format = value,
		.crc64 = UINT64_MAX - len,
		.content_md5 = value,
		.vpc_id = value,
		.client_ip = value,
		.request_id = value,
		.operation = value,
		.custom = custom,
		.custom_ctx = &value,
	};
	if (callback_template_parse(text, &t, &reason) != ERR_OK) {
		assert(reason.len);
		return 0;
	}
	check(&t, CALLBACK_FORM, &values);
	check(&t, CALLBACK_JSON, &values);
	return 0;
}
