/* SPDX-License-Identifier: Apache-2.0 */
#include "store/local/gc/gc.h"

#include "base/log.h"
#include "base/thread.h"
#include "store/local/gc/gc_internal.h"

enum {
	FLUSH_SPARE_BYTES = 4 << 20,
	FLUSH_AFTER_BYTES = 512 << 20, /* of log, so that a replay reads little more */
	SHORT_INTERVAL_MS = 1000,      /* at most, between two looks when space is short */
};

bool gc_begin_removal(struct gc *gc)
{
	bool may = removals_begin(gc->local->lock);
	if (may == gc->is_forbidden)
		log_info("store: %s", may ? "what was deleted is removed again"
					  : "a backup is being made: what is deleted is "
					    "removed when it has ended");
	gc->is_forbidden = !may;
	return may;
}

uint64_t gc_flush_bytes(struct gc *gc)
{
	return index_unflushed_bytes(gc->local->index) + FLUSH_SPARE_BYTES;
}

enum err gc_flush(struct gc *gc)
{
	struct index_state reached;
	/* RocksDB must not be the one that finds the disk full. */
	if (space_left(&gc->local->space) < gc_flush_bytes(gc))
		return ERR_DISK_FULL;
	committer_state(gc->local->committer, &reached);
	enum err e = index_flush(gc->local->index);
	if (e == ERR_OK)
		gc->flushed = reached;
	return e;
}

/* Bytes of log that a replay would have to read. */
static uint64_t unflushed(const struct gc *gc, const struct index_state *now)
{
	uint64_t segments = now->segment - gc->flushed.segment;
	return segments * gc->local->options.segment_bytes + now->offset - gc->flushed.offset;
}

/* Deletes of small objects do not wake the collector. */
static unsigned interval_ms(const struct gc *gc)
{
	unsigned usual = gc->local->options.gc_interval_ms;
	return gc->is_short && usual > SHORT_INTERVAL_MS ? SHORT_INTERVAL_MS : usual;
}

static void collect(struct gc *gc)
{
	struct index_state now;
	garbage_remove(gc);
	segments_collect(gc);
	committer_state(gc->local->committer, &now);
	if (!gc_stopping(gc) && unflushed(gc, &now) > FLUSH_AFTER_BYTES)
		(void)gc_flush(gc);
}

static void *work(void *arg)
{
	struct gc *gc = arg;
	/* So that the next start need not replay the same. */
	if (gc->local->replayed)
		(void)gc_flush(gc);
	carry_forget_removed(gc);
	while (!gc_stopping(gc)) {
		if (!committer_broken(gc->local->committer))
			collect(gc);
		(void)sleeper_sleep_until_woken(&gc->local->collector, interval_ms(gc));
	}
	return NULL;
}

enum err gc_new(struct local *local, struct gc **ret)
{
	struct gc *gc = calloc(1, sizeof(*gc));
	if (!gc)
		return ERR_UNAVAILABLE;
	(void)pthread_cond_init(&gc->done, NULL);
	(void)pthread_mutex_init(&gc->lock, NULL);
	gc->local = local;
	/* What was replayed is not on the disk yet, but then it is at most replayed again. */
	gc->flushed = *index_batch_state(local->batch);
	*ret = gc;
	if (!thread_start(&gc->thread, "collector", THREAD_DISK, work, gc)) {
		*ret = NULL;
		gc->joined = true;
		gc_free(gc);
		return ERR_UNAVAILABLE;
	}
	return ERR_OK;
}

void gc_stop(struct gc *gc)
{
	if (!gc || gc->joined)
		return;
	sleeper_stop(&gc->local->collector);
	(void)pthread_join(gc->thread, NULL);
	gc->joined = true;
}

void gc_free(struct gc *gc)
{
	if (!gc)
		return;
	gc_stop(gc);
	(void)pthread_cond_destroy(&gc->done);
	(void)pthread_mutex_destroy(&gc->lock);
	free(gc);
}
