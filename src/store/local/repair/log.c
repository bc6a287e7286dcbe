/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The log. What its damaged records said is in the index: all of that is written to the log anew,
 * so that nothing before says anything any more. Then only bytes of objects are needed of a damaged
 * segment, and those are moved.
 */
#include <inttypes.h>

#include "base/log.h"
#include "store/local/gc/release.h"
#include "store/local/gc/upgrade_log.h"
#include "store/local/rebuild/restore_log.h"
#include "store/local/repair/repair_internal.h"

struct finding {
	struct repair *r;
	enum err err;
};

static void note_gap(const struct restore_gap *gap, void *ctx)
{
	struct finding *finding = ctx;
	struct repair *r = finding->r;
	log_error("store: the log is damaged: file=segments/%016" PRIx64 ".seg offset=%" PRIu64,
		gap->segment, gap->begin);
	for (size_t i = 0; i < r->segment_count; i++)
		if (r->segments[i] == gap->segment)
			return;
	uint64_t *more = realloc(r->segments, (r->segment_count + 1) * sizeof(*more));
	if (!more) {
		finding->err = ERR_UNAVAILABLE;
		return;
	}
	r->segments = more;
	r->segments[r->segment_count++] = gap->segment;
}

static bool progress(uint64_t done, uint64_t total UNUSED, void *ctx)
{
	const struct repair *r = ((struct finding *)ctx)->r;
	return !r->options->progress ||
	       r->options->progress(r->done + done, r->total, r->options->ctx);
}

static enum err find_damaged(struct repair *r)
{
	struct finding finding = {.r = r, .err = ERR_OK};
	const struct restore_watch watch = {.progress = progress, .gap = note_gap, .ctx = &finding};
	struct restore_log log = {.segments = r->local->segments, .watch = &watch};
	enum err e = restore_log_read(&log);
	restore_log_release(&log);
	return e == ERR_OK ? finding.err : e;
}

enum err log_repair(struct repair *r)
{
	enum err e = find_damaged(r);
	if (e != ERR_OK || (r->segment_count == 0 && r->local->start_damage == 0))
		return e;
	e = upgrade_log_anew(r->local);
	for (size_t i = 0; i < r->segment_count && e == ERR_OK; i++) {
		bool released;
		e = release_segment(r->local, r->segments[i], &released);
		r->result->segments += e == ERR_OK && released;
		r->result->kept += e == ERR_OK && !released;
	}
	return e == ERR_OK ? release_missing(r->local) : e;
}
