/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The operations port: GET /health and GET /metrics (Prometheus' text format), STS, and the web
 * console.
 */
#ifndef CLI_OPERATIONS_H
#define CLI_OPERATIONS_H

#include "console/console.h"
#include "net/outgoing.h"
#include "net/server.h"
#include "ops/ops.h"
#include "ops/sts.h"

struct operations {
	struct service service; /* for server_listen() */
	const struct server *server;
	const struct ops *ops; /* NULL: no store in this process */
	struct store *store;   /* likewise */
	struct outgoing *outgoing;
	struct sts *sts;               /* likewise */
	const struct console *console; /* likewise */
};

/* Fills in the service; the structure stays where it is. */
void operations_init(struct operations *operations);

#endif
