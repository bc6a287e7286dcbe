/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A request with its exchange, for the three files that own requests and answers: dispatch.c,
 * request.c and respond.c. Nothing else may include this (src/LAYERS): an operation that knows no
 * exchange cannot use one that has gone.
 */
#ifndef OPS_REQUEST_INTERNAL_H
#define OPS_REQUEST_INTERNAL_H

#include "ops/request.h"

struct exchanged_request {
	struct request r;   /* first: request_exchange() casts */
	struct exchange *x; /* kept until the request is released (exchange_keep()) */
};

static inline struct exchange *request_exchange(const struct request *r)
{
	return ((const struct exchanged_request *)(const void *)r)->x;
}

#endif
