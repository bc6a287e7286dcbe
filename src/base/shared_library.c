/* SPDX-License-Identifier: Apache-2.0 */
#include "base/shared_library.h"

#include <dlfcn.h>
#include <stdio.h>
#include <string.h>

bool shared_library_load(const char *name, const struct library_function *functions, size_t count,
	char *why, size_t why_size)
{
	void *library = dlopen(name, RTLD_NOW | RTLD_LOCAL);
	if (!library) {
		(void)snprintf(why, why_size, "%s", dlerror());
		return false;
	}
	for (size_t i = 0; i < count; i++) {
		void *function = dlsym(library, functions[i].name);
		if (!function) {
			(void)snprintf(why, why_size, "%s has no %s()", name, functions[i].name);
			return false;
		}
		/* C has no conversion from one kind of pointer to the other; POSIX has. */
		memcpy(functions[i].pointer, &function, sizeof(function));
	}
	return true;
}
