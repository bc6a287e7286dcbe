/* SPDX-License-Identifier: Apache-2.0 */
/* Keeps requests off that the referer rules of their bucket refuse. */
#ifndef OPS_ACCESS_REFERER_H
#define OPS_ACCESS_REFERER_H

#include "ops/request.h"
#include "ops/rules/setting_cache.h"

/* The compiled rules of buckets. */
struct setting_cache *referer_cache_new(void) MUST_USE;

/*
 * Whether the rules let the request through. As in OSS they are for requests for objects that are
 * anonymous or signed in the URL; who sends an Authorization header is no browser that follows a
 * link. False: it has been answered.
 */
bool referer_allowed(struct request *r) MUST_USE;

#endif
