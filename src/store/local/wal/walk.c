/* SPDX-License-Identifier: Apache-2.0 */
#include "store/local/wal/walk.h"

void walk_open(struct walk *walk, struct segments *segments, struct segment *segment, uint64_t at)
{
	scan_open_in(&walk->scan, segments, segment, at);
	walk->segment = segment->id;
	walk_back(walk, at, walk->sequence);
}

void walk_back(struct walk *walk, uint64_t at, uint64_t sequence)
{
	walk->scan.at = at;
	walk->sequence = sequence;
	walk->good_at = at;
	walk->is_damaged = false;
	walk->has_bad_data = false;
	walk->later_at = 0;
}

void walk_past(struct walk *walk, const struct record *record)
{
	scan_next(&walk->scan, record);
	walk->good_at = walk->scan.at;
	walk->sequence = record->sequence + 1;
}

/* Where the damaged place ends that begins at scan.at, which stays. Whether a record follows it. */
static bool find_end(struct walk *walk, uint64_t *ret)
{
	struct scan *scan = &walk->scan;
	struct record record;
	uint64_t at = scan->at;
	if (walk->later_at < at) {
		bool found = scan_find_later(scan, walk->sequence, &record);
		walk->later_at = found ? scan->at : UINT64_MAX;
		scan->at = at;
	}
	uint64_t size = segment_size(scan->segment);
	*ret = walk->later_at < UINT64_MAX ? walk->later_at : size < scan->end ? size : scan->end;
	return walk->later_at < UINT64_MAX;
}

/*
 * The next record that is damaged, and can be read all the same. What follows the last record of
 * the log may not have been written whole: then only the very next one counts, and with all of its
 * bytes.
 */
static bool find_damaged(struct walk *walk, uint64_t end, bool is_whole, struct record *ret)
{
	struct scan *scan = &walk->scan;
	for (; scan->at < end && !scan->fault; scan->at += RECORD_ALIGN) {
		if (scan_mend(scan, end, ret) && ret->sequence >= walk->sequence)
			return is_whole || ret->sequence == walk->sequence;
		/* Only there it is a record's header, and no bytes that look like one. */
		bool is_header = scan->at == walk->good_at;
		if (is_whole && is_header && scan_split_bad_data(scan, end, ret) &&
			ret->sequence == walk->sequence) {
			walk->has_bad_data = true;
			return true;
		}
		if (!is_whole)
			break;
	}
	scan->at = walk->good_at;
	return false;
}

/* The next record of a damaged place, or else the one behind it. */
static bool find_next(struct walk *walk, struct record *ret)
{
	uint64_t end;
	bool is_within = find_end(walk, &end);
	walk->is_damaged = find_damaged(walk, end, is_within || walk->scan.is_sealed, ret);
	if (walk->is_damaged)
		return true;
	if (walk->scan.fault || !is_within)
		return false;
	walk->scan.at = end;
	return scan_record(&walk->scan, ret) && ret->sequence >= walk->sequence;
}

bool walk_next(struct walk *walk, struct record *ret)
{
	walk->is_damaged = false;
	walk->has_bad_data = false;
	if (scan_record(&walk->scan, ret) && ret->sequence == walk->sequence)
		return true;
	return !walk->scan.fault && find_next(walk, ret);
}
