/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A table of fixed size that counts by name. Names are kept as digests, keyed by a random key of
 * the process, so that nobody can choose names that collide. A new name takes the row that was not
 * used for the longest time, among the few rows where it may be. Any thread.
 */
#ifndef APP_COUNTS_COUNTS_H
#define APP_COUNTS_COUNTS_H

#include <stdbool.h>
#include <stdint.h>

#include "base/compiler.h"
#include "base/slice.h"

struct counts;

struct counts_row {
	int64_t used_ms; /* when it was last asked for */
	int64_t numbers[2];
	uint64_t name_; /* of its digest; 0: an empty row */
};

/* Room for `rows` names. NULL without memory. */
struct counts *counts_new(size_t rows) MUST_USE;
/* NULL is allowed. */
void counts_free(struct counts *counts);

/*
 * The row of `name`, with the table locked until counts_unlock(). If it is not known: a new one
 * with numbers of 0 and, as its `used_ms`, COUNTS_NEVER. The caller sets that (monotonic), whenever
 * it is a use.
 */
#define COUNTS_NEVER INT64_MIN
struct counts_row *counts_lock(struct counts *counts, struct slice name);
void counts_unlock(struct counts *counts);

#endif
