/* SPDX-License-Identifier: Apache-2.0 */
/* Which address a request comes from, also if proxies are in front. Pure functions: any thread. */
#ifndef APP_AUTH_CLIENT_ADDRESS_H
#define APP_AUTH_CLIENT_ADDRESS_H

#include "base/slice.h"
#include "http/head.h"
#include "net/address.h"

/*
 * `peer`, unless it is on the list of trusted proxies. Then it is the last address of
 * X-Forwarded-For that is not on the list. The header is read from its end; at a word that is no
 * address the search ends, with the address that was read last, which a trusted proxy has added.
 */
struct slice client_address(
	const struct allow_list *trusted, struct slice peer, const struct request_head *head);

/*
 * The network that is counted for an address: the address itself, or, of IPv6, its first 64 bits,
 * because one client can have all 2^64 addresses behind them.
 * The text is `address` or in `buffer`.
 */
#define CLIENT_NETWORK_SIZE 46
struct slice client_network(struct slice address, char buffer[CLIENT_NETWORK_SIZE]);

#endif
