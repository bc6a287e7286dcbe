/* SPDX-License-Identifier: Apache-2.0 */
/* Writing: the bytes of answers reach the socket, from memory or straight from a file. */
#include "net/server_internal.h"

enum {
	WINDOW_BYTES = 1 << 20,   /* of a file, looked at and sent at once */
	PREFETCH_BYTES = 4 << 20, /* read ahead when it is not in memory */
};

static void count_out(struct connection *c, size_t len)
{
	c->sent += len;
	if (c->x)
		c->x->bytes_out += len;
	atomic_fetch_add_explicit(&c->net_thread->bytes_out, len, memory_order_relaxed);
}

static enum answer_result result_of(enum transport_result r)
{
	switch (r) {
	case TRANSPORT_OK:
		return ANSWER_DONE;
	case TRANSPORT_AGAIN:
		return ANSWER_WAIT;
	case TRANSPORT_EOF:
	case TRANSPORT_FAILED:
		break;
	}
	return ANSWER_FAILED;
}

enum answer_result answer_put(struct connection *c, struct slice *bytes, bool more)
{
	enum answer_result r = ANSWER_DONE;
	while (bytes->len && r == ANSWER_DONE) {
		size_t len = 0;
		r = result_of(transport_write(&c->transport, *bytes, more, &len));
		count_out(c, len);
		*bytes = slice_from(*bytes, len);
	}
	return r;
}

bool answer_write(struct connection *c, struct slice bytes, bool more)
{
	if (c->out.len == 0 && answer_put(c, &bytes, more) == ANSWER_FAILED)
		return false;
	strbuf_add_slice(&c->out, bytes);
	return !strbuf_broken(&c->out);
}

bool answer_goes_on(const struct exchange *x)
{
	return x->memory.len || x->file_left || x->later;
}

enum answer_result answer_flush_out(struct connection *c)
{
	struct slice left = slice_from(strbuf_slice(&c->out), c->out_at);
	enum answer_result r = answer_put(c, &left, c->x && answer_goes_on(c->x));
	c->out_at = c->out.len - left.len;
	if (r != ANSWER_DONE)
		return r;
	strbuf_release(&c->out);
	c->out_at = 0;
	return ANSWER_DONE;
}

void answer_prefetch(struct connection *c, uint64_t offset, uint64_t size)
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
	answer_prefetch(c, x->file_offset, x->file_left);
	return true;
}

enum answer_result answer_let_go(struct connection *c)
{
	struct exchange *x = c->x;
	if (!x->held)
		return ANSWER_DONE;
	x->held = false;
	return answer_flush_out(c);
}

/* What the service holds in memory. */
static enum answer_result flush_memory(struct connection *c)
{
	struct exchange *x = c->x;
	enum answer_result head = answer_let_go(c);
	return head != ANSWER_DONE ? head : answer_put(c, &x->memory, x->later > 0);
}

enum answer_result answer_tell_damaged(struct connection *c, uint64_t offset)
{
	struct exchange *x = c->x;
	if (x->damaged)
		x->damaged(x, x->damaged_ctx, offset);
	if (c->x != x || x->file_left)
		return ANSWER_FAILED;
	return x->answered ? answer_flush_out(c) : ANSWER_FAILED;
}

enum answer_result answer_send_file(struct connection *c, uint64_t *size)
{
	struct exchange *x = c->x;
	size_t len = 0;
	enum answer_result head = answer_let_go(c);
	if (head != ANSWER_DONE)
		return head;
	enum transport_result sent = transport_send_file(&c->transport, x->file, x->file_offset,
		*size, c->net_thread->loop.in, LOOP_IN_BYTES, &len);
	if (sent == TRANSPORT_EOF)
		return answer_tell_damaged(c, x->file_offset);
	if (sent != TRANSPORT_OK)
		return result_of(sent);
	count_out(c, len);
	x->file_offset += len;
	x->file_left -= len;
	*size -= len;
	return ANSWER_DONE;
}

uint64_t answer_window(const struct exchange *x)
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
	while (r == ANSWER_DONE && x->file_left) {
		if (window == 0) {
			window = answer_window(x);
			if (must_prefetch(c, window))
				return ANSWER_WAIT;
		}
		r = answer_send_file(c, &window);
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
		return answer_flush_out(c); /* the service has answered anew */
	return x->asking ? ANSWER_WAIT : ANSWER_DONE;
}

static enum answer_result flush_bytes(struct connection *c)
{
	return c->x->check.kind == BLOCK_CHECK_NONE ? flush_file(c) : answer_flush_checked(c);
}

enum answer_result answer_flush(struct connection *c)
{
	struct exchange *x = c->x;
	enum answer_result r = x && x->held ? ANSWER_DONE : answer_flush_out(c);
	if (r == ANSWER_DONE && x && answer_goes_on(x))
		batch_send(c->net_thread); /* what follows takes longer */
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
