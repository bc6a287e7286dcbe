/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the process can still do once it has started: open few files (landlock), and make those
 * system calls that it needs (seccomp). Against a fault in postern, or in a library, that lets
 * somebody else decide what it does.
 */
#ifndef SANDBOX_SANDBOX_H
#define SANDBOX_SANDBOX_H

#include <stdbool.h>
#include <stddef.h>

#include "base/compiler.h"
#include "sandbox/landlock.h"

/* What is on. */
struct sandbox_state {
	int landlock;            /* version of its interface; 0: not on */
	size_t calls;            /* how many system calls can be made; 0: not on */
	const char *no_landlock; /* constants: why */
	const char *no_calls;
};

/*
 * Before there is a thread besides the calling one. `paths` ends with NULL. What the kernel does
 * not have is left out, and *ret says so. False if it has it and it could not be turned on, which
 * was logged.
 */
bool sandbox_enter(const struct sandbox_path *paths, struct sandbox_state *ret) MUST_USE;

#endif
