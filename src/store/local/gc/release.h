/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Gives up a damaged segment of the log, which the collector keeps for good. What the index needs
 * of it is written again at the end of the log, and the file is moved to the folder `damaged`.
 * upgrade_log_anew() must have been called since: then no record in it says anything any more.
 */
#ifndef STORE_LOCAL_GC_RELEASE_H
#define STORE_LOCAL_GC_RELEASE_H

#include <stdbool.h>
#include <stdint.h>

#include "base/compiler.h"
#include "base/err.h"

struct local;

/*
 * *ret_released is false if the index needs bytes of it that cannot be read. May be called again
 * after any failure. Logs why on failure.
 */
enum err release_segment(struct local *local, uint64_t id, bool *ret_released) MUST_USE;

/* Forgets the segments that are missing: no entry may need bytes of them any more. */
enum err release_missing(struct local *local) MUST_USE;

#endif
