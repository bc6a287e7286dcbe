/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Named points: steps of the protocol at which a gateway dies, or stands still, when a test says
 * so. A step is an operation of librados, recognised by what it does with which object; a point is
 * reached before it is sent, and again when it was done and the gateway has not heard of it yet.
 *
 * Beside that, changes of tablets can be lost: nobody hears of them, and they happen later. And
 * gateways can leave out the comparison that makes this harmless, to see that a test would find it.
 *
 *	librados.c   the library that stands in front of librados, and says what is done
 *	points.c     the table of points, and what happens there
 */
#ifndef GATEWAYS_POINTS_H
#define GATEWAYS_POINTS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* What an operation does, as bits. */
enum fact {
	ON_TABLET,
	ON_FIRST_TABLET, /* of its bucket; that is a tablet, too */
	ON_BUCKETS,
	ON_GATEWAYS,
	ON_DATA,

	MAKES,
	REMOVES,
	WRITES,
	COMPARES,
	NOTIFIES,

	/* Rows that it sets, by the letters of docs/on-rados.md. */
	SETS_EPOCH, /* E, of a tablet or of garbage */
	SETS_HEAD,
	SETS_OWN, /* g */
	SETS_SUM, /* g of gateway 0 */
	SETS_OBJECT,
	SETS_VERSION,
	SETS_BYTES,
	SETS_EXTENTS,
	SETS_UPLOAD,
	SETS_PART,
	SETS_GARBAGE,
	SETS_MERGED,
	SETS_NEXT, /* n: how many buckets there are, or the next gateway */
	SETS_BUCKET,
	SETS_GATEWAY,

	REMOVES_OBJECT,
	REMOVES_UPLOAD,
	REMOVES_GARBAGE,
	REMOVES_MERGED,
	REMOVES_OWN,
	REMOVES_BUCKET,
	REMOVES_DELETED, /* x of a bucket */
	REMOVES_GATEWAY,
	REMOVES_RANGE,

	CHANGES_KEYS, /* rows of keys, whatever of the above */

	/* What is said in those that it sets. */
	IS_ACTIVE, /* as enum head_state */
	IS_FROZEN,
	IS_ENDED,
	IS_SPLITTING,
	IS_MERGING,
	IS_MOVING,
	IS_MOVED,
	IS_AGAIN, /* and the last head of that kind was the same tablet's, too */
	IS_CLOSED,
	IS_DEAD, /* a gateway */
	IS_DELETING,
	IS_IN_DATA, /* an object's bytes */
};

#define FACT(name) ((uint64_t)1 << (name))

/* The points of an operation that does all this, as bits. */
uint64_t points_of(uint64_t facts);
/* It is about to be sent: may not return. */
void points_before(uint64_t points);
/* It was done. Likewise. */
void points_after(uint64_t points);

/* Whether an operation that does all this is lost, and happens only so many milliseconds later. */
bool points_is_late(uint64_t facts, int64_t *ret_ms);
/* Whether a gateway does not compare its own counter: the control. */
bool points_forget_own(void);

#endif
