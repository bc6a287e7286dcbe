/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Changing what is known of an object but not its bytes: what the operations on ACLs and tags have
 * in common.
 */
#ifndef OPS_OBJECT_OBJECT_CHANGE_H
#define OPS_OBJECT_OBJECT_CHANGE_H

#include "ops/request.h"

struct object_change {
	struct request *r;
	struct store_object_change change; /* what is set in it is the caller's to say */
	int status;
};

/*
 * Makes `change` about the object of the request's address, in the version that its query names,
 * and answers with `status` once it is durable, or with an error. `change` lies in r->state.
 */
void object_change_start(struct object_change *change, struct request *r, int status);

#endif
