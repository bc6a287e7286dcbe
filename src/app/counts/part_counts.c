/* SPDX-License-Identifier: Apache-2.0 */
#include "app/counts/part_counts.h"

enum {
	SIGNED, /* and not yet listed */
	LISTED,
};

void part_counts_begin(struct counts *counts, struct slice upload, int64_t now_ms)
{
	struct counts_row *row = counts_lock(counts, upload);
	row->used_ms = now_ms;
	row->numbers[SIGNED] = 0;
	row->numbers[LISTED] = 0;
	counts_unlock(counts);
}

bool part_counts_due(struct counts *counts, struct slice upload, size_t count, int64_t now_ms)
{
	struct counts_row *row = counts_lock(counts, upload);
	bool known = row->used_ms != COUNTS_NEVER;
	bool due = !known || row->numbers[SIGNED] + (int64_t)count > PART_COUNTS_EVERY;
	if (!due)
		row->numbers[SIGNED] += (int64_t)count;
	if (known)
		row->used_ms = now_ms;
	counts_unlock(counts);
	return due;
}

void part_counts_summed(
	struct counts *counts, struct slice upload, size_t listed, size_t count, int64_t now_ms)
{
	struct counts_row *row = counts_lock(counts, upload);
	bool known = row->used_ms != COUNTS_NEVER;
	int64_t arrived = known ? (int64_t)listed - row->numbers[LISTED] : 0;
	int64_t waiting = row->numbers[SIGNED] - (arrived > 0 ? arrived : 0);
	row->used_ms = now_ms;
	row->numbers[SIGNED] = (waiting > 0 ? waiting : 0) + (int64_t)count;
	row->numbers[LISTED] = (int64_t)listed;
	counts_unlock(counts);
}
