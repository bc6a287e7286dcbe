/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The outbox as another process sees it, while the application server runs or not: `postern events`
 * opens the ledger itself. One thread; each call blocks.
 */
#ifndef APP_LEDGER_EVENT_FILE_H
#define APP_LEDGER_EVENT_FILE_H

#include <stdbool.h>

#include "app/ledger/ledger.h"

struct event_file;

/* A row; texts are valid while it is handed out. */
struct event_row {
	struct ledger_event event;
	struct slice state;
	struct slice fault; /* or empty */
	int64_t due_ms;     /* 0: none, as for the next */
	int64_t ended_ms;
};

/* Opens a ledger that has an outbox. False: it was logged why not. */
bool event_file_open(const struct ledger_place *place, struct event_file **ret) MUST_USE;
/* NULL is allowed. */
void event_file_close(struct event_file *file);

struct event_file_query {
	const char *state; /* NULL: any */
	int64_t id;        /* this one alone; 0: any */
	int64_t after;     /* ids above this, the smallest first; -1: any, the greatest first */
	int64_t before;    /* ids below this; 0: any */
	int64_t limit;
	void (*row)(void *ctx, const struct event_row *row);
	void *ctx;
};
/* Calls `row` for each. False: a fault, which was logged; so do the next. */
bool event_file_read(struct event_file *file, const struct event_file_query *query) MUST_USE;

/* The id of the event that a back end knows by that name; 0: there is none. False: a fault. */
bool event_file_find(struct event_file *file, struct slice name, int64_t *ret) MUST_USE;

enum event_replay {
	EVENT_REPLAYED,
	EVENT_WAITING, /* already */
	EVENT_UNKNOWN,
	EVENT_FAULT,
};
/* Has an event that has ended delivered again, under the same name. */
enum event_replay event_file_replay(struct event_file *file, int64_t id, int64_t now_ms) MUST_USE;

/*
 * Has the oldest dead letters of ids above *after, some of them at a time, delivered again; their
 * number is in *ret, and *after is the last. 0: there were none left. False: a fault.
 */
bool event_file_replay_dead(
	struct event_file *file, int64_t *after, int64_t now_ms, size_t *ret) MUST_USE;

/* The id up to which a follower has everything; 0: nothing yet. */
bool event_file_position(struct event_file *file, struct slice follower, int64_t *ret) MUST_USE;
bool event_file_advance(
	struct event_file *file, struct slice follower, int64_t position, int64_t now_ms) MUST_USE;

#endif
