/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A change on Ceph compares the epoch of its tablet: one that has read the tablet while it could be
 * changed does not come when it was frozen since.
 */
#include "store/rados/tablet/heads.h"
#include "tap.h"
#include "unit/store/two_gateways.h"

static struct ceph ceph;

enum {
	LOOKS = 20,        /* operations of the OSD, while it is frozen */
	FROZEN_MS = 60000, /* nobody undoes it meanwhile */
};

static struct two two;
static struct frozen_tablets frozen;
static enum err froze;
static atomic_bool is_armed;
static atomic_bool has_fired;

/* A change asks for the time between reading and writing: just then the other gateway freezes. */
static int64_t ask_time(const struct clock *clock UNUSED)
{
	if (atomic_exchange(&is_armed, false)) {
		froze = tablet_freeze_empty(rados_of(two.other), two.id, &frozen);
		atomic_store(&has_fired, true);
	}
	return clock_wall_ms(&clock_system);
}

static const struct clock clock_that_freezes = {.wall_ms = ask_time};

static void *put_one(void *ret)
{
	*(enum err *)ret = put_object(two.one, two.id, S("k"), S("x"), NULL);
	return NULL;
}

/* Whether the first tablet stays frozen, and empty, for so many operations. */
static bool stays_empty(void)
{
	bool ok = true;
	for (unsigned i = 0; ok && i < LOOKS; i++) {
		struct seen seen;
		ok = tablet_see(rados_of(two.other), two.id, 0, &seen) == ERR_OK &&
		     seen.head.state == HEAD_FROZEN && seen.is_empty;
		seen_release(&seen);
	}
	return ok;
}

int main(void)
{
	pthread_t thread;
	enum err e = ERR_INTERNAL;
	if (!ceph_start(&ceph))
		return tap_done();
	struct rados_options options = {.space = "epoch", .frozen_ms = FROZEN_MS};
	two = two_open(&ceph, options);
	store_close(two.one);
	options.clock = &clock_that_freezes;
	options.config = ceph.config;
	options.id = "admin";
	if (rados_store_open(&options, &two.one) != ERR_OK)
		abort();
	atomic_store(&is_armed, true);
	if (pthread_create(&thread, NULL, put_one, &e) != 0)
		abort();
	while (!atomic_load(&has_fired))
		(void)usleep(1000);
	OK(froze == ERR_OK && stays_empty(),
		"what is frozen empty stays empty, though a change is just being made");
	tablet_thaw(rados_of(two.other), two.id, &frozen);
	frozen_tablets_free(&frozen);
	(void)pthread_join(thread, NULL);
	OK(e == ERR_OK && object_is(two.other, two.id, S("k"), S("x")), "which comes afterwards");
	two_close(&two);
	ceph_stop(&ceph);
	return tap_done();
}
