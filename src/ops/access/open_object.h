/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A publicly writable object in a bucket that is not: an object's own ACL takes precedence over the
 * bucket's (spec: REST API section 8).
 */
#ifndef OPS_ACCESS_OPEN_OBJECT_H
#define OPS_ACCESS_OPEN_OBJECT_H

#include "ops/request.h"

/*
 * Checks whether the object at the request's address is such an object. If so, calls `then`, at
 * once or later, unless the client has disconnected; the body is paused until then. Otherwise
 * refuses the request, in the same way whether or not the object exists. The object may change
 * before the operation changes it, so the store checks again (enum store_public).
 */
void open_object_look(struct request *r, void (*then)(struct request *r));

#endif
