/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The records of the log, segment by segment. A good record has the right name, metadata and bytes;
 * so the index is asked only for large files, and where a record is damaged.
 */
#include <fcntl.h>
#include <inttypes.h>

#include "base/log.h"
#include "store/local/disk/files.h"
#include "store/local/scrub/scrub_internal.h"

enum {
	AHEAD_BYTES = 8 << 20 /* more than the scan reads at a time */
};

/* A segment that is being read. */
struct passage {
	struct scrub *scrub;
	struct segment *segment;
	uint64_t end;
	uint64_t sequence;  /* of the last good record, or of the one before the first */
	bool is_known;      /* the sequence is; not behind a restart until a record was read */
	uint64_t read_from; /* what is behind has not been rested for */
	bool has_gap;
};

/* ---- Records --------------------------------------------------------------------------------- */

static void look_at(struct passage *p, const struct record *record)
{
	struct object_meta meta;
	const struct location where = {.segment = p->segment->id, .offset = p->scrub->scan.at};
	if (record_brings_bytes(record) && object_meta_parse(record->meta, &meta) &&
		meta.place == OBJECT_FILE)
		file_scrub(p->scrub, record, &where);
}

/* The damage is in a segment that is still needed. */
static void look_at_gap(struct passage *p, uint64_t begin, uint64_t end)
{
	p->has_gap = true;
	if (segment_exists(p->scrub->local->segments, p->segment->id))
		gap_scrub(p->scrub, p->segment, begin, end);
}

/* ---- The end --------------------------------------------------------------------------------- */

/* Whether records are missing behind the last good one. */
static void look_at_end(struct passage *p)
{
	struct scan *scan = &p->scrub->scan;
	uint64_t size = segment_size(p->segment);
	uint64_t end = p->end < size ? p->end : size;
	struct segment *next = segment_pin(p->scrub->local->segments, p->segment->id + 1);
	uint64_t first = next ? next->first_sequence : 0;
	segment_unpin(next);
	if (p->segment->id == p->scrub->place.end_segment) {
		if (scan->at < p->scrub->place.end_offset)
			look_at_gap(p, scan->at, p->scrub->place.end_offset);
	} else if (first && p->is_known ? first > p->sequence + 1 : scan_find_bytes(scan, &end)) {
		look_at_gap(p, scan->at, end);
	}
	/* What it was may have been zeros. */
	const struct files_bad *bad = &scan->bad;
	if (bad->bytes && !p->has_gap)
		look_at_gap(p, bad->first, bad->first + bad->bytes);
}

/* ---- All of it ------------------------------------------------------------------------------- */

/* Others need the memory more; and what is read next is to come from the disk. */
static void drop_pages(const struct passage *p)
{
	uint64_t at = p->scrub->scan.at;
	uint64_t from = p->read_from;
	(void)posix_fadvise(
		p->segment->fd, (off_t)from, (off_t)(at - from + AHEAD_BYTES), POSIX_FADV_DONTNEED);
}

/* Rests for what was read if more is read now. */
static bool rest(struct passage *p, bool all)
{
	struct scan *scan = &p->scrub->scan;
	if (!all && !scan_will_move(scan))
		return true;
	bool goes_on = scrub_rest(p->scrub, scan->at - p->read_from);
	drop_pages(p);
	p->read_from = scan->at;
	return goes_on;
}

/* The next good record; false if there is none, or reading failed. */
static bool next_record(struct passage *p, struct record *ret)
{
	struct scan *scan = &p->scrub->scan;
	uint64_t at = scan->at;
	if (scan->at >= p->end)
		return false;
	if (scan_record(scan, ret))
		return true;
	if (scan->fault || !scan_find_later(scan, p->sequence, ret) || scan->at >= p->end)
		return false;
	look_at_gap(p, at, scan->at);
	return true;
}

static void read_records(struct passage *p)
{
	struct scan *scan = &p->scrub->scan;
	struct record record;
	while (rest(p, false) && next_record(p, &record)) {
		look_at(p, &record);
		/* A file that was not read to the end is read again. */
		if (scrub_stopping(p->scrub))
			return;
		p->sequence = record.sequence;
		p->is_known = true;
		scan_next(scan, &record);
		p->scrub->place.offset = scan->at;
		scrub_count(p->scrub, 1, 0, 0);
	}
}

bool log_scrub(struct scrub *scrub, struct segment *segment, uint64_t end)
{
	struct scan *scan = &scrub->scan;
	uint64_t at = scrub->place.offset;
	struct passage p = {.scrub = scrub,
		.segment = segment,
		.end = end,
		.sequence = segment->first_sequence - 1,
		.is_known = at == SEGMENT_HEADER_BYTES,
		.read_from = at};
	scan_open(scan, segment, at, end, true);
	scan->reads_around = true;
	if (segment->first_sequence == 0) {
		/* Without its salt no record is one: there are only the bytes of objects. */
		uint64_t size = segment_size(segment);
		look_at_gap(&p, 0, size);
		return scrub_rest(scrub, size);
	}
	read_records(&p);
	if (scan->fault)
		log_error("store: cannot read segment %016" PRIx64 ": %s", segment->id,
			files_text(scan->fault));
	else if (!scrub_stopping(scrub))
		look_at_end(&p);
	scan->fault = 0;
	return rest(&p, true) && !scrub_stopping(scrub);
}
