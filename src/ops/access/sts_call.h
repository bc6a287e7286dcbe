/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A call of STS on the wire: its parameters, and its answer in the format that they ask for.
 * Belongs to the loop of its exchange.
 */
#ifndef OPS_ACCESS_STS_CALL_H
#define OPS_ACCESS_STS_CALL_H

#include "net/exchange.h"
#include "ops/access/sts_params.h"
#include "oss/sign/session.h"

struct sts_call {
	struct exchange *x;
	struct arena *arena; /* the exchange's */
	bool json;           /* otherwise XML, as by default */
	char id[37];         /* RequestId, such as 6894B13B-6D71-4EF5-88FA-F32781734A7F */
	struct sts_params params;
};

/* Reads the parameters of URL and body. False: it has been answered. */
bool sts_call_init(struct sts_call *call, struct exchange *x, const struct strbuf *body) MUST_USE;

/* A parameter that must be there and not be empty. False: it has been answered. */
bool sts_param(struct sts_call *call, const char *name, struct slice *ret) MUST_USE;
/* ptr is NULL if it is not there. */
struct slice sts_optional(const struct sts_call *call, const char *name);

/* Answers with an error; always false. */
bool sts_refuse(struct sts_call *call, int status, const char *code, const char *fmt, ...)
	PRINTF_LIKE(4, 5);
/* Answers with the temporary key. */
void sts_answer(struct sts_call *call, const struct sts_role *role, const struct session *session,
	struct slice token);

#endif
