/* SPDX-License-Identifier: Apache-2.0 */
/* How lines of the log name an event: `event=evt_... sequence=42 grant=...`, as members. */
#ifndef APP_EVENTS_EVENT_LABEL_H
#define APP_EVENTS_EVENT_LABEL_H

#include "app/ledger/ledger.h"

#define EVENT_LABEL_SIZE 160

/* Without `grant` if it is of none. Cut if a text is longer than what postern writes. Returns
 * `out`. */
const char *event_label(const struct ledger_event *event, char out[EVENT_LABEL_SIZE]);

#endif
