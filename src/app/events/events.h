/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Delivers the events of the ledger to `[app] events_url` (target.h), at least once each and one
 * after another for each key. One thread; at most LIMIT_EVENTS_IN_FLIGHT are under way. An event
 * whose delivery was not noted, because the process was killed, is delivered again.
 */
#ifndef APP_EVENTS_EVENTS_H
#define APP_EVENTS_EVENTS_H

#include "app/ledger/ledger.h"
#include "app/settings/rules_history.h"
#include "app/settings/settings.h"
#include "base/clock.h"
#include "net/outgoing.h"

struct events;

/* What it uses; all of it outlives it. */
struct events_parts {
	const struct settings *settings;
	struct rules_history *rules; /* whose secrets sign */
	struct outgoing *outgoing;
	struct ledger *ledger;
	const struct clock *clock;
};

/*
 * Has the ledger write events. Before anything else is asked of the ledger. ERR_UNAVAILABLE without
 * memory, ERR_INTERNAL; ERR_INVALID_ARGUMENT, with a sentence in `why`, if the target cannot be
 * used.
 */
enum err events_new(
	const struct events_parts *parts, struct events **ret, char *why, size_t why_size) MUST_USE;
/* Begins to deliver. ERR_UNAVAILABLE without a thread. */
enum err events_start(struct events *events) MUST_USE;
/* Nothing more is begun. Never blocks. NULL is allowed. */
void events_stop(struct events *events);
/*
 * Waits for what is under way, which outgoing_stop() or the target ends, and ends the thread; the
 * ledger must still be open. Once it is closed, free it.
 */
void events_end(struct events *events);
void events_free(struct events *events);

struct events_stats {
	uint64_t delivered, failed, dead; /* deliveries since the start; dead: given up */
	uint64_t dropped;                 /* that were not written, for want of room */
	bool counted;                     /* else the following are not known yet */
	uint64_t waiting, dead_letters;   /* rows a few seconds ago */
	uint64_t oldest_seconds;          /* age of the oldest that waits */
};
/* NULL is allowed: all is 0, and counted. */
void events_stats(const struct events *events, struct events_stats *ret);

#endif
