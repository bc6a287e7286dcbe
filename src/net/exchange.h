/* SPDX-License-Identifier: Apache-2.0 */
/*
 * An exchange is one HTTP request and its answer on a connection. This is what a service (the
 * object store's operations, the application server) sees of the network; sockets, TLS, framing,
 * keep-alive, pipelining, Expect and timeouts stay behind it.
 *
 * Order of events for one exchange, all on the loop that owns the connection:
 *
 *	service.begin  once: the head is here. The service may answer at once, or attach a handler.
 *	handler.body   for each piece of the body, unless the exchange was already answered
 *	handler.end    once the body is complete (also when there is none), likewise
 *	handler.gone   exactly once, last: the answer was sent or the client has gone (or was
 *	               dropped for a limit). The exchange is invalid afterwards.
 *
 * A service answers with exchange_send*(), once, at any time between begin and gone. If it answers
 * before the body has been read the rest is read and thrown away for a while, so that a browser
 * in the middle of an upload sees the answer rather than a reset, and the connection is closed.
 *
 * exchange_send*() may find that the connection is lost and call handler.gone before it returns:
 * afterwards the service touches neither the exchange, unless it keeps it, nor what its gone()
 * frees.
 *
 * An exchange waits without cost: nothing here blocks, and a service that waits for a disk or for
 * another server simply returns and answers later from a task on exchange_home().
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
#include "http/head.h"
#include "http/query.h"

struct exchange;

/* Why something could not be read as a request. */
struct refused_head {
	int status;      /* 400, 431 or 505 */
	const char *why; /* "there is no Host header" */
	struct slice id; /* as exchange_id() */
};

struct service {
	const char *name; /* for the log */
	void (*begin)(void *ctx, struct exchange *x);
	void *ctx;
	/* Query parameters whose values are not for the log; ends with an empty one. May be NULL.
	 */
	const struct slice *secret_params;
	/*
	 * Where the memory of requests is counted until exchange_trust(). UNASSIGNED: nowhere as
	 * long as the service does not wait for anything, then with the strangers'.
	 */
	enum budget_pool pool;
	/*
	 * Whether Content-Length may stand beside `Transfer-Encoding: chunked` (http/head.h): the
	 * chunks count, and the connection takes no other request.
	 */
	bool takes_both_lengths;
	/*
	 * Optional: the document that answers what cannot be read as a request; else it is a line
	 * of text. Appends header lines, each ended by CRLF, and the body.
	 */
	void (*refuse)(void *ctx, const struct refused_head *refused, struct strbuf *lines,
		struct strbuf *body);
};

struct exchange_handler {
	/* `piece` is dead when the call returns. */
	void (*body)(struct exchange *x, void *state, struct slice piece);
	void (*end)(struct exchange *x, void *state);
	void (*gone)(struct exchange *x, void *state);
	/*
	 * Optional: the client has stopped sending in the middle of the body, or is too slow. The
	 * service may answer; if it does not, the connection is dropped.
	 */
	void (*stalled)(struct exchange *x, void *state);
	/*
	 * Optional: there is no memory for a request that nobody has signed, or others need it
	 * more. The service may answer; if it does not, the connection is dropped.
	 */
	void (*starved)(struct exchange *x, void *state);
	/* Optional: where the service is with the request, in a word, for its line in the log. */
	const char *(*phase)(const void *state);
};

/* From service.begin only. Without a handler the body is thrown away and nothing is called. */
void exchange_attach(struct exchange *x, const struct exchange_handler *handler, void *state);

/*
 * Lets the exchange's memory, what of the request lies in it, outlive handler.gone: until
 * exchange_release(), on the exchange's loop. Between the two the exchange is gone: what sends,
 * pauses or adds to the answer does nothing.
 */
void exchange_keep(struct exchange *x);
void exchange_release(struct exchange *x);
bool exchange_is_gone(const struct exchange *x);

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
 * Where all that the exchange makes us hold is counted (base/budget.h). It is closed when the
 * exchange is invalid, or was released (exchange_keep()): what is counted in it is freed before.
 */
struct budget_account *exchange_account(struct exchange *x);
/*
 * Somebody has signed the request: its memory is not counted with the strangers' any more. False
 * if there is not enough. On the console's port all is the operator's, and stays so.
 */
bool exchange_trust(struct exchange *x) MUST_USE;
/* Nobody has: counts it with the strangers' at once. False if there is not enough. */
bool exchange_admit(struct exchange *x) MUST_USE;
/* 24 upper-case hexadecimal digits, unique, not to be guessed; for x-oss-request-id and the log. */
struct slice exchange_id(const struct exchange *x);
/* The client's address without port: "127.0.0.1", "::1". */
struct slice exchange_peer(struct exchange *x);
/* Whether the connection is TLS. */
bool exchange_is_tls(const struct exchange *x);

/*
 * Stops, and starts again, the flow of the body. No handler.body or handler.end is called between
 * the two. The socket is not read meanwhile, so that the client slows down.
 */
void exchange_pause(struct exchange *x);
void exchange_resume(struct exchange *x);

/* ---- The answer -------------------------------------------------------------------------------
 */

/*
 * Adds a header line. `value` is copied. A value with CR, LF or NUL is dropped (it can only come
 * from a bug). Date, Content-Length, Connection and Transfer-Encoding are net's own.
 */
void exchange_header(struct exchange *x, const char *name, struct slice value);
/* Adds header lines that are ready to send, each ended by CRLF; copied. */
void exchange_header_lines(struct exchange *x, struct slice lines);

/*
 * Makes sure that there is memory for an answer of `size` bytes, before it is made: one that the
 * client does not read at once has to be kept. False: answer something small instead, 503. Without
 * it exchange_send() itself does so.
 */
bool exchange_reserve(struct exchange *x, size_t size) MUST_USE;

/* Answers with a body held in memory; copied, for HEAD only its length is told. */
void exchange_send(struct exchange *x, int status, struct slice body);

/*
 * Answers with `size` bytes from `offset` of a file, without copying where the kernel can. `fd`
 * and what it stands for must stay readable until handler.gone. For HEAD only the length is told.
 */
void exchange_send_file(struct exchange *x, int status, int fd, uint64_t offset, uint64_t size);

/*
 * Answers with bytes that are not copied: they must stay until handler.gone. For HEAD only their
 * length is told.
 */
void exchange_send_memory(struct exchange *x, int status, struct slice bytes);

/*
 * Answers with `size` bytes that lie in several places. When those up to `at` have been sent, the
 * first time with `at` 0, `next` is called to say where the following ones are, by
 * exchange_extent(), exchange_extent_memory() or exchange_extent_failed(), at once or later. It may
 * be called before this returns; it is not called for HEAD. A client that goes away meanwhile is
 * handler.gone, as ever.
 */
void exchange_send_extents(struct exchange *x, int status, uint64_t size,
	void (*next)(struct exchange *x, void *ctx, uint64_t at), void *ctx);

/*
 * Due once for each call of `next`: the following bytes, as many of `size` (at least 1) as are
 * still missing, lie at `offset` of `fd`, which must stay readable until `next` is called again or
 * handler.gone.
 */
void exchange_extent(struct exchange *x, int fd, uint64_t offset, uint64_t size);
/* The same, of bytes in memory: at least one. */
void exchange_extent_memory(struct exchange *x, struct slice bytes);
/* Instead: they cannot be had. The head is out, so the connection is dropped. */
void exchange_extent_failed(struct exchange *x);

/*
 * Answers as to HEAD whatever the method: tells `size` and sends no body. Closes the connection if
 * the method lets the client expect one.
 */
void exchange_send_head(struct exchange *x, int status, uint64_t size);

/*
 * What the request's line in the log says beyond method, target, status and time: key=value text,
 * copied. Untrusted text must have been quoted (log_quoted).
 */
void exchange_note(struct exchange *x, const char *fmt, ...) PRINTF_LIKE(2, 3);
void exchange_vnote(struct exchange *x, const char *fmt, va_list ap) PRINTF_LIKE(2, 0);

#endif
