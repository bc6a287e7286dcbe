/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Inside net/: a connection and the exchange on it, shared by connection.c (phases and reading),
 * answer.c (writing) and exchange.c (what services call). All of it belongs to one shard's
 * thread.
 */
#ifndef NET_CONNECTION_H
#define NET_CONNECTION_H

#include <netinet/in.h>
#include <stdatomic.h>

#include "base/budget.h"
#include "http/chunked.h"
#include "net/exchange.h"
#include "net/loop.h"
#include "net/rate.h"
#include "net/tls.h"
#include "net/transport.h"
#include "net/warmer.h"

/* Where a connection stands. */
enum connection_phase {
	CONNECTION_HANDSHAKE, /* TLS is not up yet */
	CONNECTION_HEAD,      /* waiting for a request's head, or in the middle of one */
	CONNECTION_BODY,      /* the body flows to the exchange */
	CONNECTION_WAIT,      /* the service has it all and has not answered */
	CONNECTION_ANSWER,    /* the answer flows to the client */
	CONNECTION_LINGER,    /* answered; what the client still sends is thrown away */
	CONNECTION_CLOSED,    /* to be freed once nothing refers to it */
};

struct shard;
struct exchange;

struct connection {
	struct loop_watch watch;
	struct shard *shard;
	struct listener *listener;
	struct connection *prev;
	struct connection *next;
	struct transport transport;
	enum connection_phase phase;
	bool readable; /* the socket may have bytes: epoll is edge-triggered */
	bool writable;
	bool peer_closed; /* the peer's FIN is queued behind what is readable */
	bool running;     /* connection_run() is on the stack */
	bool close_after; /* close once the answer is out */
	bool warming;     /* `warm` is with the warmer */
	bool warmed;      /* it has just come back: send, whether the cache kept it or not */
	bool queued;      /* `again` is in the loop's mailbox */
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
	uint64_t sent; /* bytes that the socket took, ever */
	struct warm_request warm;
	struct task again;
	union {
		struct sockaddr any;
		struct sockaddr_in v4;
		struct sockaddr_in6 v6;
	} peer;
};

#define EXCHANGE_ID_BYTES 24
#define EXCHANGE_FIRST_BYTES 3072

/* What an exchange and the request that a service makes of it take at least. */
#define EXCHANGE_BYTES KIB(12)
/* What OpenSSL keeps of a connection. */
#define TLS_BYTES KIB(40)

struct exchange {
	struct connection *connection; /* NULL once it is gone */
	struct shard *shard;
	struct budget_account account; /* of all that it makes us hold, but the buffers above */
	/* In the shard's list of strangers; NULL: it is not in it. */
	struct exchange *older;
	struct exchange *newer;
	struct exchange *next_free;
	const struct exchange_handler *handler;
	void *state;
	int64_t started_ms;
	uint64_t bytes_in; /* of the body */
	uint64_t bytes_out;
	bool answered;
	bool paused;
	bool kept;
	bool is_tls;
	int status;
	/* What is being sent: bytes in memory, or of a file. */
	struct slice memory;
	int file; /* -1: none */
	uint64_t file_offset;
	uint64_t file_left;
	/* What follows it, if the answer lies in several: `later` bytes. */
	void (*next)(struct exchange *x, void *ctx, uint64_t at);
	void *next_ctx;
	uint64_t next_at;
	uint64_t later;
	bool asking;         /* `next` has not said where yet */
	bool lost;           /* it has said that they cannot be had */
	struct strbuf lines; /* header lines of the answer */
	struct strbuf note;
	char id[EXCHANGE_ID_BYTES];
	char peer[INET6_ADDRSTRLEN];
	struct request_head head;
	struct query query;
	struct arena arena;
	char first[EXCHANGE_FIRST_BYTES];
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
	struct shard *shard;
	struct listener *next;
	int fd; /* -1: it is stopping */
	const struct service *service;
	struct port *port;
	struct tls *tls;
	atomic_uint_fast64_t connection_count; /* read by other threads */
};

/* For half a thousand request ids: the kernel is asked for randomness so often. */
#define ID_POOL_BYTES KIB(4)

/* A loop with what it serves. */
struct shard {
	struct loop loop;
	struct warmer *warmer;
	struct listener *listeners;
	struct connection connections; /* ring head */
	struct exchange *free_exchanges;
	/* Requests that nobody has signed yet: when memory is scarce the oldest go. */
	struct {
		struct exchange *oldest;
		struct exchange *newest;
	} strangers;
	unsigned free_exchange_count;
	uint8_t id_bytes[ID_POOL_BYTES]; /* random; the first `id_left` are not used yet */
	size_t id_left;
	struct rate_rule body_rate; /* from base/limits.h; tests shorten them */
	struct rate_rule answer_rate;
	int spare_fd; /* given up for a moment to turn a connection away when there is no other */
	int64_t complained_ms; /* about missing descriptors */
	/* Read by other threads. */
	atomic_uint_fast64_t connection_count;
	atomic_uint_fast64_t request_count;
	atomic_uint_fast64_t bytes_in;
	atomic_uint_fast64_t bytes_out;
};

/* The shards of a server, for tests; NULL behind the last. Before server_start(). */
struct server;
struct shard *server_shard(struct server *server, unsigned number);

/* Takes over `fd`, accepted by `listener`. */
void connection_open(struct listener *listener, int fd, const struct sockaddr *peer);
/*
 * Moves input that is not used yet out of the loop's buffer, before the loop or an answer uses
 * that. False without memory: the connection cannot go on.
 */
bool connection_keep_input(struct connection *c) MUST_USE;
/* Goes on from wherever it stands until it has to wait. May free the connection. */
void connection_run(struct connection *c);
/* Gives up at once: the exchange is gone, the socket closed. Frees it as soon as nothing uses it.
 */
void connection_abort(struct connection *c);
/*
 * Makes room for another connection of this listener: closes the one that has waited for longest,
 * for its first request, its next, or the end of a head that does not come. False if there is none.
 */
bool connection_drop_idle(struct listener *listener);
/* For the graceful stop: closes it if it is idle, else lets it finish its exchange. */
void connection_stop(struct connection *c);
/* The loop's timer callback. */
void connection_timer_due(struct timer *timer);

/* Whose the memory is that a connection and its requests take as long as nobody has signed. */
enum budget_pool connection_pool(const struct connection *c);

/* Counts what the exchange holds, and will, in that pool; false, and nothing is, without room. */
bool exchange_assign(struct exchange *x, enum budget_pool pool) MUST_USE;
/* From the shard's free list; NULL without memory. */
struct exchange *exchange_take(struct connection *c) MUST_USE;
void exchange_put_back(struct exchange *x);
/* Tells the service, writes the log line, and puts it back. */
void exchange_finish(struct exchange *x);

enum answer_result {
	ANSWER_DONE,
	ANSWER_WAIT, /* for the socket, the warmer, or the service */
	ANSWER_FAILED,
};

/* Writes bytes now, or keeps what the socket does not take. False if the connection is lost. */
bool answer_write(struct connection *c, struct slice bytes, bool more);
/* Writes what is left of the answer. */
enum answer_result answer_flush(struct connection *c);

#endif
