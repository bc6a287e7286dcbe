/* SPDX-License-Identifier: Apache-2.0 */
/* Tells when an object will end by the lifecycle rules of its bucket: x-oss-expiration. */
#ifndef OPS_RULES_EXPIRATION_H
#define OPS_RULES_EXPIRATION_H

#include "ops/request.h"
#include "ops/rules/setting_cache.h"

/* The compiled lifecycle rules of buckets. */
struct setting_cache *expiration_cache_new(void) MUST_USE;

/* Adds the header to the answer to come, if a rule will end `object`, the current version. */
void expiration_add_header(struct request *r, const struct store_bucket *bucket, struct slice key,
	const struct store_object *object);

#endif
