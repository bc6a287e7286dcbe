/* SPDX-License-Identifier: Apache-2.0 */
/* What the files of this room share. */
#ifndef STORE_RADOS_GATEWAYS_GATEWAYS_INTERNAL_H
#define STORE_RADOS_GATEWAYS_GATEWAYS_INTERNAL_H

#include "store/rados/gateways/gateways.h"

/*
 * Sets r->instance to a number that no other start has, and adds its row, in which the oldest read
 * began in epoch 0: so nothing is removed. Waits. ERR_UNAVAILABLE.
 */
enum err gateways_take_instance(struct rados *r) MUST_USE;

/* A living one of a version that keeps other rules (GATEWAY_FORMAT), or NULL. */
const struct gateway *gateway_find_foreign(const struct gateway_list *list);

#endif
