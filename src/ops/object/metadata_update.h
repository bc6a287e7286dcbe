/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Changing what is known of an object but not its bytes: what the operations on ACLs and tags have
 * in common.
 */
#ifndef OPS_OBJECT_METADATA_UPDATE_H
#define OPS_OBJECT_METADATA_UPDATE_H

#include "ops/request.h"

struct metadata_update {
	struct request *r;
	struct store_metadata_update change; /* what is set in it is the caller's to say */
	int status;
};

/*
 * Makes `change` about the object of the request's address, in the version that its query names,
 * and answers with `status` once it is durable, or with an error. `change` lies in r->state.
 */
void metadata_update_start(struct metadata_update *change, struct request *r, int status);

#endif
