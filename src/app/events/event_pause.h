/* SPDX-License-Identifier: Apache-2.0 */
/* How long to wait before an event is delivered again. */
#ifndef APP_EVENTS_EVENT_PAUSE_H
#define APP_EVENTS_EVENT_PAUSE_H

#include <stdint.h>

/*
 * Milliseconds after the `tries`th failure: twice as long each time, from LIMIT_EVENT_PAUSE_MS to
 * LIMIT_EVENT_PAUSE_MAX_MS, and of that a part between half and all, as `chance` (any number) says.
 */
int64_t event_pause_ms(int64_t tries, uint32_t chance);

#endif
