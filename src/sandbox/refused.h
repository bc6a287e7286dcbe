/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What becomes of system calls that were refused. The kernel sends SIGSYS to the thread instead of
 * making the call; a handler counts it and lets the call return -1 with EPERM. With ENOSYS if the
 * call is newer than what postern was built with: then the C library takes the older one.
 */
#ifndef SANDBOX_REFUSED_H
#define SANDBOX_REFUSED_H

#include <stdbool.h>
#include <stdint.h>

#include "base/compiler.h"

/*
 * Whether the handler is there: it has to know the machine's registers (x86-64 and AArch64). If
 * not, calls are to be refused without being counted. Before any thread is started.
 */
bool refused_start(void) MUST_USE;

/* Writes one line to the log for each call that was refused since the last time. From one thread.
 */
void refused_log(void);

/* How many there were, of all kinds. */
uint64_t refused_count(void);

#endif
