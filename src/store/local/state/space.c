/* SPDX-License-Identifier: Apache-2.0 */
#include "store/local/state/space.h"

#include <inttypes.h>

#include "base/clock.h"
#include "base/log.h"
#include "store/local/disk/files.h"
#include "store/local/wal/wal.h"

enum {
	SAMPLE_MS = 1000, /* a sample is used for so long while it says yes */
	TELL_MS = 60000,  /* not more than one line of the log in that time */
	AHEAD_PART = 4,   /* of the reserve the log may have taken ahead */
};

void space_init(struct space *space, int dir, uint64_t reserve)
{
	*space = (struct space){.dir = dir,
		.reserve = reserve,
		.sampled_ms = INT64_MIN / 2,
		.reported_ms = INT64_MIN / 2};
	(void)pthread_mutex_init(&space->lock, NULL);
}

void space_destroy(struct space *space)
{
	(void)pthread_mutex_destroy(&space->lock);
}

void space_count_log(struct space *space, const struct wal *log)
{
	(void)pthread_mutex_lock(&space->lock);
	space->log = log;
	(void)pthread_mutex_unlock(&space->lock);
}

static uint64_t log_ahead(const struct space *space)
{
	uint64_t ahead = space->log ? wal_ahead(space->log) : 0;
	uint64_t most = space->reserve / AHEAD_PART;
	return ahead < most ? ahead : most;
}

static void sample(struct space *space, int64_t now_ms)
{
	space->sampled_ms = now_ms;
	space->free = files_left(space->dir);
	space->ahead = log_ahead(space);
	space->claimed = space->in_flight;
}

static bool fits(const struct space *space, uint64_t bytes)
{
	return space->claimed + bytes + space->reserve <= space->free + space->ahead;
}

bool space_fits(struct space *space, uint64_t bytes)
{
	if (!space_claim(space, bytes))
		return false;
	(void)pthread_mutex_lock(&space->lock);
	space->in_flight -= bytes;
	space->claimed -= bytes;
	(void)pthread_mutex_unlock(&space->lock);
	return true;
}

bool space_claim(struct space *space, uint64_t bytes)
{
	(void)pthread_mutex_lock(&space->lock);
	int64_t now_ms = clock_monotonic_ms();
	if (now_ms - space->sampled_ms > SAMPLE_MS || !fits(space, bytes))
		sample(space, now_ms);
	bool ok = fits(space, bytes);
	if (ok) {
		space->claimed += bytes;
		space->in_flight += bytes;
	}
	bool tell = !ok && now_ms - space->reported_ms > TELL_MS;
	if (tell)
		space->reported_ms = now_ms;
	uint64_t left = space->free;
	(void)pthread_mutex_unlock(&space->lock);
	if (tell)
		log_error("store: the disk is full (%" PRIu64 " MiB left, %" PRIu64
			  " MiB are kept in reserve): uploads are refused until there is room",
			left >> 20, space->reserve >> 20);
	return ok;
}

void space_release(struct space *space, uint64_t bytes)
{
	(void)pthread_mutex_lock(&space->lock);
	space->in_flight -= bytes;
	(void)pthread_mutex_unlock(&space->lock);
}

uint64_t space_left(struct space *space)
{
	(void)pthread_mutex_lock(&space->lock);
	sample(space, clock_monotonic_ms());
	uint64_t left = space->free;
	(void)pthread_mutex_unlock(&space->lock);
	return left;
}
