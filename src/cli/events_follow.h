/* SPDX-License-Identifier: Apache-2.0 */
/* `postern events follow`: runs a command for each event. */
#ifndef CLI_EVENTS_FOLLOW_H
#define CLI_EVENTS_FOLLOW_H

#include <stdbool.h>

#include "app/ledger/event_file.h"

struct follow {
	struct event_file *file;
	struct slice name;   /* of the follower, whose position is kept */
	const char *command; /* for the shell */
	bool once;           /* ends when there is no event left */
};

/*
 * Until SIGTERM or SIGINT, which wait for the command that runs. The event is on its standard
 * input; status 0 acknowledges it, another has it repeated after a pause. False: a fault, which was
 * logged.
 */
bool follow_run(const struct follow *follow);

#endif
