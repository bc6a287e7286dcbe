/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Writing answers: what a service has decided becomes bytes, and the bytes reach the socket, from
 * memory or straight from a file.
 */
#include <errno.h>
#include <sys/uio.h>

#include "http/status.h"
#include "net/connection.h"

enum {
	SMALL_FILE_BYTES = 64 << 10,   /* read into the answer: one write instead of two calls */
	WINDOW_BYTES = 1 << 20,        /* of a file, looked at and sent at once */
	WARM_BYTES = 4 << 20,          /* read ahead when it is not in memory */
	SMALL_ANSWER_BYTES = 64 << 10, /* one that socket buffers take */
	HEAD_BYTES = 8 << 10,          /* what an answer's head has at most, usually */
	KEPT_OUT_BYTES = 1 << 20,      /* of the loop's buffer, from one answer to the next */
};

static void count_out(struct connection *c, size_t len)
{
	c->sent += len;
	if (c->x)
		c->x->bytes_out += len;
	atomic_fetch_add_explicit(&c->shard->bytes_out, len, memory_order_relaxed);
}

bool answer_write(struct connection *c, struct slice bytes, bool more)
{
	while (c->out.len == 0 && bytes.len) {
		size_t len = 0;
		enum transport_result r = transport_write(&c->transport, bytes, more, &len);
		if (r == TRANSPORT_AGAIN) {
			c->writable = false;
			break;
		}
		if (r != TRANSPORT_OK)
			return false;
		count_out(c, len);
		bytes = slice_from(bytes, len);
	}
	strbuf_add_slice(&c->out, bytes);
	return !strbuf_broken(&c->out);
}

static bool answer_goes_on(const struct exchange *x)
{
	return x->memory.len || x->file_left || x->later;
}

/* What waits in the connection's own buffer. */
static enum answer_result flush_out(struct connection *c)
{
	while (c->out_at < c->out.len) {
		size_t len = 0;
		bool more = c->x && answer_goes_on(c->x);
		switch (transport_write(
			&c->transport, slice_from(strbuf_slice(&c->out), c->out_at), more, &len)) {
		case TRANSPORT_OK:
			break;
		case TRANSPORT_AGAIN:
			c->writable = false;
			return ANSWER_WAIT;
		case TRANSPORT_EOF:
		case TRANSPORT_FAILED:
			return ANSWER_FAILED;
		}
		count_out(c, len);
		c->out_at += len;
	}
	strbuf_release(&c->out);
	c->out_at = 0;
	return ANSWER_DONE;
}

/* What the service holds in memory. */
static enum answer_result flush_memory(struct connection *c)
{
	struct exchange *x = c->x;
	while (x->memory.len) {
		size_t len = 0;
		switch (transport_write(&c->transport, x->memory, x->later > 0, &len)) {
		case TRANSPORT_OK:
			break;
		case TRANSPORT_AGAIN:
			c->writable = false;
			return ANSWER_WAIT;
		case TRANSPORT_EOF:
		case TRANSPORT_FAILED:
			return ANSWER_FAILED;
		}
		count_out(c, len);
		x->memory = slice_from(x->memory, len);
	}
	return ANSWER_DONE;
}

/* Hands the next part of the file to the warmer if the loop would have to wait for it. */
static bool must_warm(struct connection *c, uint64_t window)
{
	struct exchange *x = c->x;
	if (c->warming)
		return true;
	if (c->warmed) {
		c->warmed = false;
		return false;
	}
	if (warmer_is_warm(x->file, x->file_offset, window))
		return false;
	c->warming = true;
	c->warm.fd = x->file;
	c->warm.offset = x->file_offset;
	c->warm.size = x->file_left < WARM_BYTES ? x->file_left : WARM_BYTES;
	warmer_request(c->shard->warmer, &c->warm);
	return true;
}

static enum answer_result flush_file(struct connection *c)
{
	struct exchange *x = c->x;
	struct loop *loop = &c->shard->loop;
	uint64_t checked = 0;
	/* TLS reads the file into the loop's buffer, where the next request may already be. */
	if (c->transport.tls && !connection_keep_input(c))
		return ANSWER_FAILED;
	while (x->file_left) {
		if (checked == 0) {
			checked = x->file_left < WINDOW_BYTES ? x->file_left : WINDOW_BYTES;
			if (must_warm(c, checked))
				return ANSWER_WAIT;
		}
		size_t len = 0;
		switch (transport_send_file(&c->transport, x->file, x->file_offset, checked,
			loop->in, LOOP_IN_BYTES, &len)) {
		case TRANSPORT_OK:
			break;
		case TRANSPORT_AGAIN:
			c->writable = false;
			return ANSWER_WAIT;
		case TRANSPORT_EOF:
		case TRANSPORT_FAILED:
			return ANSWER_FAILED;
		}
		count_out(c, len);
		x->file_offset += len;
		x->file_left -= len;
		checked -= len;
	}
	return ANSWER_DONE;
}

/* Asks the service where the next bytes are. */
static enum answer_result find_later(struct exchange *x)
{
	if (!x->asking) {
		x->asking = true;
		x->next(x, x->next_ctx, x->next_at);
	}
	if (x->lost)
		return ANSWER_FAILED;
	return x->asking ? ANSWER_WAIT : ANSWER_DONE;
}

enum answer_result answer_flush(struct connection *c)
{
	enum answer_result r = flush_out(c);
	struct exchange *x = c->x;
	while (r == ANSWER_DONE && x && answer_goes_on(x)) {
		if (x->memory.len)
			r = flush_memory(c);
		else
			r = x->file_left ? flush_file(c) : find_later(x);
	}
	return r;
}

/* The status line and all headers, into the loop's output buffer. */
static struct strbuf *compose(struct exchange *x, int status, uint64_t size)
{
	struct connection *c = x->connection;
	struct strbuf *out = &c->shard->loop.out;
	strbuf_clear(out);
	strbuf_adds(out, "HTTP/1.1 ");
	strbuf_add_u64(out, (uint64_t)status);
	strbuf_addc(out, ' ');
	strbuf_adds(out, status_reason(status));
	strbuf_adds(out, "\r\nDate: ");
	strbuf_add_slice(out, loop_date(&c->shard->loop));
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

/* Whether the body can still be read to its end; if it is not here yet the connection will close.
 */
static void settle_body(struct connection *c)
{
	if (!c->body_done && c->body == HTTP_BODY_LENGTH && c->body_left <= c->view.len) {
		c->view = slice_from(c->view, (size_t)c->body_left);
		c->body_left = 0;
		c->body_done = true;
	}
	if (!c->body_done)
		c->close_after = true;
}

static void send_out(struct exchange *x, int status, struct strbuf *out)
{
	struct connection *c = x->connection;
	x->status = status;
	x->answered = true;
	rate_begin(&c->rate, c->shard->loop.now_ms);
	if (strbuf_broken(out) || strbuf_broken(&x->lines) ||
		!answer_write(c, strbuf_slice(out), answer_goes_on(x))) {
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
	settle_body(x->connection);
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

/* Reads a small file behind the headers if that needs no waiting. */
static bool append_file(struct strbuf *out, int fd, uint64_t offset, uint64_t size)
{
	if (size > SMALL_FILE_BYTES)
		return false;
	size_t before = out->len;
	char *room = strbuf_extend(out, (size_t)size);
	if (!room)
		return false;
	struct iovec to = {room, (size_t)size};
	if (preadv2(fd, &to, 1, (off_t)offset, RWF_NOWAIT) == (ssize_t)size)
		return true;
	strbuf_truncate(out, before);
	return false;
}

void exchange_send_file(struct exchange *x, int status, int fd, uint64_t offset, uint64_t size)
{
	if (x->answered || exchange_is_gone(x))
		return;
	settle_body(x->connection);
	struct strbuf *out = compose(x, status, size);
	if (x->head.method != HTTP_HEAD && size && !append_file(out, fd, offset, size)) {
		x->file = fd;
		x->file_offset = offset;
		x->file_left = size;
	}
	send_out(x, status, out);
}

void exchange_send_memory(struct exchange *x, int status, struct slice bytes)
{
	if (x->answered || exchange_is_gone(x))
		return;
	settle_body(x->connection);
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
	settle_body(x->connection);
	struct strbuf *out = compose(x, status, size);
	if (x->head.method != HTTP_HEAD) {
		x->next = next;
		x->next_ctx = ctx;
		x->next_at = 0;
		x->later = size;
	}
	send_out(x, status, out);
}

void exchange_extent(struct exchange *x, int fd, uint64_t offset, uint64_t size)
{
	if (exchange_is_gone(x))
		return;
	x->asking = false;
	x->file = fd;
	x->file_offset = offset;
	x->file_left = size < x->later ? size : x->later;
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
	settle_body(x->connection);
	if (x->head.method != HTTP_HEAD)
		x->connection->close_after = true;
	send_out(x, status, compose(x, status, size));
}
