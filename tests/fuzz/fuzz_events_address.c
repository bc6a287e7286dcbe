/* SPDX-License-Identifier: Apache-2.0 */
/* Where events go, and a file of properties: what is found is a part of the text. */
#include <assert.h>

#include "app/text/events_address.h"
#include "app/text/properties.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void is_inside(struct slice part, struct slice text)
{
	assert(part.len == 0 ||
		(part.ptr >= text.ptr && part.ptr + part.len <= text.ptr + text.len));
}

static void read_address(struct slice text)
{
	struct events_address address;
	const char *why = NULL;
	if (!events_address_parse(text, &address, &why)) {
		assert(why);
		return;
	}
	is_inside(address.host, text);
	is_inside(address.path, text);
	is_inside(address.brokers, text);
	assert(address.kind != EVENTS_NOWHERE);
	assert(address.kind != EVENTS_REDIS || (address.host.len > 0) != (address.path.len > 0));
	assert(address.host.len == 0 || address.port > 0);
	assert((address.kind == EVENTS_KAFKA) == (address.brokers.len > 0));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct slice text = slice_of(data, size);
	struct properties properties = {.rest = text};
	enum property_kind kind;
	size_t line = 0;
	read_address(text);
	while ((kind = properties_next(&properties)) != PROPERTY_NONE) {
		assert(properties.line > line);
		line = properties.line;
		is_inside(properties.name, text);
		is_inside(properties.value, text);
		assert(kind == PROPERTY_BAD || properties.name.len > 0);
	}
	return 0;
}
