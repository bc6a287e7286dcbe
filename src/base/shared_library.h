/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A shared library that is loaded when it is needed, so that a machine that does not need it need
 * not have it. It stays loaded for as long as the process runs.
 */
#ifndef BASE_SHARED_LIBRARY_H
#define BASE_SHARED_LIBRARY_H

#include <stdbool.h>
#include <stddef.h>

#include "base/compiler.h"

struct library_function {
	const char *name;
	void *pointer; /* to a pointer to such a function, which is set */
};

/*
 * Finds the functions in the library of that name, as the system looks for it. False if there is
 * none, or it lacks one, with the reason in `why`.
 */
bool shared_library_load(const char *name, const struct library_function *functions, size_t count,
	char *why, size_t why_size) MUST_USE;

#endif
