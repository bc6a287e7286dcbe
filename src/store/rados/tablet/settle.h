/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Operations whose outcome was lost. librados gives up after a while, but the operation may have
 * happened, or happen when its OSD goes on. Each compares this instance's own row in the tablet
 * with the value that it had before. So that row is set anew: if that succeeds the lost operation
 * has not happened, and never will; if the row is another one it says which was it. Once this
 * instance has been taken for dead, and its row was added to the sum, nobody knows.
 */
#ifndef STORE_RADOS_TABLET_SETTLE_H
#define STORE_RADOS_TABLET_SETTLE_H

#include "store/rados/rows/tablet_rows.h"
#include "store/rados/tablet/tablet.h"

/* In what order new keys come, as far as they come by this gateway. */
struct key_order {
	char *greatest; /* on the heap */
	size_t greatest_len;
	uint64_t behind; /* so many keys came behind all that had come before */
	uint64_t among;  /* and so many did not */
};

/* What is known of a tablet. It belongs to its thread. */
struct tablet {
	struct tablet *next;
	uint64_t bucket;
	uint64_t number;
	uint64_t split; /* it is split when so much is in it */
	struct key_order order;
	uint64_t sequence; /* the greatest that was sent */
	bool is_open;      /* the outcome of `lost` is not known */
	uint64_t lost;     /* the sequence of the operation that was lost */
	bool had_own;
	struct own own; /* what the own row was before it */
};

enum settled {
	SETTLED_DONE,  /* it has happened */
	SETTLED_NEVER, /* it has not, and will not */
	SETTLED_GONE,  /* it will not, and whether it has nobody knows: the tablet was merged */
	SETTLED_OPEN,  /* the tablet could not be asked until the deadline, or does not know */
};

/* The own row's value, or nothing if there was none. */
void own_value(bool had_own, const struct own *own, struct strbuf *ret);

/* Settles what is open; until `deadline_ms` of clock_monotonic_ms(). Waits. */
enum settled tablet_settle(struct rados *r, struct tablet *tablet, int64_t deadline_ms);

#endif
