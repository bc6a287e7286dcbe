/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The pools of a store, for whoever is none of its gateways, or not yet: sizes, timers and the
 * cluster are set, and no thread runs. Waits.
 */
#ifndef STORE_RADOS_ATTACH_H
#define STORE_RADOS_ATTACH_H

#include "store/rados/rados.h"
#include "store/rados/state/state.h"

/* ERR_UNAVAILABLE, logged. */
enum err rados_attach(const struct rados_options *options, struct rados **ret) MUST_USE;
/* ERR_UNAVAILABLE, logged with what rights it needs, if its user may not do what a gateway does. */
enum err rados_check_rights(const struct rados *r, const struct rados_options *options) MUST_USE;
/* NULL is allowed. */
void rados_detach(struct rados *r);
/* Only the cluster, and the pool of rows. cluster_close() is due in any case. */
enum err rados_connect(const struct rados_options *options, struct cluster **ret,
	struct pool **ret_index) MUST_USE;

#endif
