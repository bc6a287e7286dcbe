/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A folder that another process uses. It only adds to the log, and does not remove what was deleted
 * while that is forbidden (removals.h). So all that the log says up to some record stays true of
 * what lies there, whatever is written behind it. The index is asked for, and says of which record
 * it is.
 */
#include <errno.h>
#include <fcntl.h>
#include <sys/file.h>

#include "base/log.h"
#include "store/local/control/ask.h"
#include "store/local/disk/files.h"
#include "store/local/fsck/fsck_internal.h"
#include "store/local/state/removals.h"
#include "store/local/wal/scan.h"

enum err in_use_lock(struct fsck *f)
{
	const char *path = f->options->path;
	f->lock = openat(f->dir, "lock", O_RDWR | O_CLOEXEC);
	if (f->lock >= 0 && flock(f->lock, LOCK_EX | LOCK_NB) == 0)
		return ERR_OK;
	int e = f->lock < 0 || errno != EWOULDBLOCK ? errno : removals_forbid(f->lock);
	f->result->is_in_use = e == 0;
	if (e == EAGAIN)
		log_error("fsck: a backup or another check of %s is being made", path);
	else if (e)
		log_error("fsck: cannot lock %s: %s", path, files_text(e));
	return e ? ERR_INTERNAL : ERR_OK;
}

void in_use_ask(struct fsck *f)
{
	int e = control_ask(f->dir, &f->control);
	if (e)
		log_error("fsck: the process that uses %s does not give its index: %s",
			f->options->path, e == EPROTO ? "it cannot" : files_text(e));
}

void in_use_take_end(struct fsck *f)
{
	f->result->segment = f->state.segment;
	f->result->offset = f->state.offset;
	f->log.end_segment = f->state.segment;
	f->log.end_offset = f->state.offset;
}

/* ---- The position ---------------------------------------------------------------------------- */

/* Forgets what was read of the file. */
static void read_anew(struct scan *scan)
{
	scan->from = scan->at;
	scan->got = 0;
	scan->ended = false;
}

/*
 * Behind a place that is no record. While it is being written that is the end; but when a later
 * group commit is there, all before it was written: then it is damage, which is left to the check.
 */
static bool find_later(struct scan *scan, uint64_t sequence, struct record *ret)
{
	uint64_t at = scan->at;
	if (!scan_find_later(scan, sequence, ret))
		return false;
	scan->at = at;
	read_anew(scan);
	return scan_record(scan, ret) || scan_find_later(scan, sequence, ret);
}

/* Takes over the pin. An errno value. */
static int find_end(struct scan *scan, struct segment *segment, uint64_t *ret)
{
	struct record record;
	uint64_t sequence = segment->first_sequence - 1;
	scan_open(scan, segment, SEGMENT_HEADER_BYTES, UINT64_MAX, false);
	scan->reads_around = true;
	*ret = scan->at;
	while (scan_record(scan, &record) || find_later(scan, sequence, &record)) {
		sequence = record.sequence;
		scan_next(scan, &record);
		*ret = scan->at;
	}
	return scan->fault;
}

/* The newest segment; one that is being made has no header yet. */
static struct segment *pin_newest(struct segments *segments)
{
	struct segment *newest = NULL;
	struct segment *segment;
	for (uint64_t id = 0; (segment = segment_pin_from(segments, id)) != NULL;) {
		id = segment->id + 1;
		if (newest && segment->first_sequence == 0) {
			segment_unpin(segment);
			continue;
		}
		segment_unpin(newest);
		newest = segment;
	}
	return newest;
}

enum err in_use_find_end(struct fsck *f)
{
	struct scan scan;
	struct segment *segment = pin_newest(f->segments);
	if (!segment || !scan_init(&scan)) {
		segment_unpin(segment);
		return segment ? ERR_UNAVAILABLE : ERR_OK;
	}
	f->result->segment = segment->id;
	int e = find_end(&scan, segment, &f->result->offset);
	scan_release(&scan);
	f->log.end_segment = f->result->segment;
	f->log.end_offset = f->result->offset;
	if (e)
		log_error("fsck: cannot read the newest segment: %s", files_text(e));
	return e ? files_err(e) : ERR_OK;
}
