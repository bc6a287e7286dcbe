/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A request to the object store on its way through an operation. Belongs to the loop of its
 * exchange.
 *
 * It is counted: the exchange holds it, and so does each call to the store or the callback sender
 * that has not come back (request_hold() before, request_release() after). It may therefore
 * outlive its exchange: then `x` is NULL, nothing can be answered any more, and the memory that
 * operations borrow to such calls must come from `arena`, which is the request's own.
 */
#ifndef OPS_REQUEST_H
#define OPS_REQUEST_H

#include "base/arena.h"
#include "net/exchange.h"
#include "ops/op.h"
#include "ops/ops.h"
#include "oss/names.h"
#include "oss/sign.h"

struct request {
	struct ops *ops;
	struct exchange *x; /* NULL once it has gone */
	const struct op *op;
	struct executor *home;
	struct arena arena;
	struct slice id;
	struct slice peer;
	struct address address;            /* bucket and key lie in `arena` */
	const struct store_bucket *bucket; /* NULL if the request has none or it does not exist */
	bool by_path;     /* another port's: what is signed is the path, which names no bucket */
	bool signed_form; /* the fields of a form claim to be signed */
	bool anonymous;
	struct access_key key; /* whose request it is, unless anonymous */
	bool temporary;        /* it is one of STS */
	bool restricted;       /* it is a temporary key, which may do what `policy` allows */
	struct slice policy;   /* ram_policy_decide() */
	struct strbuf body;    /* OP_BODY_WHOLE */
	struct strbuf details; /* more elements for an error document */
	const char *ec;        /* instead of the one in errors.def; NULL: that one */
	void *state;
	unsigned holds;
	bool answered;
	char first[2048];
};

void request_hold(struct request *r);
void request_release(struct request *r);

/* The request's query and headers; only while r->x is there. */
struct slice request_header(const struct request *r, struct slice name);
/*
 * The decoded value of a query parameter, in the arena; ptr is NULL if it is absent. A value that
 * cannot be decoded is taken as it is.
 */
struct slice request_param(struct request *r, struct slice name);

/*
 * Whether the caller may read an object of `bucket` with that ACL, and write to r->bucket whatever
 * object there is, unless its own ACL says otherwise.
 */
bool request_may_read(
	const struct request *r, const struct store_bucket *bucket, enum store_acl object_acl);
bool request_may_write(const struct request *r);
/* Whose a change of an object of r->bucket is. */
enum store_public request_as_public(const struct request *r);

#endif
