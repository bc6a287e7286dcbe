/* SPDX-License-Identifier: Apache-2.0 */
/*
 * STS on the operations port: AssumeRole, which makes a temporary key (keys.h). Speaks Alibaba
 * Cloud's RPC interface (spec: REST API section 9; oss/sign/rpc_sign.h), JSON or XML, so that
 * clients of the real STS need only another endpoint. There are no roles: any role name is
 * accepted, and the temporary key may do what both the policy and its access key permit.
 */
#ifndef OPS_ACCESS_STS_H
#define OPS_ACCESS_STS_H

#include "base/clock.h"
#include "net/exchange.h"
#include "ops/access/keys.h"

struct shared_marks; /* documents/shared_marks.h */
struct sts;

/*
 * NULL without memory. `keys` and `clock` outlive it. So do the marks, by which all gateways of a
 * store know which requests were answered; NULL: this process is the only one.
 */
struct sts *sts_new(struct keys *keys, const struct clock *clock, struct shared_marks *marks);
/* Whether no request waits for marks. Any thread. */
bool sts_idle(const struct sts *sts);
/* Once no exchange is left, and it is idle. NULL is allowed. */
void sts_free(struct sts *sts);

/*
 * Takes the exchange, and answers it now or later, if it is for STS: at /sts/, or, because the SDKs
 * of Alibaba Cloud know no other path, at `/` with an Action in the query. False: it is not.
 */
bool sts_begin(struct sts *sts, struct exchange *x) MUST_USE;

#endif
