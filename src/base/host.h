/* SPDX-License-Identifier: Apache-2.0 */
/* Names and addresses of hosts, as they stand in URLs and Host headers. */
#ifndef BASE_HOST_H
#define BASE_HOST_H

#include <stdbool.h>

#include "base/compiler.h"
#include "base/slice.h"

/* The name or address in `host:port`: without port, and without the brackets of an IPv6 address. */
struct slice host_of_authority(struct slice authority) MUST_USE;

/*
 * Reads an address, without brackets; `family` is AF_INET or AF_INET6, and *ret a struct in_addr or
 * in6_addr. False if it is none, and *ret is as it was.
 */
bool host_parse_address(int family, struct slice text, void *ret) MUST_USE;

/* RFC 6761 section 6.3: the name, and all below it, are the loopback's. A final dot is allowed. */
bool host_is_localhost(struct slice name) MUST_USE;

#endif
