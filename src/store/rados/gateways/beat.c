/* SPDX-License-Identifier: Apache-2.0 */
#include <assert.h>
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>

#include "base/log.h"
#include "base/thread.h"
#include "store/rados/gateways/gateways.h"
#include "store/rados/gateways/gateways_internal.h"

static_assert((int)LIFE_OPEN_MAX == (int)GATEWAY_OPEN_MAX, "all that is told has room");

/* Another gateway, as it was seen. */
struct other {
	uint64_t instance;
	uint64_t beats;
	unsigned still; /* for so many of our own beats that has not changed */
};

struct gateways {
	struct rados *r;
	pthread_t thread;
	bool is_started;
	struct other *others;
	size_t count;
	int64_t looked_ms;
	uint64_t epoch;
	int64_t epoch_since_ms;
};

/* ---- This one -------------------------------------------------------------------------------- */

static struct gateway_row row_of(const struct life_view *view, uint64_t beats)
{
	struct gateway_row row = {.format = GATEWAY_FORMAT,
		.beats = beats,
		.oldest = view->oldest,
		.low = view->low,
		.end = view->end,
		.open_count = view->open_count};
	memcpy(row.open, view->open, sizeof(row.open));
	return row;
}

/* Says that this one lives. */
static int say(struct rados *r, const struct gateway_list *list)
{
	const struct gateway *mine = gateway_find(list, r->instance);
	struct life_view view;
	if (!mine) {
		life_expel(&r->life);
		return -ESTALE;
	}
	int64_t now_ms = clock_monotonic_ms();
	life_look(&r->life, &view);
	struct gateway_row row = row_of(&view, mine->row.beats + 1);
	int result = gateway_change(r, mine, &row);
	if (result == 0)
		life_told(&r->life, &view, now_ms);
	return result;
}

/* ---- The others ------------------------------------------------------------------------------ */

/* As it was when it was looked at last; NULL: it is new. */
static const struct other *find_other(const struct gateways *g, const struct gateway *gateway)
{
	for (size_t i = 0; i < g->count; i++)
		if (g->others[i].instance == gateway->instance)
			return &g->others[i];
	return NULL;
}

static unsigned stood_still(const struct gateways *g, const struct gateway *gateway)
{
	const struct other *other = find_other(g, gateway);
	return other && other->beats == gateway->row.beats ? other->still + 1 : 0;
}

/*
 * Counts own beats, not time: whoever stood still itself, or could not ask, has not seen that
 * another one did.
 */
static void watch(struct gateways *g, const struct gateway_list *list)
{
	struct other *others = reallocarray(NULL, list->count + 1, sizeof(*others));
	if (!others)
		return;
	for (size_t i = 0; i < list->count; i++) {
		const struct gateway *gateway = &list->list[i];
		struct gateway_row row = gateway->row;
		others[i] = (struct other){gateway->instance, row.beats, stood_still(g, gateway)};
		if (row.format != GATEWAY_FORMAT && !row.is_dead && g->r->instance &&
			!find_other(g, gateway))
			log_error("ceph: gateway %" PRIu64 " is of a version that keeps other "
				  "rules, and must not run together with this one",
				gateway->instance);
		if (row.is_dead || gateway->instance == g->r->instance ||
			others[i].still < g->r->timers.dead_beats)
			continue;
		row.is_dead = true;
		if (gateway_change(g->r, gateway, &row) == 0)
			log_error("ceph: gateway %" PRIu64
				  " does not move, and is dead from now on",
				gateway->instance);
	}
	free(g->others);
	g->others = others;
	g->count = list->count;
}

static void count_epochs(struct gateways *g, const struct gateway_list *list)
{
	int64_t now_ms = clock_monotonic_ms();
	if (g->epoch != list->epoch) {
		g->epoch = list->epoch;
		g->epoch_since_ms = now_ms;
	}
	if (now_ms - g->epoch_since_ms >= g->r->timers.epoch_ms)
		gateways_next_epoch(g->r, list->epoch);
}

/* ---- Beats ----------------------------------------------------------------------------------- */

static void count_living(struct rados *r, const struct gateway_list *list)
{
	uint64_t count = 0;
	for (size_t i = 0; i < list->count; i++)
		count += !list->list[i].row.is_dead;
	atomic_store(&r->living, count);
}

static int beat(struct gateways *g)
{
	struct rados *r = g->r;
	struct gateway_list list;
	int result = gateways_read(r, &list);
	if (result == 0) {
		life_see(&r->life, list.epoch);
		count_living(r, &list);
		result = say(r, &list);
	}
	int64_t now_ms = clock_monotonic_ms();
	/* Not those beats that came early, because numbers were short. */
	if (result == 0 && now_ms - g->looked_ms >= r->timers.beat_ms) {
		g->looked_ms = now_ms;
		watch(g, &list);
		count_epochs(g, &list);
	}
	gateway_list_free(&list);
	return result;
}

static void *run(void *arg)
{
	struct gateways *g = arg;
	struct rados *r = g->r;
	while (!atomic_load(&r->life.is_expelled) &&
		sleeper_sleep_until_woken(&r->life.beats, r->timers.beat_ms)) {
		int result = beat(g);
		if (result == -ESHUTDOWN) {
			log_error("ceph: the cluster does not let this gateway in any more: its "
				  "address is on the blocklist");
			life_expel(&r->life);
		} else if (result < 0 && result != -ECANCELED && result != -ESTALE)
			log_error("ceph: the other gateways cannot be told that this one lives: %s",
				strerror(-result));
	}
	return NULL;
}

/* ---- Other versions -------------------------------------------------------------------------- */

static enum err refuse(const struct gateway *foreign)
{
	log_error("ceph: gateway %" PRIu64
		  " is of a version that keeps other rules, and lives: all of "
		  "those have to end before this one starts",
		foreign->instance);
	return ERR_UNAVAILABLE;
}

/* Before this one says anything, as they would not understand it. */
static enum err wait_for_foreign(struct gateways *g)
{
	const struct gateway *foreign;
	bool has_waited = false;
	enum err e = ERR_OK;
	do {
		struct gateway_list list;
		int result = gateways_read(g->r, &list);
		foreign = result == 0 ? gateway_find_foreign(&list) : NULL;
		if (result < 0 && result != -ENOENT)
			e = cluster_err(result, "reading", "gateways");
		for (size_t i = 0; foreign && i < list.count && e == ERR_OK; i++) {
			const struct gateway *gateway = &list.list[i];
			const struct other *other = find_other(g, gateway);
			if (gateway->row.format != GATEWAY_FORMAT && !gateway->row.is_dead &&
				other && other->beats != gateway->row.beats)
				e = refuse(gateway);
		}
		if (foreign && e == ERR_OK) {
			if (!has_waited)
				log_info("ceph: gateway %" PRIu64 " is of another version; "
					 "waiting whether it still moves",
					foreign->instance);
			has_waited = true;
			watch(g, &list);
			(void)usleep(g->r->timers.beat_ms * 1000);
		}
		gateway_list_free(&list);
	} while (foreign && e == ERR_OK);
	return e;
}

/* Nor has one come meanwhile. */
static enum err look_for_foreign(struct rados *r)
{
	struct gateway_list list;
	enum err e = cluster_err(gateways_read(r, &list), "reading", "gateways");
	const struct gateway *foreign = e == ERR_OK ? gateway_find_foreign(&list) : NULL;
	if (foreign)
		e = refuse(foreign);
	gateway_list_free(&list);
	return e;
}

/* ---- Coming and going ------------------------------------------------------------------------ */

enum err gateways_join(struct rados *r)
{
	struct gateways *g = calloc(1, sizeof(*g));
	if (!g)
		return ERR_UNAVAILABLE;
	g->r = r;
	enum err e = wait_for_foreign(g);
	if (e == ERR_OK)
		e = gateways_take_instance(r);
	if (e != ERR_OK) {
		free(g->others);
		free(g);
		return e;
	}
	r->gateways = g;
	life_init(&r->life, r->instance << RADOS_NUMBER_BITS | 1, r->timers.claim);
	atomic_store(&r->life.lapse_ms, (int64_t)r->timers.beat_ms * r->timers.dead_beats / 2);
	e = cluster_err(beat(g), "becoming one of", "gateways");
	if (e == ERR_OK)
		e = look_for_foreign(r);
	if (e == ERR_OK && !thread_start(&g->thread, "rados-beat", THREAD_ANY, run, g))
		e = ERR_UNAVAILABLE;
	g->is_started = e == ERR_OK;
	return e;
}

/* Whether it was done, or nothing more can be. */
static bool try_leave(struct rados *r)
{
	struct gateway_list list;
	struct life_view view;
	int result = gateways_read(r, &list);
	const struct gateway *mine = result == 0 ? gateway_find(&list, r->instance) : NULL;
	life_look(&r->life, &view);
	if (mine) {
		/* No more data comes. */
		view.end -= r->timers.claim;
		struct gateway_row row = row_of(&view, mine->row.beats + 1);
		row.is_dead = true;
		result = gateway_change(r, mine, view.open_count ? &row : NULL);
	}
	gateway_list_free(&list);
	return result != -ECANCELED;
}

void gateways_leave(struct rados *r)
{
	struct gateways *g = r->gateways;
	if (!g)
		return;
	sleeper_stop(&r->life.beats);
	if (g->is_started)
		(void)pthread_join(g->thread, NULL);
	while (!try_leave(r))
		continue;
	life_destroy(&r->life);
	free(g->others);
	free(g);
	r->gateways = NULL;
}
