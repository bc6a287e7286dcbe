/* SPDX-License-Identifier: Apache-2.0 */
/*
 * An exchange is one HTTP request and its answer on a connection. This is what a service (the
 * object store's operations, the application server) sees of the network; sockets, TLS, framing,
 * keep-alive, pipelining, Expect and timeouts stay behind it.
 *
 * Order of events for one exchange, all on the loop that owns the connection:
 *
 *	service.begin  once, when the head has arrived. The service may answer, or attach a handler.
 *	handler.body   for each piece of the body, unless the exchange was already answered
 *	handler.end    once the body is complete, even if it is empty, or not waited for
 *	               (exchange_skip_body()), unless the exchange was already answered
 *	handler.gone   exactly once, last: the answer was sent, or the client disconnected or was
 *	               dropped for a limit. The exchange is invalid afterwards.
 *
 * A service answers with exchange_send*(), once, at any time between begin and gone. If it answers
 * before the whole body was read, the rest is read and discarded for a while, so that a browser
 * in the middle of an upload sees the answer and not a reset. Then the connection is closed.
 *
 * exchange_send*() may find that the connection is lost and call handler.gone before it returns.
 * Afterwards the service must touch neither the exchange, unless it keeps it, nor anything that
 * its gone() frees.
 *
 * Nothing here blocks. A service that waits for a disk or for another server returns, and answers
 * later from a task on exchange_home().
 */
#ifndef NET_EXCHANGE_H
#define NET_EXCHANGE_H

#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/budget.h"
#include "base/slice.h"
#include "base/strbuf.h"
#include "base/task.h"
#include "crypto/block_check.h"
#include "http/head.h"
#include "http/query.h"

struct exchange;

/* Why a head was refused. */
struct refused_head {
	int status;      /* 400, 431 or 505 */
	const char *why; /* "there is no Host header" */
	struct slice id; /* as exchange_id() */
};

struct service {
	const char *name; /* for the log */
	void (*begin)(void *ctx, struct exchange *x);
	void *ctx;
	/* Names of query parameters whose values must not be logged; ends with an empty one. May be
	 * NULL. */
	const struct slice *secret_params;
	/* Of a path that begins so, what follows up to the next `/` must not be logged. May be
	 * empty. */
	struct slice secret_below;
	/*
	 * The pool in which the memory of requests is counted until exchange_trust(). UNASSIGNED:
	 * none until the request has to wait, then BUDGET_ANONYMOUS.
	 */
	enum budget_pool pool;
	/*
	 * Whether a request may have both Content-Length and `Transfer-Encoding: chunked`
	 * (http/head.h). The chunks decide, and the connection takes no other request.
	 */
	bool takes_both_lengths;
	/*
	 * Optional: makes the answer to a refused head; by default it is a line of text. Appends
	 * header lines, each ended by CRLF, and the body.
	 */
	void (*refuse)(void *ctx, const struct refused_head *refused, struct strbuf *lines,
		struct strbuf *body);
};

struct exchange_handler {
	/* `piece` is valid during the call only. */
	void (*body)(struct exchange *x, void *state, struct slice piece);
	void (*end)(struct exchange *x, void *state);
	void (*gone)(struct exchange *x, void *state);
	/*
	 * Optional: the client stopped sending in the middle of the body, or sends too slowly. The
	 * service may answer; if it does not, the connection is dropped.
	 */
	void (*stalled)(struct exchange *x, void *state);
	/*
	 * Optional: there is no memory for an unsigned request, or newer ones need it. The service
	 * may answer; if it does not, the connection is dropped.
	 */
	void (*starved)(struct exchange *x, void *state);
	/* Optional: one word for the request's line in the log, the phase it is in. */
	const char *(*phase)(const void *state);
};

/* From service.begin only. Without a handler the body is discarded and nothing is called. */
void exchange_attach(struct exchange *x, const struct exchange_handler *handler, void *state);

/*
 * Keeps the exchange's memory, with the request in it, after handler.gone until exchange_release(),
 * which must be called on the exchange's loop. In between the exchange is gone: functions that
 * send, pause or add to the answer do nothing.
 */
void exchange_keep(struct exchange *x);
void exchange_release(struct exchange *x);
bool exchange_is_gone(const struct exchange *x);

/*
 * Something that the exchange needs for as long as its memory is there: `let_go` is called with it
 * once, on the exchange's loop, when handler.gone has returned or, after exchange_keep(), when it
 * is released. At most EXCHANGE_HELD_MAX; from service.begin on.
 */
#define EXCHANGE_HELD_MAX 2
void exchange_hold(struct exchange *x, void *held, void (*let_go)(void *held));
/* What was held first; NULL: nothing. */
void *exchange_held(const struct exchange *x);

/* ---- The request ------------------------------------------------------------------------------
 */

/* The parsed head; its slices live as long as the exchange. */
const struct request_head *exchange_head(const struct exchange *x);
/* The query of its target, decoded; lives as long. */
const struct query *exchange_query(const struct exchange *x);
/* Memory that lives as long as the exchange. */
struct arena *exchange_arena(struct exchange *x);
/* Where tasks for this exchange must be posted. */
struct executor *exchange_home(const struct exchange *x);
/*
 * The account for all memory held for the exchange (base/budget.h). It is closed when the exchange
 * becomes invalid or, after exchange_keep(), is released; what is counted in it must be freed
 * before.
 */
struct budget_account *exchange_account(struct exchange *x);

/*
 * Until it is gone `bytes` of memory are held for it in other accounts, as of a store: if its
 * client is slow to take the answer it may have to make room. The largest of several counts.
 */
void exchange_note_memory(struct exchange *x, size_t bytes);
/*
 * The signature was verified: moves the request's memory to BUDGET_SIGNED, into the share of
 * `requester`, which is only read. False if there is not enough there. Requests of the console's
 * port stay in BUDGET_CONSOLE.
 */
bool exchange_trust(struct exchange *x, struct slice requester) MUST_USE;
/* The request is not signed: counts its memory in BUDGET_ANONYMOUS. False if there is not enough.
 */
bool exchange_admit(struct exchange *x) MUST_USE;
/* 24 upper-case hexadecimal digits, unique and unpredictable; for x-oss-request-id and the log. */
struct slice exchange_id(const struct exchange *x);
/* The client's address without port: "127.0.0.1", "::1". */
struct slice exchange_peer(struct exchange *x);
/* Whether the connection is TLS. */
bool exchange_is_tls(const struct exchange *x);

/*
 * Pauses and resumes the body. In between neither handler.body nor handler.end is called, and the
 * socket is not read, so that the client slows down.
 */
void exchange_pause(struct exchange *x);
void exchange_resume(struct exchange *x);

/*
 * The body is of no use to the service: what is here of it is thrown away, and handler.end does not
 * wait for the rest, which is treated as after an early answer. From service.begin, or while it is
 * paused.
 */
void exchange_skip_body(struct exchange *x);

/* ---- The answer -------------------------------------------------------------------------------
 */

/*
 * Adds a header line. `value` is copied. A value with CR, LF or NUL is dropped (it can only come
 * from a bug). net adds Date, Content-Length, Connection
 * and Transfer-Encoding itself.
 */
void exchange_header(struct exchange *x, const char *name, struct slice value);
/* Adds header lines that are ready to send, each ended by CRLF; copied. */
void exchange_header_lines(struct exchange *x, struct slice lines);
/* A header could not be made for want of memory: the answer is not sent, the connection ends. */
void exchange_spoil(struct exchange *x);

/*
 * Reserves memory for an answer of `size` bytes before it is made, because what the client does not
 * read at once must be kept. If false, answer with a short 503 instead. Without a reservation
 * exchange_send() does this itself.
 */
bool exchange_reserve(struct exchange *x, size_t size) MUST_USE;

/* Answers with a body in memory, which is copied. For HEAD only its length is sent. */
void exchange_send(struct exchange *x, int status, struct slice body);

/* Bytes of a file, and how they are checked: they lie in the run of `check`. */
struct exchange_bytes {
	int fd;
	uint64_t offset;
	uint64_t size;
	struct block_check check;
};

/*
 * Before exchange_send_file() or exchange_send_extents(): `damaged` is called once if the file is
 * damaged, with the offset in the file where the damaged block begins, or where the file ended too
 * early. A block is checked before any byte of it is sent. A run with BLOCK_CHECK_LATE can be
 * checked only if all of it is sent; then its last bytes are sent after the check. After `damaged`
 * the connection is dropped, unless the service has called exchange_take_back() and answered.
 */
void exchange_guard(struct exchange *x,
	void (*damaged)(struct exchange *x, void *ctx, uint64_t offset), void *ctx);

/*
 * If nothing has left yet of an answer with bytes of files, forgets it, with all its headers: true,
 * and the service answers anew at once. From `damaged` and `next` only.
 */
bool exchange_take_back(struct exchange *x) MUST_USE;

/*
 * Answers with bytes of a file. `fd`, its file and the sums of the check must stay readable until
 * handler.gone. For HEAD only the length is told. What has no check is sent without
 * copying where the kernel can.
 */
void exchange_send_file(struct exchange *x, int status, const struct exchange_bytes *bytes);

/*
 * Answers with bytes that are not copied: they must stay until handler.gone. For HEAD only their
 * length is told.
 */
void exchange_send_memory(struct exchange *x, int status, struct slice bytes);

/*
 * Answers with `size` bytes in several extents. Whenever the bytes up to `at` have been sent, at
 * first with `at` 0, `next` is called. It calls exchange_extent(),
 * exchange_extent_memory() or exchange_extent_failed(), at once or later. `next` may be called
 * before this returns, and is not called for HEAD. If the client disconnects meanwhile,
 * handler.gone is called as usual.
 */
void exchange_send_extents(struct exchange *x, int status, uint64_t size,
	void (*next)(struct exchange *x, void *ctx, uint64_t at), void *ctx);

/*
 * Due once for each call of `next`: the following bytes, as many of bytes->size (at least 1) as are
 * still missing. They must stay readable until `next` is called again or handler.gone.
 */
void exchange_extent(struct exchange *x, const struct exchange_bytes *bytes);
/* The same, of bytes in memory: at least one. */
void exchange_extent_memory(struct exchange *x, struct slice bytes);
/* Instead: they cannot be had. The connection is dropped. Or see exchange_take_back(). */
void exchange_extent_failed(struct exchange *x);

/*
 * Answers as to HEAD whatever the method: sends `size` as the length, and no body. Closes the
 * connection if the client expects a body because of its method.
 */
void exchange_send_head(struct exchange *x, int status, uint64_t size);

/*
 * Adds key=value text, which is copied, to the request's line in the log. Untrusted text must be
 * quoted with log_quoted(). Costs nothing if the log has no such lines.
 */
void exchange_note(struct exchange *x, const char *fmt, ...) PRINTF_LIKE(2, 3);
void exchange_vnote(struct exchange *x, const char *fmt, va_list ap) PRINTF_LIKE(2, 0);

#endif
