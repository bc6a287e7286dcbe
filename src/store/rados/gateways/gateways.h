/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The gateways that serve this store: each start has a number and a row, which it changes every
 * beat. One whose row stands still for many beats of another's is dead; whoever sees that says so
 * in the row. From then on the dead one's reads do not count, and what it was writing is looked
 * through (store/rados/garbage). Should it wake, it finds its row so, and serves nobody any more.
 *
 * Here the garbage epochs are counted, too: nothing depends on how long one is, nor on clocks.
 *
 *	gateways.c   the rows
 *	beat.c       the thread that says that this one lives, and watches the others
 */
#ifndef STORE_RADOS_GATEWAYS_GATEWAYS_H
#define STORE_RADOS_GATEWAYS_GATEWAYS_H

#include "store/rados/rows/gateway_row.h"
#include "store/rados/state/state.h"

/*
 * Takes a number for this start, and lets the others know of it from now on. Waits.
 * ERR_UNAVAILABLE, logged, also while gateways live whose version keeps other rules
 * (GATEWAY_FORMAT). Of one of those that does not move nobody knows that it has died: it is waited
 * for as long as for any other, and then set to dead.
 */
enum err gateways_join(struct rados *r) MUST_USE;
/*
 * When nothing is under way any more: says goodbye. If there is data of which nobody knows whether
 * a row refers to it, the others look through it. Does nothing if it has not joined.
 */
void gateways_leave(struct rados *r);

/* ---- Their rows ------------------------------------------------------------------------------ */

struct gateway {
	uint64_t instance;
	struct gateway_row row;
};

/*
 * By number. Of more than 1,024 not all rows are of one moment: but the first are, with the epoch,
 * the oldest.
 */
struct gateway_list {
	uint64_t epoch;
	uint64_t next; /* number of the next one that starts */
	struct gateway *list;
	size_t count;
};

/* 0 or -errno. Waits. gateway_list_free() is due in any case. */
int gateways_read(struct rados *r, struct gateway_list *ret) MUST_USE;
void gateway_list_free(struct gateway_list *list);

/* The living one of that number, or NULL. */
const struct gateway *gateway_find(const struct gateway_list *list, uint64_t instance);
/* Whether there was one of that number, and it has ended, and nothing is left of it. */
bool gateways_has_ended(const struct gateway_list *list, uint64_t instance);
/* The oldest epoch in which a read of a living one began. */
uint64_t gateways_oldest(const struct gateway_list *list);

/* Changes a row if it is still what it was; `row` NULL: removes it. 0, -ECANCELED, -errno. */
int gateway_change(
	struct rados *r, const struct gateway *was, const struct gateway_row *row) MUST_USE;
/* Counts an epoch, if nobody else has. If it fails the next attempt is soon enough. */
void gateways_next_epoch(struct rados *r, uint64_t epoch);

#endif
