/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Says when the parts of an upload have to be summed: when more than PART_COUNTS_EVERY are signed
 * that were not at the store the last time. A table of fixed size; of an upload that it does not
 * know, at once. So whatever is forgotten is looked at more often, never less. Any thread.
 */
#ifndef APP_MULTIPART_PART_COUNTS_H
#define APP_MULTIPART_PART_COUNTS_H

#include <stdbool.h>
#include <stddef.h>

#include "base/compiler.h"
#include "base/slice.h"

#define PART_COUNTS_EVERY 64

struct part_counts;

/* NULL without memory. */
struct part_counts *part_counts_new(void) MUST_USE;
/* NULL is allowed. */
void part_counts_free(struct part_counts *counts);

/* An upload that has no parts. */
void part_counts_begin(struct part_counts *counts, struct slice upload);
/* Before `count` parts are signed: whether the sum is due. They are counted if it is not. */
bool part_counts_due(struct part_counts *counts, struct slice upload, size_t count);
/* The store has `listed` parts, and now `count` are signed. */
void part_counts_summed(
	struct part_counts *counts, struct slice upload, size_t listed, size_t count);

#endif
