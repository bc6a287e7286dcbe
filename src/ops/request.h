/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A request to the object store on its way through an operation. Belongs to the loop of its
 * exchange.
 *
 * It is reference-counted: the exchange holds a reference, and so does each call to the store or
 * the callback sender until it returns (request_hold() before, request_release() after). It may
 * therefore outlive its connection; then request_is_gone() is true, and every answer is dropped.
 * Head, query and `arena` stay valid until it is released, so an operation need not care when the
 * client disconnects; request_is_gone() is for saving work. The exchange itself is private to
 * request.c, respond.c and dispatch.c (request_internal.h).
 */
#ifndef OPS_REQUEST_H
#define OPS_REQUEST_H

#include "base/arena.h"
#include "http/query.h"
#include "net/exchange.h"
#include "ops/op.h"
#include "ops/ops.h"
#include "oss/names.h"
#include "oss/sign/access_key.h"
#include "oss/sign/sign.h"

/*
 * How far a request has come. request_enter() sets it, and it only rises: what comes late, to a
 * request that was answered meanwhile, changes nothing. The log says where
 * a request was when it was answered, or when its client went away.
 */
enum request_phase {
	PHASE_ADDRESS,   /* finding its address and its operation */
	PHASE_AUTHORIZE, /* who sent it, and whether they may */
	PHASE_BODY,      /* op->begin was called; the body goes to op->data */
	PHASE_WORK,      /* the body is complete or not awaited: op->finish was called */
	PHASE_CALLBACK,  /* stored; the callback is in progress */
	PHASE_DONE,      /* answered: only op->release follows */
};

struct request {
	struct ops *ops;
	const struct op *op;
	struct executor *home;
	struct arena arena;
	struct slice id;
	struct slice peer;
	/*
	 * Query and headers are decoded and joined once; signing, routing, permission, operation
	 * and log all read them here. Names with a meaning occur once (reading.h).
	 */
	const struct request_head *head;
	const struct query *query;
	struct address address;            /* bucket and key are in `arena` */
	const struct store_bucket *bucket; /* NULL if the request has none or it does not exist */
	/* Another port's: what is signed instead of bucket and key (OPS_PATH_RESOURCE); or empty.
	 */
	struct slice resource;
	const void *ctx; /* of ops_begin(); NULL otherwise */
	bool anonymous;
	struct access_key key; /* the key that signed it, unless anonymous */
	bool restricted;       /* it is a temporary key, which may do what `policy` allows */
	struct slice policy;   /* compact, for ram_policy_allows() */
	struct strbuf body;    /* OP_BODY_WHOLE */
	struct strbuf details; /* more elements for an error document */
	/* What lets a page on another origin read the answer: decided before the operation begins
	 * (access/cross_origin.h), and once more for a form whose fields are signed. */
	struct slice cors_lines;
	const char *ec; /* instead of the one in errors.def; NULL: that one */
	void *state;
	unsigned holds;
	enum request_phase phase;
	enum request_phase answered_in; /* the phase that the answer ended */
	char first[2048];
};

void request_enter(struct request *r, enum request_phase phase);
/* The answer was taken back before anything of it was sent: back to the phase that it ended. */
void request_reopen(struct request *r);
static inline bool request_is_answered(const struct request *r)
{
	return r->phase == PHASE_DONE;
}
/* For the log: the phase, or that in which it was answered. */
const char *request_phase_name(const struct request *r);

void request_hold(struct request *r);
void request_release(struct request *r);

/* The value of a header, and of a query parameter, decoded; ptr is NULL if it is absent. */
struct slice request_header(const struct request *r, struct slice name);
struct slice request_param(const struct request *r, struct slice name);

/*
 * Whether the client has disconnected, or has received the whole answer: nothing can be sent any
 * more.
 */
bool request_is_gone(const struct request *r);
bool request_is_tls(const struct request *r);
/*
 * Counts `bytes` more of memory for the request until it is released; false if there is not enough
 * (base/budget.h). The second returns the account.
 */
bool request_take_memory(struct request *r, size_t bytes) MUST_USE;
struct budget_account *request_account(const struct request *r);
/* An empty account of the same requester, for what others hold for it (store_get.holder). */
struct budget_account request_holder(const struct request *r);
/* It is signed, or not: see exchange_trust() and exchange_admit(). */
bool request_trust(struct request *r, struct slice requester) MUST_USE;
bool request_admit(struct request *r) MUST_USE;
/* Pause and resume the body; see exchange_pause(). */
void request_pause(struct request *r);
void request_resume(struct request *r);
/* See exchange_note(). */
void request_note(struct request *r, const char *fmt, ...) PRINTF_LIKE(2, 3);

/*
 * Whether the caller may read an object of `bucket` with that ACL, and write to r->bucket whatever
 * object there is, unless its own ACL says otherwise.
 */
bool request_may_read(
	const struct request *r, const struct store_bucket *bucket, enum store_acl object_acl);
bool request_may_write(const struct request *r);
/* Whose a change of an object of r->bucket is. */
enum store_caller request_caller(const struct request *r);

#endif
