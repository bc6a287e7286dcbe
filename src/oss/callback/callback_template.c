/* SPDX-License-Identifier: Apache-2.0 */
#include "oss/callback/callback_template.h"

static const char *const names[] = {
	[CALLBACK_BUCKET] = "bucket",
	[CALLBACK_OBJECT] = "object",
	[CALLBACK_ETAG] = "etag",
	[CALLBACK_SIZE] = "size",
	[CALLBACK_MIME_TYPE] = "mimeType",
	[CALLBACK_IMAGE_HEIGHT] = "imageInfo.height",
	[CALLBACK_IMAGE_WIDTH] = "imageInfo.width",
	[CALLBACK_IMAGE_FORMAT] = "imageInfo.format",
	[CALLBACK_CRC64] = "crc64",
	[CALLBACK_CONTENT_MD5] = "contentMd5",
	[CALLBACK_VPC_ID] = "vpcId",
	[CALLBACK_CLIENT_IP] = "clientIp",
	[CALLBACK_REQ_ID] = "reqId",
	[CALLBACK_OPERATION] = "operation",
};

static enum callback_variable variable_of(struct slice name)
{
	for (size_t i = 0; i < ARRAY_LEN(names); i++)
		if (slice_eq(name, slice_str(names[i])))
			return (enum callback_variable)i;
	return slice_starts(name, S("x:")) && name.len > 2 ? CALLBACK_CUSTOM : CALLBACK_UNKNOWN;
}

enum scan_state {
	SCAN_TEXT,   /* in constant text */
	SCAN_DOLLAR, /* behind a `$` in it */
	SCAN_NAME,   /* in a name, which began behind `${` */
};

enum scan_result {
	SCAN_END,      /* nothing is left */
	SCAN_LITERAL,  /* constant text */
	SCAN_VARIABLE, /* a name */
	SCAN_BAD,
};

/*
 * The machine that reads a template: takes one piece off *rest. With SCAN_BAD, *ret_reason says
 * what is wrong and *rest is as before.
 */
static enum scan_result scan(struct slice *rest, struct slice *ret, const char **ret_reason)
{
	struct slice text = *rest;
	enum scan_state state = SCAN_TEXT;
	for (size_t i = 0; i < text.len; i++) {
		char c = text.ptr[i];
		switch (state) {
		case SCAN_TEXT:
			if (c == '$')
				state = SCAN_DOLLAR;
			break;
		case SCAN_DOLLAR:
			if (c == '(') {
				*ret_reason = "variables are written ${name}, not $(name)";
				return SCAN_BAD;
			}
			if (c == '{' && i > 1) {
				*ret = slice_head(text, i - 1);
				*rest = slice_from(text, i - 1);
				return SCAN_LITERAL;
			}
			if (c == '{')
				state = SCAN_NAME;
			else if (c != '$')
				state = SCAN_TEXT;
			break;
		case SCAN_NAME:
			if (c == '}' && i == 2) {
				*ret_reason = "a variable has no name";
				return SCAN_BAD;
			}
			if (c == '}') {
				*ret = slice_of(text.ptr + 2, i - 2);
				*rest = slice_from(text, i + 1);
				return SCAN_VARIABLE;
			}
			if (c == '$' || c == '{' || (unsigned char)c < 0x20 || c == 0x7f) {
				*ret_reason = "a ${ is not closed by }";
				return SCAN_BAD;
			}
			break;
		}
	}
	if (state == SCAN_NAME) {
		*ret_reason = "a ${ is not closed by }";
		return SCAN_BAD;
	}
	*ret = text;
	*rest = slice_from(text, text.len);
	return text.len ? SCAN_LITERAL : SCAN_END;
}

enum err callback_template_parse(
	struct slice text, struct callback_template *ret, struct strbuf *reason)
{
	struct callback_template t = {.text = text};
	struct slice rest = text;
	struct slice piece;
	const char *why = "";
	for (;;) {
		switch (scan(&rest, &piece, &why)) {
		case SCAN_BAD:
			strbuf_addf(reason, "The callbackBody is malformed: %s.", why);
			return ERR_CALLBACK_BAD_TEMPLATE;
		case SCAN_END:
			*ret = t;
			return ERR_OK;
		case SCAN_VARIABLE:
			t.uses |= 1u << variable_of(piece);
			break;
		case SCAN_LITERAL:
			break;
		}
	}
}

bool callback_segment_next(struct slice *rest, struct callback_segment *ret)
{
	const char *why;
	ret->variable = CALLBACK_LITERAL;
	switch (scan(rest, &ret->text, &why)) {
	case SCAN_END:
		return false;
	case SCAN_LITERAL:
		break;
	case SCAN_VARIABLE:
		ret->variable = variable_of(ret->text);
		break;
	case SCAN_BAD:
		ret->text = *rest;
		*rest = slice_from(*rest, rest->len);
		break;
	}
	return true;
}
