/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Under which names a port may be asked. A page on any site can give its own name an address of
 * ours (DNS rebinding) and then reads our answers as its own: what it cannot change is the Host
 * header, which still has that name. So a port that a browser could be led to answers only to
 *
 *   - localhost and what is below it, and loopback addresses;
 *   - the address it listens on, or any address if it listens on all: an address is no name;
 *   - names that the operator has listed, or said elsewhere in the configuration;
 *   - no name at all, which only HTTP/1.0 has, and no browser speaks.
 *
 * The port is not looked at, nor the case of letters, nor one dot at the end.
 */
#ifndef HTTP_HOSTS_H
#define HTTP_HOSTS_H

#include <stdbool.h>

#include "base/limits.h"
#include "base/slice.h"

/* All-zero: nothing listed, and the loopback alone. Borrows its text. */
struct hosts {
	bool any;         /* `*` was listed */
	bool any_address; /* listens on all addresses */
	size_t count;
	struct slice names[LIMIT_HOSTS];
};

/* Notes where the port listens: ADDRESS:PORT. */
void hosts_listen(struct hosts *hosts, struct slice listen);

/*
 * Adds a name or address, without scheme and path; a port is left out. False if it is none, or
 * there are too many.
 */
bool hosts_add(struct hosts *hosts, struct slice name) MUST_USE;
/* Adds the host of an http or https URL, if it is a plain one. */
void hosts_add_url(struct hosts *hosts, struct slice url);

/* Whether a request with that Host header is for us. */
bool hosts_admit(const struct hosts *hosts, struct slice host) MUST_USE;

/* Whether `host`, with or without a port, is this machine to itself only. */
bool hosts_is_loopback(struct slice host);

#endif
