/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The HTTP server: one loop for each core, listeners for services, and a graceful stop. All calls
 * are made by the thread that created the server.
 */
#ifndef NET_SERVER_H
#define NET_SERVER_H

#include <stdbool.h>
#include <stdint.h>

#include "base/histogram.h"
#include "net/exchange.h"
#include "net/tls.h"

struct server;

struct server_stats {
	uint64_t connections; /* open now */
	uint64_t turned_away; /* connections, for lack of room or of descriptors */
	uint64_t requests;
	uint64_t made_room; /* requests that were dropped because memory was scarce */
	uint64_t bytes_in;  /* of request bodies */
	uint64_t bytes_out;
};

/*
 * `loops` 0: one for each core the process may use. `connections` are shared by the ports
 * (net/descriptors.h); 0: LIMIT_CONNECTIONS. NULL, logged, if it fails.
 */
struct server *server_new(unsigned loops, uint64_t connections) MUST_USE;

/*
 * Listens on `address` ("127.0.0.1:9000", "[::1]:0"; port 0 picks a free one) for `service`, which
 * must live as long as the server; `tls` may be NULL. *ret_port gets the port. False, logged, if
 * it fails. Before server_start().
 */
bool server_listen(struct server *server, const char *address, const struct service *service,
	struct tls *tls, uint16_t *ret_port) MUST_USE;

/* No thread is started before. */
bool server_start(struct server *server) MUST_USE;

/*
 * Refuses new connections to `service`, closes idle ones, and lets exchanges in progress finish.
 * NULL means all services. Stop a service that others still need after those.
 */
void server_stop(struct server *server, const struct service *service);
/* Waits at most `timeout_ms` until no connection to it is left, and drops the rest. The loops still
 * run tasks afterwards. */
void server_drain(struct server *server, const struct service *service, int64_t timeout_ms);
/* Ends the loops and frees everything. After server_drain(), or before server_start(). */
void server_free(struct server *server);

void server_stats(const struct server *server, struct server_stats *ret);
/*
 * How long the requests to a service took, from the end of the head to the end of the answer.
 * False: there is no service of that name.
 */
bool server_latency(
	const struct server *server, const char *service, struct histogram_sum *ret) MUST_USE;

#endif
