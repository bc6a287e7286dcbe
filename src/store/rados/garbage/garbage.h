/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Data that nothing refers to. What takes the last reference away writes a row ROW_GARBAGE that
 * names the data; what a gateway was writing when it died has no row at all. Both are removed here,
 * by any gateway, in steps that may be repeated, given up, or made by two at the same time
 * (docs/decisions/0094).
 *
 *	collector.c  the thread, and one collection
 *	tablet.c     the garbage of one tablet
 *	remains.c    what a dead gateway was writing
 *	fold.c       their counts, made one row
 *	fence.c      no change of a dead gateway comes any more
 *	removal.c    removing chunks, many at a time
 *	room.c       whether there is room
 */
#ifndef STORE_RADOS_GARBAGE_GARBAGE_H
#define STORE_RADOS_GARBAGE_GARBAGE_H

#include "store/rados/gateways/gateways.h"
#include "store/rados/rows/entry.h"
#include "store/rados/state/state.h"

/* Starts the thread. ERR_UNAVAILABLE. */
enum err collector_start(struct rados *r) MUST_USE;
/* Before what it uses ends. Does nothing if it was not started. */
void collector_stop(struct rados *r);

/* Collects now, in the thread of the caller, which may be one of several. 0 or -errno. */
int garbage_collect(struct rados *r) MUST_USE;

#endif
