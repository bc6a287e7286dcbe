/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Keeps what a backup reads. The collector asks before it removes segments or files; a backup, of
 * whatever process, forbids it for as long as it runs. Both are locks of bytes of the file `lock`,
 * on a descriptor of their own, which go with the process that had them.
 */
#ifndef STORE_LOCAL_STATE_REMOVALS_H
#define STORE_LOCAL_STATE_REMOVALS_H

#include <stdbool.h>

#include "base/compiler.h"

/* False while a backup is being made, or if it cannot be told: then nothing may be removed. */
bool removals_begin(int lock) MUST_USE;
void removals_end(int lock);

/*
 * Forbids removals until `lock` is closed, once what is going on has ended, which this waits for.
 * EAGAIN: somebody else does. An errno value.
 */
int removals_forbid(int lock) MUST_USE;

#endif
