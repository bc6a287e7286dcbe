/* SPDX-License-Identifier: Apache-2.0 */
/*
 * An operation of the OSS API is a constant of this type, in a file of its own, listed in
 * operations.def. Routing, authentication, access and the log read the table made of that list, so
 * adding an operation takes one file and one line.
 *
 * Order of calls, all on the request's loop: begin, then data for each piece of a streamed body,
 * then finish. Any of them may answer (respond.h), after which only release is called. begin is
 * called after the request was authenticated and permitted.
 */
#ifndef OPS_OP_H
#define OPS_OP_H

#include <stddef.h>

#include "base/slice.h"
#include "http/head.h"

struct request;

/* What a request addresses. */
enum op_level {
	OP_SERVICE,
	OP_BUCKET,
	OP_OBJECT,
	OP_ANY, /* OPTIONS: a bucket or an object */
};

/* Who may call it; checked before begin. */
enum op_access {
	OP_ACCESS_OWNER,  /* the owner: signed with a key of the store */
	OP_ACCESS_READ,   /* or anybody, as the ACL of the bucket permits */
	OP_ACCESS_WRITE,  /* or as that of the object does, open_object.h */
	OP_ACCESS_OBJECT, /* the operation asks by lookup.h, once it knows the object's ACL */
	OP_ACCESS_SELF,   /* the operation decides: PostObject's form, preflights */
};

enum op_body {
	OP_BODY_NONE,   /* not waited for; what comes of it is discarded */
	OP_BODY_WHOLE,  /* collected, up to max_body; finish has it in request->body */
	OP_BODY_STREAM, /* passed to data */
};

struct op {
	const char *name; /* OSS's: "PutObject" */
	enum http_method method;
	enum op_level level;
	const char *subresource; /* the query parameter that chooses it; NULL: none */
	const char *header;      /* the header that chooses it before others; NULL: none */
	enum op_access access;
	/*
	 * What the policies of RAM call it: "oss:PutObject". The policy of a temporary key must
	 * allow it on the service, the bucket or the object, as `level` says. Several operations
	 * may share one, as OSS documents it for each. An operation that reads a second object, the
	 * source of a copy, asks authorize_key() for it. NULL: no signed request gets here.
	 */
	const char *action;
	/*
	 * The same for a request with a versionId. NULL: the operation ignores versions; if it
	 * writes, the parameter is ignored, as by OSS.
	 */
	const char *version_action;
	/*
	 * The action is on keys that the request's address does not tell: the operation itself asks
	 * authorize_key() for each, once it knows them.
	 */
	bool action_per_key;
	bool takes_callback;   /* in a header or in the query */
	bool replaces_nothing; /* no object, whatever conditions the client names */
	enum op_body body;
	size_t max_body;
	size_t state_size; /* request->state: zeroed memory of this size */
	void (*begin)(struct request *r);
	void (*data)(struct request *r, struct slice piece);
	void (*finish)(struct request *r);
	/* Frees what `state` holds, after the exchange is gone and nothing is outstanding. */
	void (*release)(struct request *r);
};

#define OPERATION(name) extern const struct op op_##name;
#include "ops/operations.def"
#undef OPERATION

/* All of them, and those of bucket/never_set.def; ends with NULL. */
extern const struct op *const op_table[];

#endif
