/* SPDX-License-Identifier: Apache-2.0 */
#include "net/exchange.h"

#include <arpa/inet.h>
#include <inttypes.h>

#include "base/clock.h"
#include "base/encode.h"
#include "base/limits.h"
#include "base/log.h"
#include "crypto/random.h"
#include "http/query.h"
#include "net/server_internal.h"

enum {
	US_PER_MS = 1000
};

enum {
	FREE_EXCHANGES = 256, /* kept for reuse by each net thread */
	KEPT_BUFFER_BYTES = 4096,
	LINES_BYTES = 96 << 10,
	NOTE_BYTES = 2048,
};

/*
 * The second, and 64 random bits: who has seen ids cannot tell the next ones, which are in the
 * callbacks of uploads. A used byte is wiped, so that they cannot be read later either.
 */
static void make_id(struct net_thread *net_thread, char id[EXCHANGE_ID_BYTES])
{
	static const char hex[] = "0123456789ABCDEF";
	uint32_t second = (uint32_t)(net_thread->loop.date_second & 0xffffffff);
	for (int i = 7; i >= 0; i--, second >>= 4)
		id[i] = hex[second & 15];
	if (net_thread->id_left == 0) {
		random_bytes(net_thread->id_bytes, sizeof(net_thread->id_bytes));
		net_thread->id_left = sizeof(net_thread->id_bytes);
	}
	for (int i = 8; i < EXCHANGE_ID_BYTES; i += 2) {
		uint8_t *byte = &net_thread->id_bytes[--net_thread->id_left];
		id[i] = hex[*byte >> 4];
		id[i + 1] = hex[*byte & 15];
		*byte = 0;
	}
}

struct exchange *exchange_take(struct connection *c)
{
	struct net_thread *net_thread = c->net_thread;
	struct exchange *x = net_thread->free_exchanges;
	if (x) {
		net_thread->free_exchanges = x->next_free;
		net_thread->free_exchange_count--;
	} else {
		x = malloc(sizeof(*x));
		if (!x)
			return NULL;
		strbuf_init(&x->lines, LINES_BYTES);
		strbuf_init(&x->note, NOTE_BYTES);
		x->account = (struct budget_account){.bytes = 0};
		arena_init_counted(&x->arena, x->first, sizeof(x->first), LIMIT_REQUEST_ARENA_BYTES,
			&x->account, false);
	}
	x->connection = c;
	x->net_thread = net_thread;
	x->kept = false;
	x->hold_count = 0;
	x->is_tls = c->transport.tls != NULL;
	x->handler = NULL;
	x->state = NULL;
	x->bytes_in = 0;
	x->bytes_out = 0;
	x->answered = false;
	x->paused = false;
	x->skips = false;
	x->noted_memory = 0;
	x->status = 0;
	x->memory = S("");
	x->file = -1;
	x->file_left = 0;
	x->check.kind = BLOCK_CHECK_NONE;
	x->damaged = NULL;
	x->held = false;
	x->later = 0;
	x->asking = false;
	x->lost = false;
	x->peer[0] = '\0';
	x->row = NULL;
	x->older = NULL;
	x->newer = NULL;
	(void)loop_date(&net_thread->loop);
	make_id(net_thread, x->id);
	return x;
}

struct budget_account *exchange_account(struct exchange *x)
{
	return &x->account;
}

static void reuse_buffer(struct strbuf *sb)
{
	if (sb->size > KEPT_BUFFER_BYTES)
		strbuf_release(sb);
	else
		strbuf_clear(sb);
	sb->broken = false;
}

void exchange_put_back(struct exchange *x)
{
	struct net_thread *net_thread = x->net_thread;
	while (x->hold_count > 0) {
		x->hold_count--;
		x->holds[x->hold_count].let_go(x->holds[x->hold_count].what);
	}
	arena_reset(&x->arena);
	make_room_leave(x);
	budget_close(&x->account);
	reuse_buffer(&x->lines);
	reuse_buffer(&x->note);
	if (net_thread->free_exchange_count >= FREE_EXCHANGES) {
		strbuf_release(&x->lines);
		strbuf_release(&x->note);
		free(x);
		return;
	}
	x->next_free = net_thread->free_exchanges;
	net_thread->free_exchanges = x;
	net_thread->free_exchange_count++;
}

/* Whatever way the name is spelled: a signature that is spelled oddly holds all the same. */
static bool is_secret(const struct slice *names, struct slice name)
{
	while (names->len && !slice_eq(*names, name))
		names++;
	return names->len > 0;
}

static struct slice loggable_path(const struct exchange *x, struct strbuf *out)
{
	struct slice path = x->head.path, below = x->connection->listener->service->secret_below;
	if (below.len == 0 || path.len == below.len || !slice_starts(path, below))
		return path;
	struct slice rest = slice_from(path, below.len);
	strbuf_add_slice(out, below);
	strbuf_adds(out, "***");
	strbuf_add_slice(out, slice_from(rest, slice_find(rest, '/')));
	return strbuf_slice(out);
}

/* The target without what would let a reader of the log repeat the request. */
static struct slice loggable_target(const struct exchange *x, struct strbuf *out)
{
	const struct slice *names = x->connection->listener->service->secret_params;
	SCOPED_STRBUF(path, LIMIT_HEAD_BYTES);
	struct slice shown = loggable_path(x, &path);
	struct slice rest = x->head.query;
	const struct query_param *decoded = x->query.params;
	struct query_param param;
	static const struct slice no_names[] = {SLICE_LIT("")};
	if (shown.ptr == x->head.path.ptr && (rest.len == 0 || !names))
		return x->head.target;
	strbuf_add_slice(out, shown);
	if (rest.len == 0)
		return strbuf_slice(out);
	names = names ? names : no_names;
	if (!decoded) { /* there was no memory to tell which of it is secret */
		strbuf_adds(out, "?***");
		return strbuf_slice(out);
	}
	for (char mark = '?'; query_next(&rest, &param); mark = '&', decoded++) {
		strbuf_addc(out, mark);
		strbuf_add_slice(out, param.name);
		if (param.has_value)
			strbuf_addc(out, '=');
		if (is_secret(names, decoded->name))
			strbuf_adds(out, "***");
		else if (param.has_value)
			strbuf_add_slice(out, param.value);
	}
	return strbuf_slice(out);
}

static void log_request(struct exchange *x)
{
	struct loop *loop = &x->connection->net_thread->loop;
	if (!log_enabled(LOG_INFO))
		return;
	char target[512];
	char method[32];
	SCOPED_STRBUF(shown, LIMIT_HEAD_BYTES);
	log_line_begin(&loop->log, LOG_INFO);
	strbuf_addf(&loop->log,
		"id=%.*s service=%s peer=%.*s method=%s target=%s status=%d in=%" PRIu64
		" out=%" PRIu64 " ms=%" PRId64,
		EXCHANGE_ID_BYTES, x->id, x->connection->listener->service->name,
		SLICE_FMT(exchange_peer(x)),
		log_quoted(x->head.method_text, method, sizeof(method)),
		log_quoted(loggable_target(x, &shown), target, sizeof(target)), x->status,
		x->bytes_in, x->bytes_out, loop->now_ms - x->started_ms);
	if (x->handler && x->handler->phase)
		strbuf_addf(&loop->log, " phase=%s", x->handler->phase(x->state));
	if (x->note.len) {
		strbuf_addc(&loop->log, ' ');
		strbuf_add_slice(&loop->log, strbuf_slice(&x->note));
	}
	strbuf_addc(&loop->log, '\n');
}

/* From the end of its head to the end of the answer, to the millisecond, as loops know the time. */
static void count_latency(struct exchange *x)
{
	struct listener *listener = x->connection->listener;
	int64_t ms = listener->net_thread->loop.now_ms - x->started_ms;
	histogram_add(&listener->latency, ms > 0 ? (uint64_t)ms * US_PER_MS : 0);
}

void exchange_finish(struct exchange *x)
{
	count_latency(x);
	(void)exchange_peer(x); /* while there is a connection to ask */
	log_request(x);
	make_room_leave(x);
	x->connection = NULL;
	bool kept = x->kept; /* else gone() may not touch it either */
	if (x->handler)
		x->handler->gone(x, x->state);
	if (!kept)
		exchange_put_back(x);
}

void exchange_keep(struct exchange *x)
{
	x->kept = true;
}

void exchange_release(struct exchange *x)
{
	x->kept = false;
	if (exchange_is_gone(x))
		exchange_put_back(x);
}

bool exchange_is_gone(const struct exchange *x)
{
	return x->connection == NULL;
}

void exchange_hold(struct exchange *x, void *held, void (*let_go)(void *held))
{
	if (x->hold_count == EXCHANGE_HELD_MAX)
		abort();
	x->holds[x->hold_count].what = held;
	x->holds[x->hold_count++].let_go = let_go;
}

void *exchange_held(const struct exchange *x)
{
	return x->hold_count > 0 ? x->holds[0].what : NULL;
}

void exchange_attach(struct exchange *x, const struct exchange_handler *handler, void *state)
{
	x->handler = handler;
	x->state = state;
}

const struct request_head *exchange_head(const struct exchange *x)
{
	return &x->head;
}

const struct query *exchange_query(const struct exchange *x)
{
	return &x->query;
}

struct arena *exchange_arena(struct exchange *x)
{
	return &x->arena;
}

struct executor *exchange_home(const struct exchange *x)
{
	return &x->net_thread->loop.executor;
}

struct slice exchange_id(const struct exchange *x)
{
	return slice_of(x->id, EXCHANGE_ID_BYTES);
}

struct slice exchange_peer(struct exchange *x)
{
	const struct connection *c = x->connection;
	if (x->peer[0] || !c)
		return slice_str(x->peer);
	const void *address = &c->peer.v4.sin_addr;
	if (c->peer.any.sa_family == AF_INET6)
		address = &c->peer.v6.sin6_addr;
	if (!inet_ntop(c->peer.any.sa_family, address, x->peer, sizeof(x->peer)))
		return S("unknown");
	return slice_str(x->peer);
}

bool exchange_is_tls(const struct exchange *x)
{
	return x->is_tls;
}

void exchange_pause(struct exchange *x)
{
	x->paused = true;
}

void exchange_resume(struct exchange *x)
{
	struct connection *c = x->connection;
	if (!x->paused || !c)
		return;
	x->paused = false;
	rate_begin(&c->rate, c->net_thread->loop.now_ms); /* the wait was not the client's fault */
	if (c->phase == CONNECTION_BODY && !c->body_done)
		timers_set(&c->net_thread->loop.timers, &c->timer, TIMER_BODY,
			c->net_thread->loop.now_ms);
	connection_run(c);
}

void exchange_skip_body(struct exchange *x)
{
	x->skips = true;
}

void exchange_header(struct exchange *x, const char *name, struct slice value)
{
	if (slice_find(value, '\r') < value.len || slice_find(value, '\n') < value.len ||
		slice_find(value, '\0') < value.len)
		return;
	strbuf_adds(&x->lines, name);
	strbuf_adds(&x->lines, ": ");
	strbuf_add_slice(&x->lines, value);
	strbuf_adds(&x->lines, "\r\n");
}

void exchange_header_lines(struct exchange *x, struct slice lines)
{
	strbuf_add_slice(&x->lines, lines);
}

void exchange_spoil(struct exchange *x)
{
	strbuf_starve(&x->lines);
}

void exchange_note(struct exchange *x, const char *fmt, ...)
{
	va_list ap;
	va_start(ap, fmt);
	exchange_vnote(x, fmt, ap);
	va_end(ap);
}

void exchange_vnote(struct exchange *x, const char *fmt, va_list ap)
{
	if (!log_enabled(LOG_INFO))
		return;
	if (x->note.len)
		strbuf_addc(&x->note, ' ');
	strbuf_vaddf(&x->note, fmt, ap);
}
