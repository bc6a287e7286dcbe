/* SPDX-License-Identifier: Apache-2.0 */
/* What the files of this room share. */
#ifndef STORE_RADOS_GATEWAYS_GATEWAYS_INTERNAL_H
#define STORE_RADOS_GATEWAYS_GATEWAYS_INTERNAL_H

#include "store/rados/gateways/gateways.h"

/* Sets r->instance to a number that no other start has. Waits. ERR_UNAVAILABLE. */
enum err gateways_take_instance(struct rados *r) MUST_USE;
/* Adds a row, which is not there yet. 0 or -errno. */
int gateway_add(struct rados *r, const struct gateway *gateway) MUST_USE;

#endif
