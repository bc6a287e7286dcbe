/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Which system calls can be made (seccomp): calls.def for the process, thread_calls.def for what
 * threads do without. What was installed cannot be taken away again.
 */
#ifndef SANDBOX_CALLS_H
#define SANDBOX_CALLS_H

#include <stdbool.h>
#include <stddef.h>

#include "base/compiler.h"
#include "base/thread.h"

/*
 * For all threads, with no_new_privs, which the caller has set. *ret is how many calls are on the
 * list. False with *ret_why, a constant, if that cannot be had, and nothing has changed then.
 */
bool calls_restrict(size_t *ret, const char **ret_why) MUST_USE;

/* For the calling thread, after calls_restrict(); nothing before it. */
void calls_restrict_thread(enum thread_duty duty);

#endif
