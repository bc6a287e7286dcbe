/* SPDX-License-Identifier: Apache-2.0 */
#include "app/events/hiredis.h"

#include <stdio.h>

#include "base/shared_library.h"

#define TEXT_OF(x) TEXT_OF_(x)
#define TEXT_OF_(x) #x
/* Its structures differ from version to version: the one whose header this was built with. */
#define VERSION TEXT_OF(HIREDIS_SONAME)

bool hiredis_load(struct hiredis *ret, char *why, size_t why_size)
{
	const struct library_function functions[] = {
#define FUNCTION(name) {#name, &ret->name},
		HIREDIS_FUNCTIONS(FUNCTION)
#undef FUNCTION
	};
	char fault[256];
	bool ok = shared_library_load(
		"libhiredis.so." VERSION, functions, ARRAY_LEN(functions), fault, sizeof(fault));
	if (!ok)
		(void)snprintf(why, why_size,
			"events_url: Redis needs a library that is not on this machine; install "
			"Debian's package libhiredis" VERSION " (%s)",
			fault);
	return ok;
}
