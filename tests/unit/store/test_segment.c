/* SPDX-License-Identifier: Apache-2.0 */
/* What the headers of segments say of others, when some of these are not there any more. */
#include "store/local/wal/segment.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <sys/syscall.h>

#include "tap.h"
#include "unit/store/folder.h"

/* In the place of the C library's. */
static bool unlink_fails;

int unlinkat(int dir, const char *name, int flags)
{
	errno = EIO;
	return unlink_fails ? -1 : (int)syscall(SYS_unlinkat, dir, name, flags);
}

static void make(struct segments *segments, uint64_t id, uint64_t sequence, uint64_t previous_end)
{
	struct segment *segment;
	const struct segment_begin begin = {.id = id,
		.first_sequence = sequence,
		.previous_end = previous_end,
		.files_next = 10 * id};
	if (segment_create(segments, &begin, &segment) != 0)
		abort();
	segment_unpin(segment);
}

static struct segments *open_all(const char *path)
{
	struct segments *segments;
	int dir = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (dir < 0 || segments_open(dir, 0, &segments) != ERR_OK)
		abort();
	return segments;
}

static uint64_t size_of(struct segments *segments, uint64_t id)
{
	struct stat st;
	struct segment *segment = segment_pin(segments, id);
	if (!segment || fstat(segment->fd, &st) != 0)
		abort();
	segment_unpin(segment);
	return (uint64_t)st.st_size;
}

static bool cut_before(struct segments *segments, uint64_t id)
{
	struct segment *segment = segment_pin(segments, id);
	bool ok = segment && segment_cut_before(segments, segment) == 0;
	segment_unpin(segment);
	return ok;
}

int main(void)
{
	char path[FOLDER_PATH_MAX];
	folder_make(path);
	struct segments *segments = open_all(path);
	make(segments, 1, 1, 0);
	make(segments, 2, 10, 1000);
	make(segments, 3, 20, 2000);
	make(segments, 4, 30, 0);
	OK(segment_end(segments, 1) == 1000 && segment_end(segments, 2) == 2000,
		"the header behind says where a segment ends");
	OK(segment_end(segments, 3) == UINT64_MAX && segment_end(segments, 4) == UINT64_MAX,
		"if it does");
	OK(segments_overlap(segments, 10, 12, 0) && !segments_overlap(segments, 10, 12, 2),
		"sequences lie in one segment");
	OK(segments_overlap(segments, 9, 10, 2) && segments_overlap(segments, 35, 40, 0),
		"in two, and in the last");
	segments_free(segments);
	segments = open_all(path);
	OK(segment_end(segments, 1) == 1000, "it is read again");
	struct segment *last = segment_pin(segments, 4);
	OK(last && last->files_next == 40, "and so are the numbers of files");
	segment_unpin(last);
	struct segment *first = segment_pin(segments, 1);
	if (!first || ftruncate(first->fd, 5000) != 0)
		abort();
	segment_unpin(first);
	OK(cut_before(segments, 2) && size_of(segments, 1) == 1000,
		"before it goes, what it says is done");
	OK(cut_before(segments, 4) && size_of(segments, 3) == SEGMENT_HEADER_BYTES,
		"if it says anything");
	OK(segment_remove(segments, 2) == 0 && segment_end(segments, 1) == UINT64_MAX,
		"the end of a segment that has gone is not another's");
	OK(!segment_exists(segments, 2) && cut_before(segments, 3), "nor is it cut off there");
	IS_INT(size_of(segments, 1), 1000, "so the first is as it was");
	unlink_fails = true;
	IS_INT(segment_discard(segments, 4), EIO, "one that was just made is taken back");
	unlink_fails = false;
	OK(!segment_exists(segments, 4), "though its file stays");
	make(segments, 4, 50, 0);
	last = segment_pin(segments, 4);
	OK(last && last->first_sequence == 50, "until there is another");
	segment_unpin(last);
	segments_free(segments);
	folder_remove(path);
	return tap_done();
}
