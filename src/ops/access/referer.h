/* SPDX-License-Identifier: Apache-2.0 */
/* Refuses requests that the referer rules of their bucket exclude. */
#ifndef OPS_ACCESS_REFERER_H
#define OPS_ACCESS_REFERER_H

#include "ops/request.h"
#include "ops/rules/setting_cache.h"

/* The compiled rules of buckets. */
struct setting_cache *referer_cache_new(void) MUST_USE;

/*
 * Whether the rules let the request through. As in OSS they apply to requests for objects that are
 * anonymous or signed in the URL; a client that sends an Authorization header is not a browser
 * following a link. False: it has been answered.
 */
bool referer_allowed(struct request *r) MUST_USE;

#endif
