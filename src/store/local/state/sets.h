/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The sets of parts that are being read. A set outlives the object that named it until the
 * collector removes it, which it does not do while the set is held. A reader must hold the set
 * first and then check that the object still names it.
 *
 * Any thread.
 */
#ifndef STORE_LOCAL_STATE_SETS_H
#define STORE_LOCAL_STATE_SETS_H

#include <stdbool.h>
#include <stdint.h>

#include "base/compiler.h"

struct sets;

struct sets *sets_new(void) MUST_USE;
/* Nothing may be held. NULL is allowed. */
void sets_free(struct sets *sets);

/* False without memory. */
bool sets_hold(struct sets *sets, uint64_t set) MUST_USE;
void sets_release(struct sets *sets, uint64_t set);
bool sets_held(struct sets *sets, uint64_t set);

#endif
