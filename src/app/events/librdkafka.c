/* SPDX-License-Identifier: Apache-2.0 */
#include "app/events/librdkafka.h"

#include <stdio.h>

#include "base/shared_library.h"

bool librdkafka_load(struct librdkafka *ret, char *why, size_t why_size)
{
	const struct library_function functions[] = {
#define FUNCTION(name) {#name, &ret->name},
		RDKAFKA_FUNCTIONS(FUNCTION)
#undef FUNCTION
	};
	char fault[256];
	bool ok = shared_library_load(
		"librdkafka.so.1", functions, ARRAY_LEN(functions), fault, sizeof(fault));
	if (!ok)
		(void)snprintf(why, why_size,
			"events_url: Kafka needs a library that is not on this machine; install "
			"Debian's package librdkafka1 (%s)",
			fault);
	return ok;
}
