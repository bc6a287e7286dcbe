/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The addresses that postern may connect to when a client names them (a callbackUrl): public ones,
 * and those on an allow list. The check is made on the address that is about to be connected to,
 * after name resolution, so a name that resolves to 127.0.0.1, or to different addresses at check
 * and use, does not help an attacker.
 */
#ifndef NET_ADDRESS_H
#define NET_ADDRESS_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/socket.h>

#include "base/err.h"
#include "base/slice.h"

/*
 * Whether clients may not make postern connect to `address`: loopback, private, link-local (with
 * the metadata services), carrier-grade NAT, unique-local, multicast, unspecified, documentation
 * and other reserved ranges, the IPv6 forms that contain an IPv4 address of that kind (mapped,
 * compatible, NAT64, 6to4, Teredo, ISATAP), and every family that is not IP. Pure.
 */
bool address_refused(const struct sockaddr *address) MUST_USE;

/*
 * Exceptions, as configuration writes them, separated by commas or white space:
 *
 *	127.0.0.1:8888   10.0.0.0/8   [::1]:8080   fd00::/8   backend.internal:80   backend.internal
 *
 * An entry with a port applies to that port only. A name matches the host of the URL, whatever it
 * resolves to. Immutable once parsed, so any thread may read it.
 */
struct allow_list;

/*
 * Parses `text`; the empty text is the empty list. ERR_INVALID_ARGUMENT for an entry that cannot
 * be read, with *ret_bad, unless NULL, set to it (inside `text`); ERR_UNAVAILABLE without memory.
 */
enum err allow_list_parse(
	struct slice text, struct allow_list **ret, struct slice *ret_bad) MUST_USE;
void allow_list_free(struct allow_list *list);

/*
 * Whether `address`, reached for the URL host `host` (without port or brackets), is on the list.
 * NULL is the empty list.
 */
bool allow_list_has(
	const struct allow_list *list, struct slice host, const struct sockaddr *address) MUST_USE;

/*
 * Whether the URL host `host` is literally an address that is refused and not on the list: an IPv4
 * address, an IPv6 address in brackets, or `localhost`. Other names are checked by their addresses
 * when connecting; this serves to refuse early with a reason. Pure.
 */
bool address_literal_refused(
	struct slice host, uint16_t port, const struct allow_list *list) MUST_USE;

#endif
