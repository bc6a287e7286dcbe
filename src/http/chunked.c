/* SPDX-License-Identifier: Apache-2.0 */
#include "http/chunked.h"

#include "base/limits.h"
#include "http/syntax.h"

#define SIZE_DIGITS 16

/* The value of a hexadecimal digit, or -1. */
static int hex_value(char c)
{
	if (ascii_digit(c))
		return c - '0';
	c = ascii_lower(c);
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

static bool is_text(char c)
{
	return ((unsigned char)c >= 0x20 && c != 0x7f) || c == '\t';
}

/* What may follow the digits of a size. */
static enum chunked_state after_size(char c)
{
	switch (c) {
	case ';':
		return CHUNKED_AT_EXTENSION;
	case ' ':
	case '\t':
		return CHUNKED_AT_SIZE_SPACE;
	case '\r':
		return CHUNKED_AT_SIZE_LF;
	default:
		return CHUNKED_AT_ERROR;
	}
}

static enum chunked_state in_size(struct chunked *c, char byte)
{
	int digit = hex_value(byte);
	if (digit < 0)
		return c->count > 1 ? after_size(byte) : CHUNKED_AT_ERROR;
	if (c->count > SIZE_DIGITS)
		return CHUNKED_AT_ERROR;
	c->left = c->left << 4 | (uint64_t)digit;
	return CHUNKED_AT_SIZE;
}

/* White space alone is not an extension. */
static enum chunked_state in_size_space(char byte)
{
	enum chunked_state next = after_size(byte);
	return next == CHUNKED_AT_SIZE_LF ? CHUNKED_AT_ERROR : next;
}

static enum chunked_state in_extension(char byte)
{
	if (byte == '\r')
		return CHUNKED_AT_SIZE_LF;
	return is_text(byte) ? CHUNKED_AT_EXTENSION : CHUNKED_AT_ERROR;
}

static enum chunked_state at_size_lf(struct chunked *c, char byte)
{
	if (byte != '\n' || c->left > INT64_MAX)
		return CHUNKED_AT_ERROR;
	c->count = 0;
	return c->left > 0 ? CHUNKED_AT_DATA : CHUNKED_AT_TRAILER;
}

static enum chunked_state at_data_lf(struct chunked *c, char byte)
{
	c->count = 0;
	return byte == '\n' ? CHUNKED_AT_SIZE : CHUNKED_AT_ERROR;
}

static enum chunked_state at_trailer(char byte)
{
	if (byte == '\r')
		return CHUNKED_AT_LAST_LF;
	return syntax_is(byte, SYNTAX_TOKEN) ? CHUNKED_AT_TRAILER_NAME : CHUNKED_AT_ERROR;
}

static enum chunked_state in_trailer_name(char byte)
{
	if (byte == ':')
		return CHUNKED_AT_TRAILER_VALUE;
	return syntax_is(byte, SYNTAX_TOKEN) ? CHUNKED_AT_TRAILER_NAME : CHUNKED_AT_ERROR;
}

static enum chunked_state in_trailer_value(char byte)
{
	if (byte == '\r')
		return CHUNKED_AT_TRAILER_LF;
	return is_text(byte) ? CHUNKED_AT_TRAILER_VALUE : CHUNKED_AT_ERROR;
}

/* The state behind `byte`, which is not content and is counted already. */
static enum chunked_state step(struct chunked *c, char byte)
{
	switch (c->state) {
	case CHUNKED_AT_SIZE:
		return in_size(c, byte);
	case CHUNKED_AT_SIZE_SPACE:
		return in_size_space(byte);
	case CHUNKED_AT_EXTENSION:
		return in_extension(byte);
	case CHUNKED_AT_SIZE_LF:
		return at_size_lf(c, byte);
	case CHUNKED_AT_DATA_CR:
		return byte == '\r' ? CHUNKED_AT_DATA_LF : CHUNKED_AT_ERROR;
	case CHUNKED_AT_DATA_LF:
		return at_data_lf(c, byte);
	case CHUNKED_AT_TRAILER:
		return at_trailer(byte);
	case CHUNKED_AT_TRAILER_NAME:
		return in_trailer_name(byte);
	case CHUNKED_AT_TRAILER_VALUE:
		return in_trailer_value(byte);
	case CHUNKED_AT_TRAILER_LF:
		return byte == '\n' ? CHUNKED_AT_TRAILER : CHUNKED_AT_ERROR;
	case CHUNKED_AT_LAST_LF:
		return byte == '\n' ? CHUNKED_AT_END : CHUNKED_AT_ERROR;
	case CHUNKED_AT_DATA:
	case CHUNKED_AT_END:
	case CHUNKED_AT_ERROR:
		break;
	}
	return CHUNKED_AT_ERROR;
}

/* How many bytes the line that the state is in, or all trailers, may have. */
static uint32_t limit(enum chunked_state state)
{
	return state >= CHUNKED_AT_TRAILER && state <= CHUNKED_AT_LAST_LF ? LIMIT_TRAILER_BYTES
									  : LIMIT_CHUNK_LINE_BYTES;
}

static void feed_byte(struct chunked *c, char byte)
{
	if (c->count == limit(c->state)) {
		c->state = CHUNKED_AT_ERROR;
		return;
	}
	c->count++;
	c->state = step(c, byte);
}

static struct slice take_data(struct chunked *c, struct slice *in)
{
	size_t len = c->left < in->len ? (size_t)c->left : in->len;
	struct slice data = slice_head(*in, len);
	*in = slice_from(*in, len);
	c->left -= len;
	if (c->left == 0)
		c->state = CHUNKED_AT_DATA_CR;
	return data;
}

void chunked_init(struct chunked *c)
{
	*c = (struct chunked){.state = CHUNKED_AT_SIZE};
}

enum chunked_result chunked_feed(struct chunked *c, struct slice *in, struct slice *ret_data)
{
	for (;;) {
		if (c->state == CHUNKED_AT_END)
			return CHUNKED_DONE;
		if (c->state == CHUNKED_AT_ERROR)
			return CHUNKED_BAD;
		if (in->len == 0)
			return CHUNKED_MORE;
		if (c->state == CHUNKED_AT_DATA) {
			*ret_data = take_data(c, in);
			return CHUNKED_DATA;
		}
		feed_byte(c, in->ptr[0]);
		*in = slice_from(*in, 1);
	}
}
