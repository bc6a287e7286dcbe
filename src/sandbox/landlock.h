/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Which files can be opened (landlock), by the raw system calls: the C library has none. What was
 * restricted cannot be widened again. It holds for the calling thread and those that it starts.
 */
#ifndef SANDBOX_LANDLOCK_H
#define SANDBOX_LANDLOCK_H

#include <stdbool.h>

#include "base/compiler.h"

/* A folder with all below it, or a file. */
struct sandbox_path {
	const char *path;
	bool writes; /* else it is only read */
};

/*
 * What the kernel has: a version of the interface, at least LANDLOCK_ABI_MIN; 0: none that would
 * do, and *ret_why, a constant, says why.
 */
int landlock_version(const char **ret_why) MUST_USE;

/*
 * Lets nothing be opened from now on but what `paths` lists, nothing be executed, no TCP port be
 * bound, and no process outside be sent a signal, as far as version `abi` can say so. The
 * no_new_privs of the thread is set. A path to be read that is not there is left out. False with
 * *ret_why, a constant, or a line in the log.
 */
bool landlock_restrict(int abi, const struct sandbox_path *paths,
	const char **ret_why) MUST_USE; /* ends with NULL */

#endif
