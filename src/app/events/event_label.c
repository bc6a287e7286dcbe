/* SPDX-License-Identifier: Apache-2.0 */
#include "app/events/event_label.h"

#include <inttypes.h>
#include <stdio.h>

const char *event_label(const struct ledger_event *event, char out[EVENT_LABEL_SIZE])
{
	struct slice grant = ledger_event_grant_id(event);
	(void)snprintf(out, EVENT_LABEL_SIZE, "event=%.*s sequence=%" PRId64 "%s%.*s",
		SLICE_FMT(event->name), event->id, grant.len > 0 ? " grant=" : "",
		SLICE_FMT(grant));
	return out;
}
