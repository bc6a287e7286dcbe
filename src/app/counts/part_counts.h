/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Says when the sizes of an upload's parts have to be added up: when more than PART_COUNTS_EVERY
 * parts were signed that the store did not have the last time. For an upload that has no row (any
 * more, counts.h) that is at once: losing a row means more work, never less checking. Any thread.
 */
#ifndef APP_COUNTS_PART_COUNTS_H
#define APP_COUNTS_PART_COUNTS_H

#include "app/counts/counts.h"

#define PART_COUNTS_EVERY 64

/* An upload that has no parts. */
void part_counts_begin(struct counts *counts, struct slice upload, int64_t now_ms);
/* Before `count` parts are signed: whether the sum is due. They are counted if it is not. */
bool part_counts_due(
	struct counts *counts, struct slice upload, size_t count, int64_t now_ms) MUST_USE;
/* The store has `listed` parts, and now `count` are signed. */
void part_counts_summed(
	struct counts *counts, struct slice upload, size_t listed, size_t count, int64_t now_ms);

#endif
