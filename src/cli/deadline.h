/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A bound on how long the process takes to end. What hangs (a disk, a resolver, a request that was
 * lost) cannot be freed safely, so if time is up the process ends as it is: what was answered is
 * durable, and the next start recovers. One at a time; one thread begins, steps and ends.
 */
#ifndef CLI_DEADLINE_H
#define CLI_DEADLINE_H

#include <stdint.h>

/*
 * From now on the process has `ms` to end: then a thread says in the log at which step it is, and
 * ends it with exit status 1. Without memory for a thread there is no bound, which is logged.
 */
void deadline_begin(int64_t ms);
/* Names the step that is waited for next, for the log; a constant text. */
void deadline_step(const char *what);
/* All is done: ends the thread. */
void deadline_end(void);

#endif
