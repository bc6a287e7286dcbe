/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Query parameters that several operations take. Those that return bool: false means that the
 * value is not allowed and the request has been answered.
 */
#ifndef OPS_ARGUMENTS_PARAMS_H
#define OPS_ARGUMENTS_PARAMS_H

#include "ops/request.h"

/* encoding-type: `url`, or absent or empty. */
bool params_encoding(struct request *r, bool *ret_encode) MUST_USE;

/* How many rows to list: 1 to LIMIT_LIST_KEYS; `absent` if it is absent or empty. */
bool params_count(struct request *r, const char *name, uint32_t absent, uint32_t *ret) MUST_USE;
/* max-keys: the same, 100 if absent. */
bool params_max_keys(struct request *r, uint32_t *ret) MUST_USE;

/* A prefix or marker: empty if it is absent, and no longer than a key can be. */
bool params_name(struct request *r, const char *name, struct slice *ret) MUST_USE;

#endif
