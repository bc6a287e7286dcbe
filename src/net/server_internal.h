/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The insides of the HTTP server: a net thread, its connections, and the exchange on each. One
 * module in these files, and nobody else includes this:
 *
 *	server.c           listeners; accepting; the stop
 *	connection.c       phases, and reading
 *	make_room.c        memory of requests, and which make room when it is scarce
 *	exchange.c         the request, as a service sees it
 *	exchange_answer.c  the answer: what a service decides becomes a head and bytes
 *	answer.c           writing: the bytes reach the socket
 *	answer_checked.c   writing files whose bytes are checked first
 *	batch.c            small answers that go out at the end of the loop's turn
 *
 * All that belongs to a connection is touched by its net thread alone.
 */
#ifndef NET_SERVER_INTERNAL_H
#define NET_SERVER_INTERNAL_H

#include <netinet/in.h>
#include <stdatomic.h>

#include "base/budget.h"
#include "base/histogram.h"
#include "http/chunked.h"
#include "net/checked.h"
#include "net/exchange.h"
#include "net/loop.h"
#include "net/prefetcher.h"
#include "net/rate.h"
#include "net/tls.h"
#include "net/transport.h"

/* What a connection is doing. */
enum connection_phase {
	CONNECTION_HANDSHAKE, /* TLS is not up yet */
	CONNECTION_HEAD,      /* waiting for a request's head, or in the middle of one */
	CONNECTION_BODY,      /* the body flows to the exchange */
	CONNECTION_WAIT,      /* the service has the whole body and has not answered */
	CONNECTION_ANSWER,    /* the answer flows to the client */
	CONNECTION_LINGER,    /* answered; what the client still sends is discarded */
	CONNECTION_CLOSED,    /* to be freed once nothing refers to it */
};

struct net_thread;
struct exchange;

struct connection {
	struct loop_watch watch;
	struct net_thread *net_thread;
	struct listener *listener;
	struct connection *prev;
	struct connection *next;
	struct transport transport;
	enum connection_phase phase;
	bool readable;    /* the socket may have bytes: epoll is edge-triggered */
	bool peer_closed; /* the peer's FIN follows what is readable */
	bool running;     /* connection_run() is on the stack */
	bool close_after; /* close once the answer is out */
	bool prefetching; /* `prefetch` is with the prefetcher */
	bool prefetched;  /* it has just returned: send even if the cache did not keep the range */
	bool queued;      /* `again` is in the loop's mailbox */
	bool batched;     /* its answer is in the net thread's batch */
	bool batch_failed;
	struct timer timer;
	struct slice view;   /* input not used yet: in the loop's buffer, or in `stash` */
	struct strbuf stash; /* input kept while the loop serves others */
	size_t head_scanned; /* bytes of `view` searched for the end of a head */
	struct exchange *x;

	/* The body of the current request. */
	enum http_body body;
	bool body_done;
	uint64_t body_left;
	struct chunked chunked;
	struct rate rate; /* of the body, then of the answer */

	struct budget_account buffers; /* `stash` and `out` */
	struct budget_account tls;     /* what OpenSSL holds */
	struct strbuf out;             /* answer bytes that the socket did not take at once */
	size_t out_at;
	uint64_t sent;   /* bytes that the socket took, ever */
	size_t batch_at; /* where its answer lies in the batch; no bytes: they went out */
	size_t batch_len;
	struct connection *batch_next;
	struct prefetch_request prefetch;
	struct task again;
	union {
		struct sockaddr any;
		struct sockaddr_in v4;
		struct sockaddr_in6 v6;
	} peer;
};

#define EXCHANGE_ID_BYTES 24
#define EXCHANGE_FIRST_BYTES 3072

/* The least that an exchange and a service's request for it take. */
#define EXCHANGE_BYTES KIB(12)
/* What OpenSSL holds for a connection. */
#define TLS_BYTES KIB(40)

struct exchange {
	struct connection *connection; /* NULL once it is gone */
	struct net_thread *net_thread;
	struct budget_account account; /* of all memory held for it, except the buffers above */
	struct exchange_row *row;      /* NULL: none; else its neighbours, or NULL at an end */
	struct exchange *older;
	struct exchange *newer;
	int64_t progress_ms;     /* when it joined the row of signed requests, ... */
	uint64_t progress_bytes; /* ... having sent and taken so much */
	struct exchange *next_free;
	const struct exchange_handler *handler;
	void *state;
	int64_t started_ms;
	uint64_t bytes_in; /* of the body */
	uint64_t bytes_out;
	bool answered;
	bool paused;
	bool skips;          /* the body is not waited for */
	size_t noted_memory; /* held in other accounts: exchange_note_memory() */
	bool kept;
	bool is_tls;
	struct {
		void *what;
		void (*let_go)(void *what);
	} holds[EXCHANGE_HELD_MAX];
	size_t hold_count;
	int status;
	/* What is being sent: bytes in memory, or of a file. */
	struct slice memory;
	int file; /* -1: none */
	uint64_t file_offset;
	uint64_t file_left;
	struct block_check check; /* of the file's bytes */
	uint64_t check_crc;       /* BLOCK_CHECK_LATE: of what has been sent */
	void (*damaged)(struct exchange *x, void *ctx, uint64_t offset);
	void *damaged_ctx;
	bool held; /* the head is all of the connection's buffer, and waits for the first bytes */
	/* What follows it, if the answer lies in several: `later` bytes. */
	void (*next)(struct exchange *x, void *ctx, uint64_t at);
	void *next_ctx;
	uint64_t next_at;
	uint64_t later;
	bool asking;         /* `next` was called and has not answered */
	bool lost;           /* it has failed */
	struct strbuf lines; /* header lines of the answer */
	struct strbuf note;
	char id[EXCHANGE_ID_BYTES];
	char peer[INET6_ADDRSTRLEN];
	struct request_head head;
	struct query query;
	struct arena arena;
	char first[EXCHANGE_FIRST_BYTES];
};

/* Those that may have to make room for others, in the order in which they would. */
struct exchange_row {
	struct exchange *oldest;
	struct exchange *newest;
};

/* What the listeners of all loops for one service share. */
struct port {
	struct port *next;
	const struct service *service;
	uint64_t limit;
	atomic_uint_fast64_t connections;
	atomic_uint_fast64_t turned_away;
};

struct listener {
	struct loop_watch watch;
	struct net_thread *net_thread;
	struct listener *next;
	int fd; /* -1: it is stopping */
	const struct service *service;
	struct port *port;
	struct tls *tls;
	/* Read by other threads. */
	atomic_uint_fast64_t connection_count;
	struct histogram latency;
};

/* Random bytes fetched at a time, for some hundred request ids. */
#define ID_POOL_BYTES KIB(4)

/* Answers that go out at the end of the loop's turn: batch.c. */
struct batch {
	struct strbuf bytes;
	struct connection *first;
	struct connection **last;
	bool ending; /* batch_end() is on the stack */
};

/* A net thread: a loop with its listeners and connections. */
struct net_thread {
	struct loop loop;
	struct net_thread *next; /* all of the server, in a ring */
	struct prefetcher *prefetcher;
	struct checked *checked;
	struct listener *listeners;
	struct connection connections; /* ring head */
	struct batch batch;
	struct exchange *free_exchanges;
	struct exchange_row unsigned_requests; /* that wait, as they came */
	struct exchange_row signed_requests;   /* that wait for their clients, by their progress */
	int64_t patience_ms;                   /* with them */
	int64_t dropped_ms;                    /* when the last of them was */
	atomic_bool asked;                     /* `make_room` is in the loop's mailbox */
	struct task make_room;                 /* make_room_asked() */
	unsigned free_exchange_count;
	uint8_t id_bytes[ID_POOL_BYTES]; /* random; the first `id_left` are not used yet */
	size_t id_left;
	struct rate_rule body_rate; /* from base/limits.h; tests shorten them */
	struct rate_rule answer_rate;
	int spare_fd; /* closed briefly to accept and turn away a connection when there is no other
		       */
	int64_t complained_ms; /* when missing descriptors were last logged */
	/* Read by other threads. */
	atomic_uint_fast64_t connection_count;
	atomic_uint_fast64_t request_count;
	atomic_uint_fast64_t made_room; /* requests that were dropped for it */
	atomic_uint_fast64_t bytes_in;
	atomic_uint_fast64_t bytes_out;
};

/* The net threads of a server, for tests; NULL behind the last. Before server_start(). */
struct server;
struct net_thread *server_net_thread(struct server *server, unsigned number);

/* Takes over `fd`, accepted by `listener`. */
void connection_open(struct listener *listener, int fd, const struct sockaddr *peer);
/*
 * Moves unused input out of the loop's buffer before the loop or an answer uses the buffer. False
 * without memory: the connection must be dropped.
 */
bool connection_keep_input(struct connection *c) MUST_USE;
/* Continues in the current phase until it has to wait. May free the connection. */
void connection_run(struct connection *c);
/* What waited for its answer to go out runs again, or is closed if that `failed`. May free it. */
void connection_go_on(struct connection *c, bool failed);
/* Ends the exchange and closes the socket at once. Frees the connection when nothing uses it. */
void connection_abort(struct connection *c);
/*
 * Makes room for another connection of this listener: closes the one that has waited longest for a
 * request or for the rest of a head. False if there is none.
 */
bool connection_drop_idle(struct listener *listener);
/* For the graceful stop: closes it if it is idle, else lets it finish its exchange. */
void connection_stop(struct connection *c);
/* The loop's timer callback. */
void connection_timer_due(struct timer *timer);

/*
 * There is no memory for its request: the service may say so, else it is dropped. May free `c`; no
 * other connection is touched, and what follows on this one waits for the loop's next turn.
 */
void connection_starve(struct connection *c);

/* The pool that the memory of a connection and of its unsigned requests is counted in. */
enum budget_pool connection_pool(const struct connection *c);

/* From the net thread's free list; NULL without memory. */
struct exchange *exchange_take(struct connection *c) MUST_USE;
void exchange_put_back(struct exchange *x);
/* Calls handler.gone, writes the log line, and puts the exchange back. */
void exchange_finish(struct exchange *x);

/* ---- make_room.c; exchange_trust() and exchange_admit() are there, too ---- */

/*
 * The request has to wait: if it is not known to be signed, it counts as anonymous from now on. One
 * that needs no waiting is not counted at all, so that forms that come in one piece are taken
 * however many others there are. While memory is scarce others make room. May free `c`.
 */
void make_room_wait(struct connection *c);
/* Another thread needs memory: a slow signed request of this one makes room. */
void make_room_asked(struct task *task);
/* Counts what the exchange holds, now and later, in that pool. False, and no change, without room.
 */
bool exchange_assign(struct exchange *x, enum budget_pool pool) MUST_USE;
/* The exchange, or its connection, ends: it is in no row any more. */
void make_room_leave(struct exchange *x);

/* ---- answer.c ---- */

enum answer_result {
	ANSWER_DONE,
	ANSWER_WAIT, /* for the socket, the prefetcher, or the service */
	ANSWER_FAILED,
};

/* Writes bytes now, or keeps what the socket does not take. False if the connection is lost. */
bool answer_write(struct connection *c, struct slice bytes, bool more);
/* Writes what is left of the answer. */
enum answer_result answer_flush(struct connection *c);
/* Whether more than the head is still to come. */
bool answer_goes_on(const struct exchange *x);

/* What follows is for writing alone. */

/* Writes what the socket takes, and cuts it off the front of *bytes. */
enum answer_result answer_put(struct connection *c, struct slice *bytes, bool more);
/* What waits in the connection's own buffer. */
enum answer_result answer_flush_out(struct connection *c);
/* Before the first bytes behind it: the head goes out. */
enum answer_result answer_let_go(struct connection *c);
/* Hands a range of the file to the prefetcher. */
void answer_prefetch(struct connection *c, uint64_t offset, uint64_t size);
/* Sends the next bytes of the file, *size at most, and takes them off. */
enum answer_result answer_send_file(struct connection *c, uint64_t *size);
/* How much of the file is looked at, and sent, at once. */
uint64_t answer_window(const struct exchange *x);
/* The file is damaged or cut short there. Tells the service, which may answer anew. */
enum answer_result answer_tell_damaged(struct connection *c, uint64_t offset);
/* Sends a file, and never a byte of a block that is not what was stored (answer_checked.c). */
enum answer_result answer_flush_checked(struct connection *c);

/* ---- batch.c ---- */

void batch_init(struct batch *batch);
void batch_release(struct batch *batch);
/*
 * Keeps a whole answer for the end of the loop's turn; the connection waits until then. False: it
 * has to go now.
 */
bool batch_add(struct connection *c, struct slice answer) MUST_USE;
/* They go out now, as what follows takes long. Runs no connection. */
void batch_send(struct net_thread *net_thread);
/* The loop's turn ends: they go out, and their connections run again. May free connections. */
void batch_end(struct loop *loop);

#endif
