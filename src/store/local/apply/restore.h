/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Rebuilding the index: records of a log from which the collector has removed segments. A record
 * makes its entry alone, whatever of the history is missing: the version says whether it is
 * current, and what has gone is named by what ended it. Counts are left alone, they are counted
 * afterwards.
 *
 * The records must come in the order of the log. docs/on-disk.md says why that is enough.
 */
#ifndef STORE_LOCAL_APPLY_RESTORE_H
#define STORE_LOCAL_APPLY_RESTORE_H

#include "store/local/apply/effects.h"

/* A record about an object, or RECORD_ENDED of one; `sequence` is its own. */
enum err restore_record(
	struct index_batch *batch, const struct record_at *record, uint64_t sequence) MUST_USE;

/*
 * After the last record was written: parts that belong to nothing go, and files that are used are
 * no garbage. Writes the batch as it goes, with the position of the log.
 */
enum err restore_finish(struct index_batch *batch, struct index *index) MUST_USE;

#endif
