/* SPDX-License-Identifier: Apache-2.0 */
/* Which records count behind one that is damaged. */
#include "store/local/wal/scan.h"

#include <fcntl.h>
#include <unistd.h>

#include "store/local/disk/files.h"
#include "tap.h"
#include "unit/store/folder.h"

/* A record without meta data or bytes; where the next one goes. */
static uint64_t put(struct segment *segment, uint64_t at, uint64_t sequence, uint64_t batch)
{
	unsigned char bytes[RECORD_HEADER_BYTES + RECORD_ALIGN] = {0};
	size_t size = record_total(1, 0, 0);
	record_head(bytes, RECORD_OBJECT_DELETE, 7, 1, 0, 0);
	bytes[RECORD_HEADER_BYTES] = 'k';
	record_seal(bytes, segment->salt, sequence, batch, S(""));
	if (size > sizeof(bytes) || pwrite(segment->fd, bytes, size, (off_t)at) != (ssize_t)size)
		abort();
	return at + size;
}

static void damage(struct segment *segment, uint64_t at)
{
	if (pwrite(segment->fd, "x", 1, (off_t)(at + RECORD_HEADER_BYTES)) != 1)
		abort();
}

static struct segment *make(struct segments *segments, uint64_t id, uint64_t sequence)
{
	struct segment *segment;
	const struct segment_begin begin = {.id = id, .first_sequence = sequence, .files_next = 1};
	if (segment_create(segments, &begin, &segment) != 0)
		abort();
	return segment;
}

/* The sequence of what is found behind a bad record at `at`, which should be `sequence`; 0: none.
 */
static uint64_t later(struct segments *segments, uint64_t id, uint64_t at, uint64_t sequence)
{
	struct scan scan;
	struct record record;
	uint64_t found = 0;
	if (!scan_init(&scan))
		abort();
	scan_open_in(&scan, segments, segment_pin(segments, id), at);
	if (scan_record(&scan, &record) && record.sequence == sequence)
		abort();
	if (scan_find_later(&scan, sequence, &record))
		found = record.sequence;
	scan_release(&scan);
	return found;
}

int main(void)
{
	char path[FOLDER_PATH_MAX];
	struct segments *segments;
	folder_make(path);
	int dir = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (dir < 0 || segments_open(dir, 0, &segments) != ERR_OK)
		return 1;
	/* A group commit of one record, and one of three. */
	struct segment *segment = make(segments, 1, 1);
	uint64_t second = put(segment, SEGMENT_HEADER_BYTES, 1, 1);
	uint64_t at = put(segment, second, 2, 2);
	at = put(segment, at, 3, 2);
	at = put(segment, at, 4, 2);
	damage(segment, second);
	IS_INT(later(segments, 1, second, 2), 0,
		"the rest of the last group commit does not count: it may never have been whole");
	(void)put(segment, at, 5, 5);
	IS_INT(later(segments, 1, second, 2), 3, "it does if another follows");
	struct segment *next = make(segments, 2, 6);
	uint64_t last = put(next, SEGMENT_HEADER_BYTES, 6, 6);
	(void)put(next, last, 7, 6);
	damage(next, SEGMENT_HEADER_BYTES);
	IS_INT(later(segments, 2, SEGMENT_HEADER_BYTES, 6), 0, "likewise in the last segment");
	struct segment *wide = make(segments, 3, 8);
	IS_INT(later(segments, 2, SEGMENT_HEADER_BYTES, 6), 7, "and it does if that is sealed");
	IS_INT(later(segments, 1, at, 4), 5, "a good one counts, too, behind some that are gone");
	/* What lies at the end of the window, which is 4 MiB more than a record may have, and
	 * behind it.
	 */
	uint64_t edge =
		SEGMENT_HEADER_BYTES + (RECORD_MAX + (4 << 20)) / RECORD_ALIGN * RECORD_ALIGN;
	bool found = true;
	for (uint64_t far = edge - 128; far <= edge + 128; far += RECORD_ALIGN) {
		(void)put(wide, far, 9, 9);
		found = found && later(segments, 3, SEGMENT_HEADER_BYTES, 8) == 9;
		if (ftruncate(wide->fd, (off_t)far) != 0)
			abort();
	}
	OK(found, "a record is found wherever it lies at the end of the window");
	segment_unpin(wide);
	segment_unpin(segment);
	segment_unpin(next);
	segments_free(segments);
	folder_remove(path);
	return tap_done();
}
