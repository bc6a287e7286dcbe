/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Writing answers: what a service has decided becomes bytes, and the bytes reach the socket, from
 * memory or straight from a file.
 */
#include <errno.h>
#include <sys/uio.h>
#include <time.h>

#include "crypto/crc64.h"
#include "http/status.h"
#include "net/connection.h"

enum {
	SMALL_FILE_BYTES = 64 << 10,   /* read into the answer: one write instead of two calls */
	WINDOW_BYTES = 1 << 20,        /* of a file, looked at and sent at once */
	CHECKED_BYTES = 256 << 10,     /* of a file, read, checked and sent at once */
	CHECKED_TLS_BYTES = 64 << 10,  /* by TLS, which checks again what the socket refused */
	PREFETCH_BYTES = 4 << 20,      /* read ahead when it is not in memory */
	SMALL_ANSWER_BYTES = 64 << 10, /* one that socket buffers take */
	HEAD_BYTES = 8 << 10,          /* what an answer's head has at most, usually */
	KEPT_OUT_BYTES = 1 << 20,      /* of the loop's buffer, from one answer to the next */
};

static void count_out(struct connection *c, size_t len)
{
	c->sent += len;
	if (c->x)
		c->x->bytes_out += len;
	atomic_fetch_add_explicit(&c->net_thread->bytes_out, len, memory_order_relaxed);
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

/* Hands a range of the file to the prefetcher. */
static void prefetch(struct connection *c, uint64_t offset, uint64_t size)
{
	c->prefetching = true;
	c->prefetch.fd = c->x->file;
	c->prefetch.offset = offset;
	c->prefetch.size = size < PREFETCH_BYTES ? size : PREFETCH_BYTES;
	prefetcher_request(c->net_thread->prefetcher, &c->prefetch);
}

/* Hands the next part of the file to the prefetcher if the loop would have to wait for it. */
static bool must_prefetch(struct connection *c, uint64_t window)
{
	struct exchange *x = c->x;
	if (c->prefetching)
		return true;
	if (c->prefetched) {
		c->prefetched = false;
		return false;
	}
	if (prefetcher_is_cached(x->file, x->file_offset, window))
		return false;
	prefetch(c, x->file_offset, x->file_left);
	return true;
}

/* The head goes out, now that the first bytes behind it may. */
static enum answer_result let_go(struct connection *c)
{
	struct exchange *x = c->x;
	if (!x->held)
		return ANSWER_DONE;
	x->held = false;
	return flush_out(c);
}

/* What the service holds in memory. */
static enum answer_result flush_memory(struct connection *c)
{
	struct exchange *x = c->x;
	enum answer_result head = let_go(c);
	if (head != ANSWER_DONE)
		return head;
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

/* Tells the service, which may answer anew. */
static enum answer_result tell_damaged(struct connection *c, uint64_t offset)
{
	struct exchange *x = c->x;
	if (x->damaged)
		x->damaged(x, x->damaged_ctx, offset);
	if (c->x != x || x->file_left)
		return ANSWER_FAILED;
	return x->answered ? flush_out(c) : ANSWER_FAILED;
}

/* Sends the next bytes of the file, *size at most, and takes them off. */
static enum answer_result send_file(struct connection *c, uint64_t *size)
{
	struct exchange *x = c->x;
	size_t len = 0;
	enum answer_result head = let_go(c);
	if (head != ANSWER_DONE)
		return head;
	switch (transport_send_file(&c->transport, x->file, x->file_offset, *size,
		c->net_thread->loop.in, LOOP_IN_BYTES, &len)) {
	case TRANSPORT_OK:
		break;
	case TRANSPORT_AGAIN:
		c->writable = false;
		return ANSWER_WAIT;
	case TRANSPORT_EOF:
		return tell_damaged(c, x->file_offset);
	case TRANSPORT_FAILED:
		return ANSWER_FAILED;
	}
	count_out(c, len);
	x->file_offset += len;
	x->file_left -= len;
	*size -= len;
	return ANSWER_DONE;
}

static uint64_t window_of(const struct exchange *x)
{
	return x->file_left < WINDOW_BYTES ? x->file_left : WINDOW_BYTES;
}

static enum answer_result flush_file(struct connection *c)
{
	struct exchange *x = c->x;
	uint64_t window = 0;
	enum answer_result r = ANSWER_DONE;
	/* TLS reads the file into the loop's buffer, where the next request may already be. */
	if (c->transport.tls && !connection_keep_input(c))
		return ANSWER_FAILED;
	while (x->file_left && r == ANSWER_DONE) {
		if (window == 0) {
			window = window_of(x);
			if (must_prefetch(c, window))
				return ANSWER_WAIT;
		}
		r = send_file(c, &window);
	}
	return r;
}

/* ---- Checked files --------------------------------------------------------------------------- */

/* What is read at once, and how much of it is to be sent. */
struct window {
	uint64_t begin;
	size_t size;
	size_t skip; /* bytes in front that are not */
	size_t send;
};

/*
 * The window for what comes next. One that is tried again begins where it did, and is no shorter:
 * TLS wants the same bytes.
 */
static struct window next_window(const struct exchange *x)
{
	const struct block_check *check = &x->check;
	struct window w = {.begin = x->file_offset};
	size_t max = x->is_tls ? CHECKED_TLS_BYTES : CHECKED_BYTES;
	if (check->kind == BLOCK_CHECK_LATE) {
		w.size = x->file_left < max ? (size_t)x->file_left : max;
		w.send = w.size;
		return w;
	}
	uint64_t end = x->file_offset + x->file_left;
	w.size = block_check_span(check, x->file_offset, end, max, &w.begin);
	w.skip = (size_t)(x->file_offset - w.begin);
	w.send = w.size - w.skip;
	if (w.send > x->file_left)
		w.send = (size_t)x->file_left;
	return w;
}

/* Reads as much as there is; false if the loop would have to wait. */
static bool read_window(struct connection *c, const struct window *w, char *to, size_t *ret_got)
{
	struct exchange *x = c->x;
	bool wait = c->prefetched;
	size_t got = 0;
	c->prefetched = false;
	while (got < w->size) {
		struct iovec iov = {to + got, w->size - got};
		ssize_t n =
			preadv2(x->file, &iov, 1, (off_t)(w->begin + got), wait ? 0 : RWF_NOWAIT);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0 && errno == EOPNOTSUPP && !wait) {
			wait = true; /* a file system that cannot tell is taken as it is */
			continue;
		}
		if (n <= 0 && !wait)
			return false;
		if (n <= 0)
			break;
		got += (size_t)n;
	}
	*ret_got = got;
	return true;
}

/* Whether what was read is what was stored; all of it was read if so. */
static bool window_fits(
	const struct exchange *x, const struct window *w, struct slice bytes, uint64_t *ret_bad)
{
	const struct block_check *check = &x->check;
	*ret_bad = w->begin + bytes.len;
	if (bytes.len < w->size)
		return false;
	if (check->kind != BLOCK_CHECK_LATE)
		return block_check_fits(check, w->begin, bytes, ret_bad);
	*ret_bad = check->begin;
	return w->size < x->file_left || crc64_update(x->check_crc, bytes) == check->crc64;
}

/* Sends what was checked. */
static enum answer_result send_window(struct connection *c, struct slice bytes)
{
	struct exchange *x = c->x;
	enum answer_result head = let_go(c);
	if (head != ANSWER_DONE)
		return head;
	while (bytes.len) {
		size_t len = 0;
		bool more = bytes.len < x->file_left || x->later;
		switch (transport_write(&c->transport, bytes, more, &len)) {
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
		if (x->check.kind == BLOCK_CHECK_LATE)
			x->check_crc = crc64_update(x->check_crc, slice_head(bytes, len));
		x->file_offset += len;
		x->file_left -= len;
		bytes = slice_from(bytes, len);
	}
	return ANSWER_DONE;
}

/* Which file it is, if what is known of its blocks helps: TLS needs the bytes in memory anyhow. */
static bool can_know(struct connection *c, struct checked_file *ret)
{
	struct timespec now;
	if (c->transport.tls || c->x->check.kind != BLOCK_CHECK_BLOCKS)
		return false;
	(void)clock_gettime(CLOCK_REALTIME_COARSE, &now);
	return checked_identify(c->x->file, (int64_t)now.tv_sec * 1000000000 + now.tv_nsec, ret);
}

/* How much of what comes next was checked a moment ago, and is still in memory. */
static uint64_t known_of(const struct connection *c, const struct checked_file *file)
{
	const struct exchange *x = c->x;
	const struct net_thread *t = c->net_thread;
	uint64_t known =
		checked_known(t->checked, file, x->file_offset, window_of(x), t->loop.now_ms);
	return known && prefetcher_is_cached(x->file, x->file_offset, known) ? known : 0;
}

/*
 * Reads, checks and sends some. What is sent lies in the loop's buffer and is what was checked: the
 * file may change, or be read from the disk again, meanwhile. What the socket does not take is
 * read and checked again.
 */
static enum answer_result check_and_send(struct connection *c, const struct checked_file *file)
{
	struct exchange *x = c->x;
	struct strbuf *out = &c->net_thread->loop.out;
	struct window w = next_window(x);
	size_t got;
	uint64_t bad;
	strbuf_clear(out);
	char *room = strbuf_extend(out, w.size);
	if (!room)
		return ANSWER_FAILED;
	if (!read_window(c, &w, room, &got)) {
		uint64_t size = w.skip + x->file_left;
		prefetch(c, w.begin, size < w.size ? w.size : size);
		return ANSWER_WAIT;
	}
	if (!window_fits(x, &w, slice_of(room, got), &bad))
		return tell_damaged(c, bad);
	if (file)
		checked_note(
			c->net_thread->checked, file, w.begin, w.size, c->net_thread->loop.now_ms);
	return send_window(c, slice_of(room + w.skip, w.send));
}

static enum answer_result flush_checked(struct connection *c)
{
	struct exchange *x = c->x;
	struct checked_file file;
	bool can = can_know(c, &file);
	uint64_t known = 0;
	enum answer_result r = ANSWER_DONE;
	while (x->file_left && r == ANSWER_DONE) {
		if (c->prefetching)
			return ANSWER_WAIT;
		if (known == 0 && can)
			known = known_of(c, &file);
		r = known ? send_file(c, &known) : check_and_send(c, can ? &file : NULL);
	}
	return r;
}

/* Asks the service where the next bytes are. */
static enum answer_result find_later(struct connection *c)
{
	struct exchange *x = c->x;
	if (!x->asking) {
		x->asking = true;
		x->next(x, x->next_ctx, x->next_at);
	}
	if (c->x != x || x->lost || !x->answered)
		return ANSWER_FAILED;
	if (!answer_goes_on(x))
		return flush_out(c); /* the service has answered anew */
	return x->asking ? ANSWER_WAIT : ANSWER_DONE;
}

static enum answer_result flush_bytes(struct connection *c)
{
	return c->x->check.kind == BLOCK_CHECK_NONE ? flush_file(c) : flush_checked(c);
}

enum answer_result answer_flush(struct connection *c)
{
	struct exchange *x = c->x;
	enum answer_result r = x && x->held ? ANSWER_DONE : flush_out(c);
	while (r == ANSWER_DONE && x && answer_goes_on(x)) {
		if (x->memory.len)
			r = flush_memory(c);
		else if (x->file_left)
			r = flush_bytes(c);
		else
			r = find_later(c);
	}
	return r;
}

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
 * for of it. If it is not what was stored, flush_checked() finds it out as well.
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
	settle_body(x->connection);
	struct strbuf *out = compose(x, status, bytes->size);
	if (x->head.method != HTTP_HEAD && bytes->size && !append_file(out, bytes))
		set_bytes(x, bytes, bytes->size);
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
	settle_body(x->connection);
	if (x->head.method != HTTP_HEAD)
		x->connection->close_after = true;
	send_out(x, status, compose(x, status, size));
}
