/* SPDX-License-Identifier: Apache-2.0 */
#include "app/events/event_pause.h"

#include "base/limits.h"

int64_t event_pause_ms(int64_t tries, uint32_t chance)
{
	int64_t pause = LIMIT_EVENT_PAUSE_MS;
	for (int64_t i = 1; i < tries && pause < LIMIT_EVENT_PAUSE_MAX_MS; i++)
		pause *= 2;
	if (pause > LIMIT_EVENT_PAUSE_MAX_MS)
		pause = LIMIT_EVENT_PAUSE_MAX_MS;
	return pause / 2 + (int64_t)chance % (pause / 2 + 1);
}
