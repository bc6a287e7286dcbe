/* SPDX-License-Identifier: Apache-2.0 */
#include "net/server_internal.h"

#include <errno.h>
#include <netinet/tcp.h>
#include <sys/epoll.h>
#include <sys/socket.h>

#include "base/clock.h"
#include "base/log.h"
#include "http/status.h"

enum {
	STEPS_PER_TURN = 64, /* then other connections get theirs */
	/* Of a head, with what the client has sent behind it: what waits there for its turn has to
	   be kept. Bodies flow in larger pieces. */
	HEAD_READ_BYTES = 64 << 10,
	/* Of a body that nobody wants, thrown away before the request is answered. */
	SKIPPED_BYTES = 64 << 10,
	/* Of a body, at once: answers of others do not wait for what is done with it. */
	LONG_PIECE_BYTES = 64 << 10,
	/* If there are too many connections: how many are looked at for one to be closed, and how
	   long a head, or a handshake, may take then. */
	CLOSED_SEARCH = 64,
	PATIENCE_MS = 1000,
};

static void set_timer(struct connection *c, enum timer_kind kind)
{
	timers_set(&c->net_thread->loop.timers, &c->timer, kind, c->net_thread->loop.now_ms);
}

static bool is_stopping(const struct connection *c)
{
	return c->listener->fd < 0;
}

enum budget_pool connection_pool(const struct connection *c)
{
	enum budget_pool pool = c->listener->service->pool;
	return pool == BUDGET_UNASSIGNED ? BUDGET_ANONYMOUS : pool;
}

/* Once nothing on the stack or in a mailbox refers to it. */
static void free_if_unused(struct connection *c)
{
	if (c->phase != CONNECTION_CLOSED || c->running || c->prefetching || c->queued ||
		c->batched)
		return;
	if (c->x)
		exchange_finish(TAKE(c->x));
	transport_close(&c->transport);
	strbuf_release(&c->stash);
	strbuf_release(&c->out);
	budget_close(&c->buffers);
	budget_close(&c->tls);
	loop_forget(&c->net_thread->loop, &c->watch);
	free(c);
}

static void close_now(struct connection *c)
{
	if (c->phase == CONNECTION_CLOSED)
		return;
	c->phase = CONNECTION_CLOSED;
	timers_cancel(&c->timer);
	/* While the prefetcher reads the file that is being sent, the file has to stay open. */
	if (c->x && !c->prefetching)
		exchange_finish(TAKE(c->x));
	transport_close(&c->transport);
	c->prev->next = c->next;
	c->next->prev = c->prev;
	atomic_fetch_sub_explicit(&c->net_thread->connection_count, 1, memory_order_relaxed);
	atomic_fetch_sub_explicit(&c->listener->port->connections, 1, memory_order_relaxed);
	/* What this loop did for the connection is done before server_drain() sees it gone. */
	atomic_fetch_sub_explicit(&c->listener->connection_count, 1, memory_order_release);
}

void connection_abort(struct connection *c)
{
	close_now(c);
	free_if_unused(c);
}

/*
 * Reads more behind what `view` holds. False: wait, or the connection has been closed.
 */
static bool fill(struct connection *c)
{
	struct loop *loop = &c->net_thread->loop;
	if (!c->readable)
		return false;
	if (c->view.len && c->view.ptr != loop->in)
		memmove(loop->in, c->view.ptr, c->view.len);
	size_t room = LOOP_IN_BYTES - c->view.len;
	if (c->phase == CONNECTION_HEAD && room > HEAD_READ_BYTES)
		room = HEAD_READ_BYTES;
	size_t len = 0;
	switch (transport_read(&c->transport, loop->in + c->view.len, room, &len)) {
	case TRANSPORT_OK:
		c->view = slice_of(loop->in, c->view.len + len);
		/* A short read has emptied the socket: the next byte brings a new event. */
		if (len < room && !c->transport.tls && !c->peer_closed)
			c->readable = false;
		return true;
	case TRANSPORT_AGAIN:
		c->view.ptr = c->view.len ? loop->in : NULL;
		c->readable = false;
		return false;
	case TRANSPORT_EOF:
	case TRANSPORT_FAILED:
		break;
	}
	close_now(c);
	return false;
}

/* ---- Heads ------------------------------------------------------------------------------------
 */

/* Answers what cannot be read as a request, and closes. `why` is for the client and the log. */
static void refuse(struct connection *c, struct exchange *x, int status, const char *why)
{
	const struct service *service = c->listener->service;
	const struct refused_head refused = {
		.status = status, .why = why, .id = slice_of(x->id, EXCHANGE_ID_BYTES)};
	SCOPED_STRBUF(lines, 1024);
	SCOPED_STRBUF(body, LIMIT_ERROR_BODY_BYTES);
	SCOPED_STRBUF(text, 1024 + LIMIT_ERROR_BODY_BYTES);
	if (service->refuse) {
		service->refuse(service->ctx, &refused, &lines, &body);
	} else {
		strbuf_adds(&lines, "Content-Type: text/plain\r\n");
		strbuf_addf(&body, "%d %s: %s (request %.*s)\n", status, status_reason(status), why,
			SLICE_FMT(refused.id));
	}
	strbuf_addf(&text, "HTTP/1.1 %d %s\r\nDate: %.*s\r\n", status, status_reason(status),
		SLICE_FMT(loop_date(&c->net_thread->loop)));
	strbuf_add_slice(&text, strbuf_slice(&lines));
	if (status == 503)
		strbuf_adds(&text, "Retry-After: 1\r\n");
	strbuf_addf(&text, "Content-Length: %zu\r\nConnection: close\r\n\r\n", body.len);
	strbuf_add_slice(&text, strbuf_slice(&body));
	log_info("id=%.*s service=%s peer=%.*s status=%d refused a malformed request: %s",
		SLICE_FMT(refused.id), service->name, SLICE_FMT(exchange_peer(x)), status, why);
	c->view = (struct slice){NULL, 0};
	c->body = HTTP_BODY_NONE;
	c->body_done = false; /* so that what still comes is read and thrown away */
	c->close_after = true;
	c->phase = CONNECTION_ANSWER;
	bool made = !strbuf_broken(&lines) && !strbuf_broken(&body) && !strbuf_broken(&text);
	if (!made || !answer_write(c, strbuf_slice(&text), false))
		close_now(c);
}

static void rebase(struct slice *s, struct slice from, const char *to)
{
	if (s->ptr >= from.ptr && s->ptr <= from.ptr + from.len)
		s->ptr = to + (s->ptr - from.ptr);
}

/* Moves the head's text out of the loop's buffer into the exchange. */
static bool keep_head(struct exchange *x, struct slice text)
{
	struct request_head *head = &x->head;
	struct slice kept = arena_copy(&x->arena, text);
	if (!kept.ptr)
		return false;
	struct slice *const parts[] = {
		&head->method_text, &head->target, &head->path, &head->query, &head->host};
	for (size_t i = 0; i < ARRAY_LEN(parts); i++)
		rebase(parts[i], text, kept.ptr);
	for (size_t i = 0; i < head->header_count; i++) {
		rebase(&head->headers[i].name, text, kept.ptr);
		rebase(&head->headers[i].value, text, kept.ptr);
	}
	return true;
}

static void body_starts(struct connection *c)
{
	const struct request_head *head = &c->x->head;
	c->body = head->body;
	c->body_left = head->content_length;
	c->body_done = head->body == HTTP_BODY_NONE ||
		       (head->body == HTTP_BODY_LENGTH && head->content_length == 0);
	chunked_init(&c->chunked);
	rate_begin(&c->rate, c->net_thread->loop.now_ms);
}

/* A head is complete in c->x: lets the service see it. */
static void begin(struct connection *c, size_t head_size)
{
	struct exchange *x = c->x;
	if (!keep_head(x, slice_head(c->view, head_size)) ||
		!query_parse(x->head.query, &x->arena, &x->query)) {
		close_now(c);
		return;
	}
	c->view = slice_from(c->view, head_size);
	c->head_scanned = 0;
	c->close_after = !x->head.keep_alive || x->head.both_lengths || is_stopping(c);
	x->started_ms = c->net_thread->loop.now_ms;
	atomic_fetch_add_explicit(&c->net_thread->request_count, 1, memory_order_relaxed);
	body_starts(c);
	const struct service *service = c->listener->service;
	if (service->pool != BUDGET_UNASSIGNED && !exchange_assign(x, service->pool)) {
		x->status = 503;
		refuse(c, x, 503, "there is no memory for another request");
		if (c->x)
			exchange_finish(TAKE(c->x));
		return;
	}
	c->phase = CONNECTION_BODY;
	set_timer(c, TIMER_BODY);
	service->begin(service->ctx, x);
	if (c->phase != CONNECTION_BODY)
		return;
	if (x->head.expect_continue && !c->body_done && !x->answered && !x->skips &&
		c->view.len == 0 && !answer_write(c, S("HTTP/1.1 100 Continue\r\n\r\n"), false))
		close_now(c);
}

static bool step_head(struct connection *c)
{
	c->view = slice_from(c->view, request_head_skip(c->view));
	if (request_head_awaited(c->view)) {
		if (is_stopping(c)) {
			close_now(c);
			return false;
		}
		if (c->timer.prev == NULL || c->timer.kind != TIMER_IDLE)
			set_timer(c, TIMER_IDLE);
		return fill(c);
	}
	if (c->timer.prev == NULL || c->timer.kind != TIMER_HEAD)
		set_timer(c, TIMER_HEAD);
	struct exchange *x = exchange_take(c);
	if (!x) {
		close_now(c);
		return false;
	}
	size_t size = 0;
	switch (request_head_parse(c->view, c->head_scanned, &x->head, &size)) {
	case HEAD_DONE:
		if (x->head.both_lengths && !c->listener->service->takes_both_lengths) {
			refuse(c, x, 400, "there are both Content-Length and Transfer-Encoding");
			break;
		}
		c->x = x;
		begin(c, size);
		return true;
	case HEAD_MORE:
		exchange_put_back(x);
		c->head_scanned = size;
		return fill(c);
	case HEAD_BAD:
		refuse(c, x, 400, x->head.fault);
		break;
	case HEAD_TOO_LONG:
		refuse(c, x, 431, x->head.fault);
		break;
	case HEAD_VERSION:
		refuse(c, x, 505, x->head.fault);
		break;
	}
	exchange_put_back(x);
	return true;
}

/* ---- Bodies -----------------------------------------------------------------------------------
 */

enum body_step {
	BODY_PIECE,
	BODY_NEEDS_INPUT,
	BODY_BROKEN
};

/* The next piece of the body out of c->view; sets c->body_done with, or after, the last. */
static enum body_step next_piece(struct connection *c, struct slice *ret)
{
	*ret = (struct slice){NULL, 0};
	if (c->body == HTTP_BODY_LENGTH) {
		*ret = slice_head(
			c->view, c->body_left < c->view.len ? (size_t)c->body_left : c->view.len);
		c->view = slice_from(c->view, ret->len);
		c->body_left -= ret->len;
		c->body_done = c->body_left == 0;
		return ret->len || c->body_done ? BODY_PIECE : BODY_NEEDS_INPUT;
	}
	switch (chunked_feed(&c->chunked, &c->view, ret)) {
	case CHUNKED_MORE:
		return BODY_NEEDS_INPUT;
	case CHUNKED_DATA:
		return BODY_PIECE;
	case CHUNKED_DONE:
		c->body_done = true;
		return BODY_PIECE;
	case CHUNKED_BAD:
		break;
	}
	return BODY_BROKEN;
}

/* The client is too slow: the service may say so, else the connection is dropped. */
static void stalled(struct connection *c)
{
	struct exchange *x = c->x;
	if (x && x->handler && x->handler->stalled && !x->answered) {
		x->handler->stalled(x, x->state);
		if (c->phase != CONNECTION_CLOSED && x->answered) {
			c->close_after = true;
			return;
		}
	}
	close_now(c);
}

static void deliver(struct connection *c, struct slice piece)
{
	struct exchange *x = c->x;
	x->bytes_in += piece.len;
	atomic_fetch_add_explicit(&c->net_thread->bytes_in, piece.len, memory_order_relaxed);
	if (piece.len >= LONG_PIECE_BYTES)
		batch_send(c->net_thread); /* it takes long */
	if (x->handler && piece.len)
		x->handler->body(x, x->state, piece);
}

static void end_of_body(struct connection *c)
{
	struct exchange *x = c->x;
	timers_cancel(&c->timer);
	c->phase = CONNECTION_WAIT;
	if (x->handler)
		x->handler->end(x, x->state);
}

static bool step_body(struct connection *c)
{
	struct exchange *x = c->x;
	if (x->answered) {
		c->phase = CONNECTION_ANSWER;
		return true;
	}
	if (x->paused) {
		timers_cancel(&c->timer);
		return false;
	}
	if (c->body_done) {
		end_of_body(c);
		return true;
	}
	struct slice piece;
	switch (next_piece(c, &piece)) {
	case BODY_PIECE:
		deliver(c, piece);
		return true;
	case BODY_NEEDS_INPUT: {
		size_t before = c->view.len;
		bool enough = x->skips && x->bytes_in >= SKIPPED_BYTES;
		if (enough || !fill(c)) {
			if (c->phase == CONNECTION_CLOSED || !x->skips)
				return false;
			end_of_body(c);
			return true;
		}
		set_timer(c, TIMER_BODY);
		if (!rate_count(&c->rate, &c->net_thread->body_rate, c->view.len - before,
			    c->net_thread->loop.now_ms))
			stalled(c);
		return true;
	}
	case BODY_BROKEN:
		refuse(c, x, 400, "the chunks of the body are not well-formed");
		if (c->x)
			exchange_finish(TAKE(c->x));
		return true;
	}
	return false;
}

/* ---- Answers ----------------------------------------------------------------------------------
 */

/* The answer is out: the next request, or the end of the connection. */
static void answered(struct connection *c)
{
	timers_cancel(&c->timer);
	if (c->x)
		exchange_finish(TAKE(c->x));
	budget_return(&c->buffers, connection_pool(c), (struct slots){0});
	if (c->phase == CONNECTION_CLOSED)
		return;
	if (!c->body_done || (c->close_after && (c->readable || c->view.len))) {
		/* The client is still sending: closing now would reset the connection, and it
		   might never see the answer. */
		transport_shutdown(&c->transport);
		set_timer(c, TIMER_LINGER);
		c->phase = CONNECTION_LINGER;
	} else if (c->close_after) {
		if (c->transport.tls)
			transport_shutdown(&c->transport);
		close_now(c);
	} else {
		c->phase = CONNECTION_HEAD;
	}
}

static bool step_answer(struct connection *c)
{
	uint64_t before = c->sent;
	if (c->batched)
		return false;
	switch (answer_flush(c)) {
	case ANSWER_DONE:
		answered(c);
		return true;
	case ANSWER_WAIT:
		/* Only what the client takes counts, not that it sends something. */
		if (c->prefetching || (c->x && c->x->asking)) {
			timers_cancel(&c->timer);
			rate_begin(&c->rate, c->net_thread->loop.now_ms);
		} else if (!rate_count(&c->rate, &c->net_thread->answer_rate, c->sent - before,
				   c->net_thread->loop.now_ms)) {
			break;
		} else if (c->sent != before || !c->timer.prev || c->timer.kind != TIMER_WRITE) {
			set_timer(c, TIMER_WRITE);
		}
		return false;
	case ANSWER_FAILED:
		break;
	}
	close_now(c);
	return false;
}

static bool step_linger(struct connection *c)
{
	c->view = (struct slice){NULL, 0};
	return fill(c);
}

static bool step(struct connection *c)
{
	switch (c->phase) {
	case CONNECTION_HANDSHAKE:
		batch_send(c->net_thread); /* it takes long */
		switch (transport_handshake(&c->transport)) {
		case TRANSPORT_OK:
			c->phase = CONNECTION_HEAD;
			return true;
		case TRANSPORT_AGAIN:
			c->readable = false;
			return false;
		case TRANSPORT_EOF:
		case TRANSPORT_FAILED:
			break;
		}
		close_now(c);
		return false;
	case CONNECTION_HEAD:
		return step_head(c);
	case CONNECTION_BODY:
		return step_body(c);
	case CONNECTION_WAIT:
		if (!c->x->answered)
			return false;
		c->phase = CONNECTION_ANSWER;
		return true;
	case CONNECTION_ANSWER:
		return step_answer(c);
	case CONNECTION_LINGER:
		return step_linger(c);
	case CONNECTION_CLOSED:
		break;
	}
	return false;
}

static void run_or_free(struct connection *c)
{
	if (c->phase == CONNECTION_CLOSED)
		free_if_unused(c);
	else
		connection_run(c);
}

static void on_prefetched(struct task *task)
{
	struct prefetch_request *request = CONTAINER_OF(task, struct prefetch_request, done);
	struct connection *c = CONTAINER_OF(request, struct connection, prefetch);
	c->prefetching = false;
	c->prefetched = true;
	run_or_free(c);
}

static void run_again(struct task *task)
{
	struct connection *c = CONTAINER_OF(task, struct connection, again);
	c->queued = false;
	run_or_free(c);
}

void connection_go_on(struct connection *c, bool failed)
{
	if (failed)
		close_now(c);
	run_or_free(c);
}

bool connection_keep_input(struct connection *c)
{
	if (c->view.len == 0) {
		strbuf_release(&c->stash);
		c->view = (struct slice){NULL, 0};
		return true;
	}
	if (c->stash.len && c->view.ptr >= c->stash.ptr &&
		c->view.ptr <= c->stash.ptr + c->stash.len)
		return true; /* it is still where it was kept */
	strbuf_clear(&c->stash);
	strbuf_add_slice(&c->stash, c->view);
	if (strbuf_broken(&c->stash))
		return false;
	c->view = strbuf_slice(&c->stash);
	return true;
}

/* The loop's next turn goes on with it. */
static void run_soon(struct connection *c)
{
	if (c->queued)
		return;
	c->queued = true;
	executor_post(&c->net_thread->loop.executor, &c->again);
}

void connection_starve(struct connection *c)
{
	struct exchange *x = c->x;
	c->running = true;
	if (x->handler && x->handler->starved && !x->answered)
		x->handler->starved(x, x->state);
	else
		close_now(c);
	c->running = false;
	if (c->phase != CONNECTION_CLOSED && !x->answered)
		close_now(c);
	if (c->phase == CONNECTION_CLOSED)
		free_if_unused(c);
	else
		run_soon(c);
}

void connection_run(struct connection *c)
{
	if (c->running || c->phase == CONNECTION_CLOSED)
		return;
	c->running = true;
	int steps = 0;
	/* If there is no memory to keep the input for the next turn, it goes on. */
	while (step(c))
		if (++steps >= STEPS_PER_TURN && connection_keep_input(c))
			break;
	c->running = false;
	if (c->phase == CONNECTION_CLOSED) {
		free_if_unused(c);
		return;
	}
	if (steps >= STEPS_PER_TURN)
		run_soon(c);
	if (!connection_keep_input(c))
		connection_abort(c);
	else if (!c->batched)
		make_room_wait(c);
}

static void ready(struct loop_watch *watch, uint32_t events)
{
	struct connection *c = CONTAINER_OF(watch, struct connection, watch);
	if (events & (EPOLLIN | EPOLLRDHUP | EPOLLHUP | EPOLLERR))
		c->readable = true;
	if (events & (EPOLLRDHUP | EPOLLHUP | EPOLLERR))
		c->peer_closed = true;
	if (events & (EPOLLHUP | EPOLLERR)) {
		connection_abort(c);
		return;
	}
	connection_run(c);
}

/* What OpenSSL will hold. If there is no memory, who has been waiting for longest makes room. */
static bool take_tls(struct connection *c)
{
	while (!budget_take(&c->tls, TLS_BYTES))
		if (!connection_drop_idle(c->listener))
			return false;
	return true;
}

void connection_open(struct listener *listener, int fd, const struct sockaddr *peer)
{
	struct net_thread *net_thread = listener->net_thread;
	struct connection *c = calloc(1, sizeof(*c));
	if (!c) {
		close(fd);
		return;
	}
	c->watch.ready = ready;
	c->net_thread = net_thread;
	c->listener = listener;
	c->transport.fd = fd;
	c->prefetch.done.run = on_prefetched;
	c->again.run = run_again;
	c->prefetch.home = &net_thread->loop.executor;
	c->buffers.pool = connection_pool(c);
	c->tls.pool = connection_pool(c);
	strbuf_init_counted(&c->stash, LOOP_IN_BYTES, &c->buffers);
	strbuf_init_counted(&c->out, LIMIT_ANSWER_BYTES, &c->buffers);
	memcpy(&c->peer, peer,
		peer->sa_family == AF_INET6 ? sizeof(c->peer.v6) : sizeof(c->peer.v4));
	c->phase = listener->tls ? CONNECTION_HANDSHAKE : CONNECTION_HEAD;
	int one = 1;
	(void)setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
	c->next = &net_thread->connections;
	c->prev = net_thread->connections.prev;
	c->prev->next = c;
	c->next->prev = c;
	atomic_fetch_add_explicit(&net_thread->connection_count, 1, memory_order_relaxed);
	atomic_fetch_add_explicit(&listener->port->connections, 1, memory_order_relaxed);
	atomic_fetch_add_explicit(&listener->connection_count, 1, memory_order_relaxed);
	if ((listener->tls &&
		    (!take_tls(c) || !(c->transport.tls = tls_accept(listener->tls, fd)))) ||
		!loop_watch_add(&net_thread->loop, fd, &c->watch)) {
		connection_abort(c);
		return;
	}
	set_timer(c, listener->tls ? TIMER_HANDSHAKE : TIMER_IDLE);
}

void connection_timer_due(struct timer *timer)
{
	struct connection *c = CONTAINER_OF(timer, struct connection, timer);
	if (timer->kind == TIMER_BODY && c->phase == CONNECTION_BODY) {
		c->running = true;
		stalled(c);
		c->running = false;
		run_or_free(c);
		return;
	}
	connection_abort(c);
}

/* The first of the kind's timers that is a connection of the listener, and set long enough ago. */
static struct connection *longest(struct listener *listener, enum timer_kind kind, int64_t age_ms)
{
	struct timers *timers = &listener->net_thread->loop.timers;
	int64_t now = listener->net_thread->loop.now_ms;
	struct timer *at = timers_each(timers, kind, NULL);
	for (int i = 0; i < CLOSED_SEARCH && at; i++, at = timers_each(timers, kind, at)) {
		struct connection *c = CONTAINER_OF(at, struct connection, timer);
		if (at->deadline_ms - timers->duration_ms[kind] + age_ms > now)
			return NULL;
		if (c->listener == listener && !c->running)
			return c;
	}
	return NULL;
}

bool connection_drop_idle(struct listener *listener)
{
	struct connection *c = longest(listener, TIMER_IDLE, 0);
	if (!c)
		c = longest(listener, TIMER_HEAD, PATIENCE_MS);
	if (!c)
		c = longest(listener, TIMER_HANDSHAKE, PATIENCE_MS);
	if (c)
		connection_abort(c);
	return c != NULL;
}

void connection_stop(struct connection *c)
{
	c->close_after = true;
	if ((c->phase == CONNECTION_HEAD && request_head_awaited(c->view)) ||
		c->phase == CONNECTION_LINGER)
		connection_abort(c);
}
