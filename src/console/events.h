/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The outbox of the application server over HTTP (docs/events.md), if there is one in this process:
 *
 *	GET /events?state=S&after=ID&limit=N   {"events": [...], "next": ID or ""}, newest first;
 *	                                       `after` is `next` of the page before, `state` one of
 *	                                       waiting, delivered, dead and kept
 *	GET /events/ID                         one of them, with `event`, its CloudEvent as text
 *	POST /events/ID/replay                 has it delivered again; answers it
 *	POST /events/replay                    the same of all dead letters: {"replayed": N}
 *
 * Their request.ctx is the desk.
 */
#ifndef CONSOLE_EVENTS_H
#define CONSOLE_EVENTS_H

#include "ops/op.h"

extern const struct op op_list_events;
extern const struct op op_get_event;
extern const struct op op_replay_event;
extern const struct op op_replay_events;

#endif
