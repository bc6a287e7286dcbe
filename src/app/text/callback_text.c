/* SPDX-License-Identifier: Apache-2.0 */
#include "app/text/callback_text.h"

#include "base/encode.h"
#include "base/limits.h"
#include "oss/callback/ticket.h"
#include "oss/text/json_text.h"

#define TEXT_BYTES_MAX KIB(16)
#define END_BYTES_MAX 128

/*
 * The classic names come first: a back end written for the classic sample finds what it expects.
 * The others are what our own receiver needs (upload_message.h); sentCrc64 and sentSha256 are
 * what the page has said before the file.
 */
static const char body_template[] =
	"filename=${object}&size=${size}&mimeType=${mimeType}&height=${imageInfo.height}"
	"&width=${imageInfo.width}&bucket=${bucket}&object=${object}&etag=${etag}"
	"&format=${imageInfo.format}&reqId=${reqId}&clientIp=${clientIp}&crc64=${crc64}"
	"&sentCrc64=${x:crc64}&sentSha256=${x:sha256}&grant=";

static void write_end(struct slice url, struct strbuf *out)
{
	strbuf_addc(out, '"');
	json_member_string(out, "callbackBodyType", S("application/x-www-form-urlencoded"));
	/* Without it a TLS server with several names shows the wrong certificate. */
	if (slice_starts(url, S("https://")))
		json_member_bool(out, "callbackSNI", true);
	strbuf_addc(out, '}');
}

bool callback_text_init(struct callback_text *ret, struct slice url)
{
	SCOPED_STRBUF(start, TEXT_BYTES_MAX);
	strbuf_init(&ret->start_, 2 * TEXT_BYTES_MAX);
	strbuf_init(&ret->left_, 2);
	strbuf_init(&ret->end_, END_BYTES_MAX);
	strbuf_addc(&start, '{');
	json_member_string(&start, "callbackUrl", url);
	json_member(&start, "callbackBody");
	strbuf_addc(&start, '"');
	strbuf_adds(&start, body_template);
	struct slice text = strbuf_slice(&start);
	size_t whole = text.len / 3 * 3;
	base64_encode(&ret->start_, slice_head(text, whole));
	strbuf_add_slice(&ret->left_, slice_from(text, whole));
	write_end(url, &ret->end_);
	return !strbuf_broken(&start) && !strbuf_broken(&ret->start_) &&
	       !strbuf_broken(&ret->left_) && !strbuf_broken(&ret->end_);
}

void callback_text_release(struct callback_text *text)
{
	strbuf_release(&text->start_);
	strbuf_release(&text->left_);
	strbuf_release(&text->end_);
}

void callback_text_add(const struct callback_text *text, struct slice ticket, struct strbuf *out)
{
	char rest[2 + TICKET_TEXT_MAX + END_BYTES_MAX];
	size_t len = text->left_.len;
	if (ticket.len > TICKET_TEXT_MAX) {
		out->broken = true;
		return;
	}
	memcpy(rest, text->left_.ptr, len);
	memcpy(rest + len, ticket.ptr, ticket.len);
	len += ticket.len;
	memcpy(rest + len, text->end_.ptr, text->end_.len);
	len += text->end_.len;
	strbuf_add_slice(out, strbuf_slice(&text->start_));
	base64_encode(out, slice_of(rest, len));
}
