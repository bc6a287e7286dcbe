/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Fills a callback template (spec: callback section 4). No value can add a parameter to a form or
 * a member to JSON, whatever an object is called:
 *
 *  - form: every byte of a value but A-Z a-z 0-9 - . _ ~ is percent-encoded;
 *  - JSON: a value is one JSON string, quotes included; size, width and height are bare numbers.
 *
 * An absent number is empty text in both. An absent string, and an unknown variable, is empty text
 * in a form and `""` in JSON. (If the author of a JSON template put quotes around a string
 * variable the result is not JSON. OSS does the same, and the receiver will notice.)
 */
#ifndef OSS_CALLBACK_CALLBACK_MESSAGE_H
#define OSS_CALLBACK_CALLBACK_MESSAGE_H

#include <stdint.h>

#include "base/err.h"
#include "base/slice.h"
#include "base/strbuf.h"
#include "oss/callback/callback_template.h"

/* What is known of an upload. */
struct callback_values {
	struct slice bucket;
	struct slice object;
	struct slice etag; /* upper-case hexadecimal, without quotes */
	uint64_t size;
	struct slice mime_type;
	uint32_t image_width; /* 0: not an image */
	uint32_t image_height;
	struct slice image_format;
	uint64_t crc64;
	struct slice content_md5; /* base64 */
	struct slice vpc_id;
	struct slice client_ip;
	struct slice request_id;
	struct slice operation; /* "PostObject" */
	/* The value of `${x:name}`, or the empty slice; `name` begins with `x:`. May be NULL. */
	struct slice (*custom)(void *ctx, struct slice name);
	void *custom_ctx;
};

/*
 * Appends the message. ERR_CALLBACK_TOO_LONG if it passes the ceiling of `out`, which should be
 * LIMIT_CALLBACK_BODY_BYTES, or if there is no memory; `out` is then broken.
 */
enum err callback_message_render(const struct callback_template *body, enum callback_body_type type,
	const struct callback_values *values, struct strbuf *out) MUST_USE;

/* "application/x-www-form-urlencoded" or "application/json". */
const char *callback_content_type(enum callback_body_type type);

#endif
