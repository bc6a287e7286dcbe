/* SPDX-License-Identifier: Apache-2.0 */
/* The answer: what a service has decided becomes a head and the bytes behind it. */
#include <sys/uio.h>

#include "http/status.h"
#include "net/server_internal.h"

enum {
	SMALL_FILE_BYTES = 64 << 10,   /* read into the answer: one write instead of two calls */
	SMALL_ANSWER_BYTES = 64 << 10, /* one that socket buffers take */
	HEAD_BYTES = 8 << 10,          /* what an answer's head has at most, usually */
	KEPT_OUT_BYTES = 1 << 20,      /* of the loop's buffer, from one answer to the next */
};

/* The status line and all headers, into the loop's output buffer. */
static struct strbuf *compose(struct exchange *x, int status, uint64_t size)
{
	struct connection *c = x->connection;
	struct strbuf *out = &c->net_thread->loop.out;
	strbuf_clear(out);
	strbuf_adds(out, "HTTP/1.1 ");
	strbuf_add_u64(out, (uint64_t)status);
	strbuf_addc(out, ' ');
	strbuf_adds(out, status_reason(status));
	strbuf_adds(out, "\r\nDate: ");
	strbuf_add_slice(out, loop_date(&c->net_thread->loop));
	strbuf_adds(out, "\r\n");
	strbuf_add_slice(out, strbuf_slice(&x->lines));
	if (status != 204 && status != 304) {
		strbuf_adds(out, "Content-Length: ");
		strbuf_add_u64(out, size);
		strbuf_adds(out, "\r\n");
	}
	if (c->close_after)
		strbuf_adds(out, "Connection: close\r\n");
	else if (x->head.minor == 0)
		strbuf_adds(out, "Connection: keep-alive\r\n");
	strbuf_adds(out, "\r\n");
	return out;
}

/* Whether the rest of the body is here already; it is thrown away. */
static bool body_is_here(struct connection *c)
{
	struct slice piece;
	enum chunked_result result = CHUNKED_MORE;
	if (c->body_done)
		return true;
	if (c->body == HTTP_BODY_LENGTH && c->body_left <= c->view.len) {
		c->view = slice_from(c->view, (size_t)c->body_left);
		c->body_left = 0;
		return true;
	}
	if (c->body == HTTP_BODY_CHUNKED)
		do
			result = chunked_feed(&c->chunked, &c->view, &piece);
		while (result == CHUNKED_DATA);
	return result == CHUNKED_DONE;
}

/* If the rest of the body is not here yet the connection will close. */
static void end_body(struct connection *c)
{
	c->body_done = body_is_here(c);
	if (!c->body_done)
		c->close_after = true;
}

/* Bytes of files follow the head once the first of them are known to be right. */
static bool write_head(struct exchange *x, struct slice head)
{
	struct connection *c = x->connection;
	bool more = x->file_left || x->later;
	if (more && c->out.len == 0) {
		strbuf_add_slice(&c->out, head);
		x->held = !strbuf_broken(&c->out);
		if (x->held)
			return true;
		strbuf_clear(&c->out); /* without memory it goes at once */
	}
	if (!answer_goes_on(x) && c->out.len == 0 && batch_add(c, head))
		return true;
	return answer_write(c, head, answer_goes_on(x));
}

static void send_out(struct exchange *x, int status, struct strbuf *out)
{
	struct connection *c = x->connection;
	x->status = status;
	x->answered = true;
	rate_begin(&c->rate, c->net_thread->loop.now_ms);
	if (strbuf_broken(out) || strbuf_broken(&x->lines) || !write_head(x, strbuf_slice(out))) {
		connection_abort(c);
		return;
	}
	if (c->out.len == 0)
		strbuf_release(&c->out);
	if (out->size > KEPT_OUT_BYTES)
		strbuf_release(out);
	connection_run(c);
}

bool exchange_reserve(struct exchange *x, size_t size)
{
	struct connection *c = x->connection;
	if (!c || c->out.len || size <= SMALL_ANSWER_BYTES)
		return true;
	strbuf_reserve(&c->out, size + HEAD_BYTES);
	if (!strbuf_broken(&c->out))
		return true;
	strbuf_clear(&c->out); /* nothing has been answered yet */
	return false;
}

void exchange_send(struct exchange *x, int status, struct slice body)
{
	if (x->answered || exchange_is_gone(x))
		return;
	end_body(x->connection);
	bool has_body = x->head.method != HTTP_HEAD && status != 204 && status != 304;
	if (has_body && !exchange_reserve(x, body.len)) {
		status = 503;
		body = S("There is not enough memory for this answer now.\n");
		strbuf_clear(&x->lines);
		strbuf_adds(&x->lines, "Content-Type: text/plain\r\nRetry-After: 1\r\n");
	}
	struct strbuf *out = compose(x, status, body.len);
	if (has_body)
		strbuf_add_slice(out, body);
	send_out(x, status, out);
}

void exchange_guard(struct exchange *x,
	void (*damaged)(struct exchange *x, void *ctx, uint64_t offset), void *ctx)
{
	x->damaged = damaged;
	x->damaged_ctx = ctx;
}

bool exchange_take_back(struct exchange *x)
{
	if (exchange_is_gone(x) || !x->held)
		return false;
	strbuf_clear(&x->connection->out);
	strbuf_clear(&x->lines);
	x->held = false;
	x->answered = false;
	x->asking = false;
	x->file_left = 0;
	x->memory = S("");
	x->later = 0;
	return true;
}

/* What has only one sum cannot be checked but as a whole. */
static void set_bytes(struct exchange *x, const struct exchange_bytes *bytes, uint64_t size)
{
	bool part = bytes->offset != bytes->check.begin || size != bytes->check.size;
	x->file = bytes->fd;
	x->file_offset = bytes->offset;
	x->file_left = size;
	x->check = bytes->check;
	x->check_crc = 0;
	if (x->check.kind == BLOCK_CHECK_LATE && part)
		x->check.kind = BLOCK_CHECK_NONE;
}

/*
 * Reads a small file behind the headers if that needs no waiting, and leaves there what was asked
 * for of it. If it is not what was stored, answer_flush_checked() finds it out as well.
 */
static bool append_file(struct strbuf *out, const struct exchange_bytes *bytes)
{
	bool checked = bytes->check.kind == BLOCK_CHECK_WHOLE;
	uint64_t begin = checked ? bytes->check.begin : bytes->offset;
	uint64_t size = checked ? bytes->check.size : bytes->size;
	uint64_t bad;
	if (size > SMALL_FILE_BYTES || (!checked && bytes->check.kind != BLOCK_CHECK_NONE))
		return false;
	size_t before = out->len;
	char *room = strbuf_extend(out, (size_t)size);
	if (!room)
		return false;
	struct iovec to = {room, (size_t)size};
	if (preadv2(bytes->fd, &to, 1, (off_t)begin, RWF_NOWAIT) != (ssize_t)size ||
		(checked && !block_check_fits(
				    &bytes->check, begin, slice_of(room, (size_t)size), &bad))) {
		strbuf_truncate(out, before);
		return false;
	}
	if (bytes->size < size) {
		memmove(room, room + (bytes->offset - begin), (size_t)bytes->size);
		strbuf_truncate(out, before + (size_t)bytes->size);
	}
	return true;
}

void exchange_send_file(struct exchange *x, int status, const struct exchange_bytes *bytes)
{
	if (x->answered || exchange_is_gone(x))
		return;
	end_body(x->connection);
	struct strbuf *out = compose(x, status, bytes->size);
	if (x->head.method != HTTP_HEAD && bytes->size && !append_file(out, bytes))
		set_bytes(x, bytes, bytes->size);
	send_out(x, status, out);
}

void exchange_send_memory(struct exchange *x, int status, struct slice bytes)
{
	if (x->answered || exchange_is_gone(x))
		return;
	end_body(x->connection);
	struct strbuf *out = compose(x, status, bytes.len);
	bool has_body = x->head.method != HTTP_HEAD;
	if (has_body && bytes.len <= SMALL_FILE_BYTES)
		strbuf_add_slice(out, bytes);
	else if (has_body)
		x->memory = bytes;
	send_out(x, status, out);
}

void exchange_send_extents(struct exchange *x, int status, uint64_t size,
	void (*next)(struct exchange *x, void *ctx, uint64_t at), void *ctx)
{
	if (x->answered || exchange_is_gone(x))
		return;
	end_body(x->connection);
	struct strbuf *out = compose(x, status, size);
	if (x->head.method != HTTP_HEAD) {
		x->next = next;
		x->next_ctx = ctx;
		x->next_at = 0;
		x->later = size;
	}
	send_out(x, status, out);
}

void exchange_extent(struct exchange *x, const struct exchange_bytes *bytes)
{
	if (exchange_is_gone(x))
		return;
	x->asking = false;
	set_bytes(x, bytes, bytes->size < x->later ? bytes->size : x->later);
	x->next_at += x->file_left;
	x->later -= x->file_left;
	connection_run(x->connection);
}

void exchange_extent_memory(struct exchange *x, struct slice bytes)
{
	if (exchange_is_gone(x))
		return;
	x->asking = false;
	x->memory = slice_head(bytes, x->later);
	x->next_at += x->memory.len;
	x->later -= x->memory.len;
	connection_run(x->connection);
}

void exchange_extent_failed(struct exchange *x)
{
	if (exchange_is_gone(x))
		return;
	x->lost = true;
	connection_run(x->connection);
}

void exchange_send_head(struct exchange *x, int status, uint64_t size)
{
	if (x->answered || exchange_is_gone(x))
		return;
	end_body(x->connection);
	if (x->head.method != HTTP_HEAD)
		x->connection->close_after = true;
	send_out(x, status, compose(x, status, size));
}
