/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The part lists that are being read. A list outlives the object that named it until the collector
 * removes it, which it does not do while somebody has pinned it. A reader must pin the list first
 * and then check that the object still names it.
 *
 * Any thread.
 */
#ifndef STORE_LOCAL_STATE_PART_PINS_H
#define STORE_LOCAL_STATE_PART_PINS_H

#include <stdbool.h>
#include <stdint.h>

#include "base/compiler.h"

struct part_pins;

struct part_pins *part_pins_new(void) MUST_USE;
/* Nothing may be pinned. NULL is allowed. */
void part_pins_free(struct part_pins *pins);

/* False without memory. */
bool part_pins_add(struct part_pins *pins, uint64_t list) MUST_USE;
void part_pins_drop(struct part_pins *pins, uint64_t list);
bool part_pins_any(struct part_pins *pins, uint64_t list);

#endif
