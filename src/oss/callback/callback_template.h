/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The template of a callback message: constant text with `${variables}` in it (spec: callback
 * section 4). A struct callback_template borrows its text and can only hold a well-formed one.
 * Nothing here allocates. Pure functions: any thread.
 */
#ifndef OSS_CALLBACK_CALLBACK_TEMPLATE_H
#define OSS_CALLBACK_CALLBACK_TEMPLATE_H

#include <stdint.h>

#include "base/err.h"
#include "base/slice.h"
#include "base/strbuf.h"

enum callback_body_type {
	CALLBACK_FORM, /* application/x-www-form-urlencoded */
	CALLBACK_JSON, /* application/json */
};

enum callback_variable {
	CALLBACK_BUCKET,
	CALLBACK_OBJECT,
	CALLBACK_ETAG,
	CALLBACK_SIZE,
	CALLBACK_MIME_TYPE,
	CALLBACK_IMAGE_HEIGHT,
	CALLBACK_IMAGE_WIDTH,
	CALLBACK_IMAGE_FORMAT,
	CALLBACK_CRC64,
	CALLBACK_CONTENT_MD5,
	CALLBACK_VPC_ID,
	CALLBACK_CLIENT_IP,
	CALLBACK_REQ_ID,
	CALLBACK_OPERATION,
	CALLBACK_CUSTOM,  /* x:name */
	CALLBACK_UNKNOWN, /* any other name; stands for nothing */
	CALLBACK_LITERAL, /* no variable: constant text */
};

struct callback_template {
	struct slice text;
	uint32_t uses; /* a bit for each enum callback_variable */
};

/*
 * Checks the whole text: ERR_CALLBACK_BAD_TEMPLATE, with a `reason`, for `$(`, a `${` without `}`,
 * an empty name, and `$`, `{` or control characters inside a name. A `$` before anything else is
 * constant text.
 */
enum err callback_template_parse(
	struct slice text, struct callback_template *ret, struct strbuf *reason) MUST_USE;

static inline bool callback_template_uses(
	const struct callback_template *t, enum callback_variable variable)
{
	return (t->uses >> variable & 1) != 0;
}

/* Whether width, height or format of an image are asked for. */
static inline bool callback_template_uses_image(const struct callback_template *t)
{
	return callback_template_uses(t, CALLBACK_IMAGE_HEIGHT) ||
	       callback_template_uses(t, CALLBACK_IMAGE_WIDTH) ||
	       callback_template_uses(t, CALLBACK_IMAGE_FORMAT);
}

/* A piece of a template: constant text, or the name of a variable without `${` and `}`. */
struct callback_segment {
	enum callback_variable variable;
	struct slice text;
};

/*
 * Takes the next piece off the front of *rest, which begins as a whole well-formed template. False
 * at its end. (A malformed rest counts as constant text.)
 */
bool callback_segment_next(struct slice *rest, struct callback_segment *ret) MUST_USE;

#endif
