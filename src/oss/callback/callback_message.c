/* SPDX-License-Identifier: Apache-2.0 */
#include "oss/callback/callback_message.h"

#include "base/encode.h"
#include "base/limits.h"
#include "oss/text/json_text.h"

static void add_string(struct strbuf *out, enum callback_body_type type, struct slice value)
{
	if (type == CALLBACK_FORM) {
		percent_encode(out, value);
		return;
	}
	if (utf8_valid(value)) {
		json_add_string(out, value);
		return;
	}
	SCOPED_STRBUF(repaired, 3 * value.len);
	utf8_repair(&repaired, value);
	json_add_string(out, strbuf_slice(&repaired));
	out->broken |= strbuf_broken(&repaired);
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
