/* SPDX-License-Identifier: Apache-2.0 */
/* The object store service's own state, for the files of ops/. */
#ifndef OPS_OPS_INTERNAL_H
#define OPS_OPS_INTERNAL_H

#include "ops/ops.h"
#include "oss/sign/credential.h"

struct file_reader;
struct setting_cache;

struct ops {
	struct service service;
	struct ops_options options;
	struct setting_cache *cors;
	struct setting_cache *referers;
	struct setting_cache *lifecycles;
	struct file_reader *file_reader;
	struct sign_key_cache sign_keys;
	/* Counted by all loops. */
	atomic_uint_fast64_t open_requests;
	atomic_uint_fast64_t requests;
	atomic_uint_fast64_t errors;
	atomic_uint_fast64_t uploads;
	atomic_uint_fast64_t callbacks;
	atomic_uint_fast64_t callbacks_failed;
};

static inline void ops_count(atomic_uint_fast64_t *counter)
{
	atomic_fetch_add_explicit(counter, 1, memory_order_relaxed);
}

#endif
