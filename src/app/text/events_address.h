/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Where events go, as a URL (docs/events.md):
 *
 *	http://..., https://...             not looked into here
 *	redis://HOST[:PORT][/DATABASE]
 *	redis+unix:/PATH[?db=DATABASE]
 *	kafka://HOST[:PORT][,HOST[:PORT]...]
 *
 * Names and passwords are not part of it, because URLs are shown.
 */
#ifndef APP_TEXT_EVENTS_ADDRESS_H
#define APP_TEXT_EVENTS_ADDRESS_H

#include <stdbool.h>
#include <stdint.h>

#include "base/compiler.h"
#include "base/slice.h"

enum events_kind {
	EVENTS_NOWHERE,
	EVENTS_HTTP,
	EVENTS_REDIS,
	EVENTS_KAFKA,
};

#define EVENTS_REDIS_PORT 6379

/* Slices are parts of the URL. */
struct events_address {
	enum events_kind kind;
	/* Redis: either a host, without the brackets of an IPv6 address, or the path of a socket.
	 */
	struct slice host;
	uint16_t port;
	struct slice path;
	uint16_t database;
	struct slice brokers; /* Kafka: HOST[:PORT], separated by commas */
};

/* False, with a constant text that says what is wrong. */
bool events_address_parse(
	struct slice url, struct events_address *ret, const char **ret_why) MUST_USE;

#endif
