/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The object store as a service on the network: the operations of the OSS API over a store.
 */
#ifndef OPS_OPS_H
#define OPS_OPS_H

#include <stdatomic.h>

#include "base/clock.h"
#include "base/err.h"
#include "callback/sender.h"
#include "net/exchange.h"
#include "oss/names.h"
#include "store/store.h"

struct ops;
struct op;
struct keys;

#define OPS_DOMAINS_MAX 16
#define OPS_HOSTS_MAX 64
#define OPS_CONSOLE_ORIGINS_MAX 16

struct ops_options {
	struct store *store; /* this and the next four outlive the service */
	struct keys *keys;
	const struct clock *clock;
	struct callback_sender *callbacks;
	struct callback_history *callback_history; /* NULL: it could not be opened */
	struct slice callback_key_pem; /* served at OPS_CALLBACK_KEY_PATH; outlives the service */
	struct slice region;           /* the only one accepted in V4 signatures; empty: any */
	bool v4_only;                  /* V1 signatures are refused, of forms too */
	struct slice domains[OPS_DOMAINS_MAX]; /* besides localhost; outlive the service */
	size_t domain_count;
	struct bound_host hosts[OPS_HOSTS_MAX]; /* names of single buckets; outlive the service */
	size_t host_count;
	/* Where else the callback key is served: the host and path of its public URL, or empty. */
	struct slice callback_key_host;
	struct slice callback_key_path;
	/* Where the web console is; see access/cross_origin.h. They outlive the service. */
	struct slice console_origins[OPS_CONSOLE_ORIGINS_MAX];
	size_t console_origin_count;
};

/* `-` cannot begin a bucket's name, so this hides no bucket. */
#define OPS_CALLBACK_KEY_PATH "/-/callback_pub_key_v1.pem"

/* The prefix of the signed resource of a request to the console's API; see ops_begin(). */
#define OPS_PATH_RESOURCE "/-/console"

/* Of presigned URLs, for services that use ops_begin(): see struct service. */
extern const struct slice ops_secret_params[];

struct ops_stats {
	uint64_t requests;
	uint64_t errors;    /* answers of 400 and above */
	uint64_t uploads;   /* objects stored */
	uint64_t callbacks; /* sent */
	uint64_t callbacks_failed;
};

/* ERR_UNAVAILABLE without memory. */
enum err ops_new(const struct ops_options *options, struct ops **ret) MUST_USE;
const struct service *ops_service(const struct ops *ops);
/* What it was made with. */
const struct ops_options *ops_options(const struct ops *ops);
/*
 * From service.begin of another port: carries out `op`, of level OP_SERVICE, for the exchange. The
 * request is authenticated like those of the store, but its signed resource is OPS_PATH_RESOURCE
 * and the path. No bucket can have that name, so a signature for one port is never valid on the
 * other. Answers and errors are the store's. `ctx` is for the operation, as request.ctx.
 */
void ops_begin(struct ops *ops, struct exchange *x, const struct op *op, const void *ctx);
/* Counts a finished callback. Any thread. */
void ops_count_callback(struct ops *ops, bool ok);
/* Whether no request is left, including those whose client has disconnected. Any thread. */
bool ops_idle(const struct ops *ops);
/* Once idle. NULL is allowed. */
void ops_free(struct ops *ops);
void ops_stats(const struct ops *ops, struct ops_stats *ret);

#endif
