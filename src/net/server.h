/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The HTTP server: one loop a core, listeners that lead to services, and the stop that lets what
 * runs finish. Calls are made by one thread, the one that made the server.
 */
#ifndef NET_SERVER_H
#define NET_SERVER_H

#include <stdbool.h>
#include <stdint.h>

#include "net/exchange.h"
#include "net/tls.h"

struct server;

struct server_stats {
	uint64_t connections; /* open now */
	uint64_t turned_away; /* connections, since there were too many, or no descriptor */
	uint64_t requests;
	uint64_t bytes_in; /* of request bodies */
	uint64_t bytes_out;
};

/*
 * `loops` 0: one for each core the process may use. `connections` are shared by the ports
 * (net/descriptors.h); 0: LIMIT_CONNECTIONS. NULL, logged, if it cannot be made.
 */
struct server *server_new(unsigned loops, uint64_t connections) MUST_USE;

/*
 * Listens on `address` ("127.0.0.1:9000", "[::1]:0"; port 0 picks a free one) for `service`, which
 * must live as long as the server; `tls` may be NULL. *ret_port gets the port. False, logged, if
 * it cannot. Before server_start().
 */
bool server_listen(struct server *server, const char *address, const struct service *service,
	struct tls *tls, uint16_t *ret_port) MUST_USE;

bool server_start(struct server *server) MUST_USE;

/*
 * Refuses new connections to `service`, closes idle ones, and lets the others finish what they do;
 * NULL: to all services. A service that others need for what they finish is stopped after them.
 */
void server_stop(struct server *server, const struct service *service);
/* Waits until no connection to it is left, at most `timeout_ms`; drops the rest. Then loops still
   run tasks. */
void server_drain(struct server *server, const struct service *service, int64_t timeout_ms);
/* Ends the loops and frees everything. After server_drain(), or before server_start(). */
void server_free(struct server *server);

void server_stats(const struct server *server, struct server_stats *ret);

#endif
