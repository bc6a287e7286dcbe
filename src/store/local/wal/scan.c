/* SPDX-License-Identifier: Apache-2.0 */
#include "store/local/wal/scan.h"

#include "store/local/disk/bytes.h"
#include "store/local/wal/mend.h"

enum {
	WINDOW_BYTES = RECORD_MAX + (4 << 20)
};

bool scan_init(struct scan *scan)
{
	*scan = (struct scan){.window = malloc(WINDOW_BYTES)};
	return scan->window != NULL;
}

void scan_release(struct scan *scan)
{
	segment_unpin(scan->segment);
	free(scan->window);
	*scan = (struct scan){.window = NULL};
}

void scan_open(
	struct scan *scan, struct segment *segment, uint64_t at, uint64_t end, bool is_sealed)
{
	segment_unpin(scan->segment);
	scan->segment = segment;
	scan->from = at;
	scan->got = 0;
	scan->ended = false;
	scan->at = at;
	scan->end = end;
	scan->is_sealed = is_sealed;
	scan->bad = (struct files_bad){.bytes = 0};
}

void scan_open_in(
	struct scan *scan, struct segments *segments, struct segment *segment, uint64_t at)
{
	struct segment *later = segment_pin_from(segments, segment->id + 1);
	segment_unpin(later);
	scan_open(scan, segment, at, segment_end(segments, segment->id), later != NULL);
}

/* Whether the window has a whole record of any size at `at`, or all there is. */
static bool within(const struct scan *scan, uint64_t at)
{
	return at >= scan->from && (scan->ended || at + RECORD_MAX <= scan->from + scan->got);
}

static int read_bytes(struct scan *scan, size_t want, uint64_t at)
{
	int fd = scan->segment->fd;
	return scan->reads_around
		       ? files_read_around(fd, scan->window, want, at, &scan->got, &scan->bad)
		       : files_read(fd, scan->window, want, at, &scan->got);
}

/* The bytes from `at` on; empty at the end of the file, and after a fault. */
static struct slice look_at(struct scan *scan, uint64_t at)
{
	if (!within(scan, at)) {
		uint64_t left = at < scan->end ? scan->end - at : 0;
		size_t want = left < WINDOW_BYTES ? (size_t)left : WINDOW_BYTES;
		scan->from = at;
		int e = read_bytes(scan, want, at);
		if (e) {
			scan->fault = e;
			scan->got = 0;
		}
		scan->ended = scan->got < WINDOW_BYTES;
	}
	size_t skip = (size_t)(at - scan->from);
	return slice_from(slice_of(scan->window, scan->got), skip);
}

bool scan_record(struct scan *scan, struct record *ret)
{
	struct slice bytes = look_at(scan, scan->at);
	return record_parse(bytes, scan->segment->salt, ret) == RECORD_OK;
}

void scan_next(struct scan *scan, const struct record *record)
{
	scan->at += record->total;
}

bool scan_will_move(const struct scan *scan)
{
	return !within(scan, scan->at);
}

/* Whether it is behind `sequence`, or, for `whole`, a group commit that begins there. */
static bool is_later(const struct record *record, uint64_t sequence, bool whole)
{
	return (whole ? record->batch : record->sequence) > sequence;
}

static bool find(struct scan *scan, uint64_t at, uint64_t sequence, bool whole, struct record *ret)
{
	for (;;) {
		struct slice bytes = look_at(scan, at);
		if (bytes.len < RECORD_HEADER_BYTES)
			return false;
		size_t skip = record_find_head(bytes);
		at += skip;
		if (skip)
			continue; /* so that all of it is in the window */
		if (record_parse(bytes, scan->segment->salt, ret) == RECORD_OK &&
			is_later(ret, sequence, whole)) {
			scan->at = at;
			return true;
		}
		at += RECORD_ALIGN;
	}
}

bool scan_find_bytes(struct scan *scan, uint64_t *ret_end)
{
	bool found = false;
	uint64_t at = scan->at;
	for (;;) {
		struct slice bytes = look_at(scan, at);
		if (bytes.len == 0)
			return found;
		size_t used = bytes_before_zeros(bytes.ptr, bytes.len);
		if (used > 0) {
			found = true;
			*ret_end = at + used;
		}
		at += bytes.len;
	}
}

bool scan_find_later(struct scan *scan, uint64_t sequence, struct record *ret)
{
	uint64_t from = scan->at;
	if (!scan->is_sealed && !find(scan, from, sequence, true, ret))
		return false;
	return find(scan, from, sequence, false, ret);
}

static struct slice look_up_to(struct scan *scan, uint64_t end)
{
	struct slice bytes = look_at(scan, scan->at);
	return slice_head(bytes, scan->at < end ? (size_t)(end - scan->at) : 0);
}

bool scan_mend(struct scan *scan, uint64_t end, struct record *ret)
{
	struct slice bytes = look_up_to(scan, end);
	return record_mend(
		scan->window + (scan->at - scan->from), bytes.len, scan->segment->salt, ret);
}

bool scan_split_bad_data(struct scan *scan, uint64_t end, struct record *ret)
{
	return record_split_bad_data(look_up_to(scan, end), ret);
}
