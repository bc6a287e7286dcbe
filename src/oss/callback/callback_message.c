/* SPDX-License-Identifier: Apache-2.0 */
#include "oss/callback/callback_message.h"

#include "base/encode.h"
#include "base/limits.h"

/* Appends `text` to a JSON string. Bytes that are not UTF-8 become U+FFFD. */
static void json_escape(struct strbuf *out, struct slice text)
{
	size_t at = 0;
	while (at < text.len) {
		unsigned char c = (unsigned char)text.ptr[at];
		if (c == '"' || c == '\\') {
			strbuf_addc(out, '\\');
			strbuf_addc(out, (char)c);
		} else if (c < 0x20 || c == 0x7f) {
			strbuf_addf(out, "\\u%04x", c);
		} else if (c < 0x80) {
			strbuf_addc(out, (char)c);
		} else {
			size_t len = 2;
			while (len <= 4 &&
				!(at + len <= text.len && utf8_valid(slice_of(text.ptr + at, len))))
				len++;
			if (len <= 4)
				strbuf_add(out, text.ptr + at, len);
			else
				strbuf_adds(out, "\xef\xbf\xbd");
			at += len <= 4 ? len : 1;
			continue;
		}
		at++;
	}
}

static void add_string(struct strbuf *out, enum callback_body_type type, struct slice value)
{
	if (type == CALLBACK_FORM) {
		percent_encode(out, value);
		return;
	}
	strbuf_addc(out, '"');
	json_escape(out, value);
	strbuf_addc(out, '"');
}

static void add_dimension(struct strbuf *out, uint32_t pixels)
{
	if (pixels)
		strbuf_add_u64(out, pixels);
}

static struct slice custom_value(const struct callback_values *values, struct slice name)
{
	if (!values->custom)
		return S("");
	return values->custom(values->custom_ctx, name);
}

static struct slice string_value(
	const struct callback_values *values, const struct callback_segment *segment)
{
	switch (segment->variable) {
	case CALLBACK_BUCKET:
		return values->bucket;
	case CALLBACK_OBJECT:
		return values->object;
	case CALLBACK_ETAG:
		return values->etag;
	case CALLBACK_MIME_TYPE:
		return values->mime_type;
	case CALLBACK_IMAGE_FORMAT:
		return values->image_format;
	case CALLBACK_CONTENT_MD5:
		return values->content_md5;
	case CALLBACK_VPC_ID:
		return values->vpc_id;
	case CALLBACK_CLIENT_IP:
		return values->client_ip;
	case CALLBACK_REQ_ID:
		return values->request_id;
	case CALLBACK_OPERATION:
		return values->operation;
	case CALLBACK_CUSTOM:
		return custom_value(values, segment->text);
	case CALLBACK_SIZE:
	case CALLBACK_IMAGE_HEIGHT:
	case CALLBACK_IMAGE_WIDTH:
	case CALLBACK_CRC64:
	case CALLBACK_UNKNOWN:
	case CALLBACK_LITERAL:
		break;
	}
	return S("");
}

static void add_segment(struct strbuf *out, enum callback_body_type type,
	const struct callback_values *values, const struct callback_segment *segment)
{
	SCOPED_STRBUF(crc64, 20);
	if (segment->variable == CALLBACK_LITERAL) {
		strbuf_add_slice(out, segment->text);
	} else if (segment->variable == CALLBACK_SIZE) {
		strbuf_add_u64(out, values->size);
	} else if (segment->variable == CALLBACK_IMAGE_HEIGHT) {
		add_dimension(out, values->image_height);
	} else if (segment->variable == CALLBACK_IMAGE_WIDTH) {
		add_dimension(out, values->image_width);
	} else if (segment->variable == CALLBACK_CRC64) {
		strbuf_add_u64(&crc64, values->crc64);
		add_string(out, type, strbuf_slice(&crc64));
	} else {
		add_string(out, type, string_value(values, segment));
	}
}

enum err callback_message_render(const struct callback_template *body, enum callback_body_type type,
	const struct callback_values *values, struct strbuf *out)
{
	struct slice rest = body->text;
	struct callback_segment segment;
	while (!strbuf_broken(out) && callback_segment_next(&rest, &segment))
		add_segment(out, type, values, &segment);
	return strbuf_broken(out) ? ERR_CALLBACK_TOO_LONG : ERR_OK;
}

const char *callback_content_type(enum callback_body_type type)
{
	return type == CALLBACK_JSON ? "application/json" : "application/x-www-form-urlencoded";
}
