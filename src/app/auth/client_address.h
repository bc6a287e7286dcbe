/* SPDX-License-Identifier: Apache-2.0 */
/* Whose request it is, if proxies are in front. Pure functions: any thread. */
#ifndef APP_AUTH_CLIENT_ADDRESS_H
#define APP_AUTH_CLIENT_ADDRESS_H

#include "base/slice.h"
#include "http/head.h"
#include "net/address.h"

/*
 * `peer`, or, if that is on the list, the last address of X-Forwarded-For that is not. What is no
 * address there ends the search: then it is the one before, which a trusted proxy has added.
 */
struct slice client_address(
	const struct allow_list *trusted, struct slice peer, const struct request_head *head);

/*
 * Whom an address stands for: itself, or of IPv6 the first 64 bits, as anybody has 2^64 of these.
 * The text is `address` or in `buffer`.
 */
#define CLIENT_NETWORK_SIZE 46
struct slice client_network(struct slice address, char buffer[CLIENT_NETWORK_SIZE]);

#endif
