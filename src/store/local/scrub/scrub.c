/* SPDX-License-Identifier: Apache-2.0 */
#include "store/local/scrub/scrub.h"

#include <inttypes.h>
#include <sys/resource.h>
#include <unistd.h>

#include "base/log.h"
#include "base/thread.h"
#include "store/local/commit/committer.h"
#include "store/local/disk/files.h"
#include "store/local/large/verify.h"
#include "store/local/scrub/scrub_internal.h"

enum {
	NICE = 19,
	SAVE_AFTER_BYTES = 64 << 20,
	LOOK_MS = 60000, /* at the clock, at rest */
};

/* ---- Where it is ----------------------------------------------------------------------------- */

static void show(struct scrub *scrub)
{
	const struct scrub_place *place = &scrub->place;
	bool is_under_way = place->segment != 0;
	(void)pthread_mutex_lock(&scrub->lock);
	scrub->stats.pass_bytes = is_under_way ? place->done : 0;
	scrub->stats.pass_total = is_under_way ? place->total : 0;
	scrub->stats.ended_ms = place->ended_ms;
	scrub->stats.damaged = place->count + scrub->untold;
	(void)pthread_mutex_unlock(&scrub->lock);
}

static void save(struct scrub *scrub)
{
	int e = scrub_place_save(scrub->local->dir, &scrub->place);
	if (e && !scrub->save_failed)
		log_error("store: cannot write down how far the scrub is: %s", files_text(e));
	scrub->save_failed = e != 0;
	scrub->unsaved = 0;
}

bool scrub_rest(struct scrub *scrub, uint64_t bytes)
{
	scrub->place.done += bytes;
	scrub->unsaved += bytes;
	(void)pthread_mutex_lock(&scrub->lock);
	scrub->stats.bytes += bytes;
	(void)pthread_mutex_unlock(&scrub->lock);
	show(scrub);
	if (scrub->unsaved >= SAVE_AFTER_BYTES)
		save(scrub);
	return sleeper_sleep(&scrub->sleeper, pace_rest_ms(&scrub->pace, bytes));
}

void scrub_count(struct scrub *scrub, uint64_t records, uint64_t files, uint64_t sums)
{
	(void)pthread_mutex_lock(&scrub->lock);
	scrub->stats.records += records;
	scrub->stats.files += files;
	scrub->stats.sums_added += sums;
	(void)pthread_mutex_unlock(&scrub->lock);
}

/* ---- Passes ---------------------------------------------------------------------------------- */

static int64_t now_ms(const struct scrub *scrub)
{
	return clock_wall_ms(scrub->local->options.clock);
}

/* Sleeps until a pass is due; false if it is to end. */
static bool wait_until_due(struct scrub *scrub)
{
	const struct scrub_place *place = &scrub->place;
	int64_t interval_ms = (int64_t)scrub->local->options.scrub_interval_ms;
	for (;;) {
		int64_t passed_ms = now_ms(scrub) - place->begun_ms;
		/* A clock that was set back must not stop it for ever. */
		if (place->begun_ms == 0 || passed_ms < 0 || passed_ms >= interval_ms)
			return !scrub_stopping(scrub);
		int64_t left_ms = interval_ms - passed_ms;
		if (!sleeper_sleep(
			    &scrub->sleeper, (uint64_t)(left_ms < LOOK_MS ? left_ms : LOOK_MS)))
			return false;
	}
}

static void begin_pass(struct scrub *scrub)
{
	struct scrub_place *place = &scrub->place;
	struct index_state end;
	committer_state(scrub->local->committer, &end);
	place->pass++;
	place->begun_ms = now_ms(scrub);
	place->segment = 1;
	place->offset = SEGMENT_HEADER_BYTES;
	place->end_segment = end.segment;
	place->end_offset = end.offset;
	place->done = 0;
	place->total = segments_disk_bytes(scrub->local->segments) + end.file_bytes;
	scrub->untold = 0;
	show(scrub);
}

static void end_pass(struct scrub *scrub)
{
	struct scrub_place *place = &scrub->place;
	scrub_place_forget(place);
	place->segment = 0;
	place->ended_ms = now_ms(scrub);
	show(scrub);
	save(scrub);
	if (place->count + scrub->untold)
		log_error("store: the scrub has read all that is stored: %zu places are damaged, "
			  "each is named in the log; `postern fsck` lists them",
			place->count + (size_t)scrub->untold);
}

/* Where the records of the segment end, as far as the pass goes. */
static uint64_t end_of(const struct scrub *scrub, uint64_t id)
{
	const struct scrub_place *place = &scrub->place;
	uint64_t end = segment_end(scrub->local->segments, id);
	return id == place->end_segment && place->end_offset < end ? place->end_offset : end;
}

/* Goes on where it is; false if it is to end. */
static bool go_through(struct scrub *scrub)
{
	struct scrub_place *place = &scrub->place;
	struct segments *segments = scrub->local->segments;
	struct segment *segment;
	while ((segment = segment_pin_from(segments, place->segment)) != NULL) {
		uint64_t id = segment->id;
		if (id > place->end_segment) {
			segment_unpin(segment);
			break;
		}
		if (id != place->segment || place->offset < SEGMENT_HEADER_BYTES)
			place->offset = SEGMENT_HEADER_BYTES;
		place->segment = id;
		if (!log_scrub(scrub, segment, end_of(scrub, id)))
			return false;
		place->segment = id + 1;
		place->offset = SEGMENT_HEADER_BYTES;
	}
	return true;
}

static void *work(void *arg)
{
	struct scrub *scrub = arg;
	(void)setpriority(PRIO_PROCESS, (id_t)gettid(), NICE);
	scrub_place_load(scrub->local->dir, &scrub->place);
	show(scrub);
	while (!scrub_stopping(scrub)) {
		if (scrub->place.segment == 0 && !wait_until_due(scrub))
			break;
		if (scrub->place.segment == 0)
			begin_pass(scrub);
		if (go_through(scrub))
			end_pass(scrub);
	}
	save(scrub);
	return NULL;
}

/* ---- The thread ------------------------------------------------------------------------------ */

static struct scrub *make(struct local *local)
{
	struct scrub *scrub = calloc(1, sizeof(*scrub));
	if (!scrub)
		return NULL;
	scrub->local = local;
	scrub->pace.rate = local->options.scrub_bytes_per_second;
	scrub->stats.rate = scrub->pace.rate;
	scrub->joined = true;
	sleeper_init(&scrub->sleeper);
	(void)pthread_mutex_init(&scrub->lock, NULL);
	scrub->block = malloc(VERIFY_BLOCK_BYTES);
	if (scan_init(&scrub->scan) && scrub->block)
		return scrub;
	scrub_free(scrub);
	return NULL;
}

enum err scrub_new(struct local *local, struct scrub **ret)
{
	*ret = NULL;
	if (local->options.scrub_bytes_per_second == 0)
		return ERR_OK;
	struct scrub *scrub = make(local);
	if (!scrub)
		return ERR_UNAVAILABLE;
	if (!thread_start(&scrub->thread, "scrub", THREAD_DISK, work, scrub)) {
		scrub_free(scrub);
		return ERR_UNAVAILABLE;
	}
	scrub->joined = false;
	*ret = scrub;
	return ERR_OK;
}

void scrub_stop(struct scrub *scrub)
{
	if (!scrub || scrub->joined)
		return;
	sleeper_stop(&scrub->sleeper);
	(void)pthread_join(scrub->thread, NULL);
	scrub->joined = true;
}

void scrub_free(struct scrub *scrub)
{
	if (!scrub)
		return;
	scrub_stop(scrub);
	scan_release(&scrub->scan);
	free(scrub->block);
	(void)pthread_mutex_destroy(&scrub->lock);
	sleeper_destroy(&scrub->sleeper);
	free(scrub);
}

void scrub_stats(struct scrub *scrub, struct store_scrub *ret)
{
	*ret = (struct store_scrub){.rate = 0};
	if (!scrub)
		return;
	(void)pthread_mutex_lock(&scrub->lock);
	*ret = scrub->stats;
	(void)pthread_mutex_unlock(&scrub->lock);
}
