/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The web console: its files, what they need to know to begin with, and an API for what the store's
 * own does not have. The console is a client like any other: the browser signs each request, and
 * this side keeps no session. Requests to the API are signed like those of the store that name no
 * bucket, but with their path as the resource.
 *
 *	GET /                       web/console/index.html
 *	GET /console/NAME           the other files of web/console/
 *	GET /console/config.json    {"version", "store", "region", "events"}
 *	POST /cors-test             cors_test.h
 *	/callbacks...               callbacks.h
 *	/events...                  events.h
 */
#ifndef CONSOLE_CONSOLE_H
#define CONSOLE_CONSOLE_H

#include "base/err.h"
#include "net/exchange.h"

struct console;

struct ops;
struct desk;

struct console_options {
	struct ops *ops;        /* outlives the console */
	struct slice store_url; /* as browsers reach it: "http://127.0.0.1:9000"; copied */
	struct slice region;    /* what the console signs for; copied */
	struct desk *desk;      /* NULL: there are no events here; outlives the console */
};

/*
 * ERR_INVALID_ARGUMENT: store_url is not http or https, or holds what no URL does.
 * ERR_UNAVAILABLE without memory.
 */
enum err console_new(const struct console_options *options, struct console **ret) MUST_USE;
/* NULL is allowed. */
void console_free(struct console *console);

/* From service.begin: answers, or false if the path is none of the console's. Any thread. */
bool console_begin(const struct console *console, struct exchange *x) MUST_USE;

#endif
