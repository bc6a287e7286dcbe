/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The operations port: GET /health (the process runs), GET /ready (it does what it is for, or why
 * not), GET /metrics (Prometheus' text format), STS, and the web console.
 */
#ifndef CLI_OPERATIONS_H
#define CLI_OPERATIONS_H

#include <stdatomic.h>

#include "app/app.h"
#include "console/console.h"
#include "http/hosts.h"
#include "net/outgoing.h"
#include "net/server.h"
#include "ops/access/sts.h"
#include "ops/ops.h"

struct operations {
	struct service service; /* for server_listen() */
	const struct server *server;
	const struct ops *ops; /* NULL: no store in this process */
	struct store *store;   /* NULL: no store in this process */
	struct outgoing *outgoing;
	struct sts *sts;               /* NULL: no store in this process */
	const struct console *console; /* NULL: no store in this process */
	const struct app *app;         /* NULL: no application server in this process */
	struct hosts hosts;            /* under which names the port may be asked */
	atomic_bool stopping;          /* connections are being drained */
};

/* Fills in the service; the structure stays where it is. */
void operations_init(struct operations *operations);

#endif
