/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a running gateway tells the others about itself (store/rados/gateways), because they may
 * remove things: in what garbage epoch its oldest read began, and what numbers its data has that
 * perhaps no row refers to. Counting only; any thread, without waiting.
 */
#ifndef STORE_RADOS_STATE_LIFE_H
#define STORE_RADOS_STATE_LIFE_H

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/compiler.h"
#include "base/sleeper.h"

/* One thing under way. */
struct mark {
	struct mark *next;
	struct mark *previous;
	uint64_t number; /* the epoch of a read, or the number of data */
};

/* In the order in which they began, and so of their numbers. */
struct marks {
	struct mark *first;
	struct mark *last;
};

enum {
	LIFE_OPEN_MAX = 32 /* that are named one by one */
};

/* What the others are told. */
struct life_view {
	uint64_t oldest; /* epoch of what is read */
	/* Data from `low` up to, but without, `end`, and these, may have no row that refers to
	 * them.
	 */
	uint64_t low;
	uint64_t end;
	uint64_t open[LIFE_OPEN_MAX];
	size_t open_count;
};

struct life {
	pthread_mutex_t lock;  /* of what is below; a leaf but for `beats` */
	uint64_t epoch;        /* as it was last seen */
	struct marks reads;    /* with their epochs */
	struct marks data;     /* that comes */
	struct marks open;     /* of which nobody knows whether a row refers to it; not in order */
	uint64_t next;         /* number of data */
	uint64_t claimed;      /* numbers below this may be given: the others know */
	uint64_t wanted_ahead; /* so many numbers are claimed */

	atomic_bool is_expelled;  /* the others have taken this gateway for dead */
	_Atomic int64_t beat_ms;  /* of clock_monotonic_ms(): when they last heard of it */
	_Atomic int64_t lapse_ms; /* beyond which it does not go on */
	struct sleeper beats;     /* of the thread that tells them */
};

/* Numbers of data begin at `first`. */
void life_init(struct life *life, uint64_t first, uint64_t ahead);
void life_destroy(struct life *life);

/* Whether the others still know that this gateway lives. */
bool life_is_well(struct life *life);
/* For how long the others have not heard of it. */
int64_t life_unheard_ms(struct life *life);
/* The others have taken it for dead, which is logged: it never goes on. */
void life_expel(struct life *life);

void life_begin_read(struct life *life, struct mark *mark);
void life_end_read(struct life *life, struct mark *mark);

/* Gives data a number. False if there are none that the others know of. */
bool life_begin_data(struct life *life, struct mark *mark) MUST_USE;
/* A row refers to it, or nothing is left of it. Frees the mark, which is on the heap. NULL is
 * allowed. */
void life_end_data(struct life *life, struct mark *mark);
/* It is not known which of both. Keeps the mark. */
void life_leave_data(struct life *life, struct mark *mark);

/* What to tell, with numbers for what comes. */
void life_look(struct life *life, struct life_view *ret);
/* It has been told, at that time. */
void life_told(struct life *life, const struct life_view *view, int64_t now_ms);
/* The epoch is `epoch` now. */
void life_see(struct life *life, uint64_t epoch);

#endif
