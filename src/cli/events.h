/* SPDX-License-Identifier: Apache-2.0 */
/* `postern events`: lists, shows and replays the events of a ledger, and follows them. */
#ifndef CLI_EVENTS_H
#define CLI_EVENTS_H

int cli_events(int argc, char **argv);

#endif
