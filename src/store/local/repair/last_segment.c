/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A last segment whose header is damaged: the store does not open, for it would write behind what
 * it cannot tell the end of. With an empty one behind it, it is a damaged segment like others.
 */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <sys/stat.h>

#include "base/log.h"
#include "store/local/disk/files.h"
#include "store/local/rebuild/restore_log.h"
#include "store/local/repair/repair_internal.h"

static void pass_over(const struct restore_gap *gap UNUSED, void *ctx UNUSED)
{
}

static struct segment *pin_last(struct segments *segments)
{
	struct segment *last = NULL;
	struct segment *segment;
	for (uint64_t id = 0; (segment = segment_pin_from(segments, id)) != NULL;) {
		id = segment->id + 1;
		segment_unpin(last);
		last = segment;
	}
	return last;
}

/* Behind `last`; no number that a record in it may have is given again. */
static enum err begin_next(
	struct segments *segments, const struct segment *last, uint64_t size, uint64_t sequence)
{
	const struct restore_watch watch = {.gap = pass_over};
	struct restore_log log = {.segments = segments, .watch = &watch};
	struct segment *next;
	enum err e = restore_log_read(&log);
	uint64_t first = log.walk.sequence > sequence ? log.walk.sequence : sequence;
	/* If what the header says of checksums is damaged, nothing in it looks like a record. */
	if (log.walk.good_at == SEGMENT_HEADER_BYTES)
		first += size / RECORD_ALIGN;
	const struct segment_begin begin = {
		.id = last->id + 1, .first_sequence = first, .files_next = log.files_next};
	restore_log_release(&log);
	if (e != ERR_OK)
		return e;
	int fault = segment_create(segments, &begin, &next);
	if (fault) {
		log_error("store: cannot make a new segment: %s", files_text(fault));
		return files_err(fault);
	}
	segment_unpin(next);
	log_info("store: the log goes on in segment %016" PRIx64, begin.id);
	return ERR_OK;
}

enum err last_segment_mend(int dir, const struct index_state *state)
{
	struct segments *segments;
	struct stat st;
	int at = openat(dir, "segments", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	enum err e = at < 0 ? files_err(errno) : segments_open_to_read(at, &segments);
	if (e != ERR_OK)
		return e;
	struct segment *last = pin_last(segments);
	if (last && last->first_sequence == 0 && fstat(last->fd, &st) != 0)
		e = files_err(errno);
	/* One that was just being made has nothing behind its header; a start removes it. */
	else if (last && last->first_sequence == 0 &&
		 (st.st_size > SEGMENT_HEADER_BYTES || last->id <= state->segment))
		e = begin_next(segments, last, (uint64_t)st.st_size, state->sequence);
	segment_unpin(last);
	segments_free(segments);
	return e;
}
