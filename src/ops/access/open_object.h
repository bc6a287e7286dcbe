/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A publicly writable object in a bucket that is not: an object's own ACL takes precedence over the
 * bucket's (spec: REST API section 8).
 */
#ifndef OPS_ACCESS_OPEN_OBJECT_H
#define OPS_ACCESS_OPEN_OBJECT_H

#include "ops/request.h"

/*
 * Looks whether the request's object is publicly writable, and if so calls `then`, at once or
 * later, unless the client has gone; until then no body comes. Otherwise the request is refused, in
 * the same way whether or not there is an object. The ACL may change before the operation writes,
 * so the store checks it again (enum store_caller).
 */
void open_object_look(struct request *r, void (*then)(struct request *r));

#endif
