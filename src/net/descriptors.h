/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Who may have how many of the descriptors that the process may open, so that idle strangers on one
 * port take neither the files nor another port. Shares of what is there: with few descriptors each
 * is small, with many it is what base/limits.h says.
 */
#ifndef NET_DESCRIPTORS_H
#define NET_DESCRIPTORS_H

#include <stdbool.h>
#include <stdint.h>

struct descriptors {
	uint64_t connections; /* on all ports; what is left is for files */
	uint64_t outgoing;    /* requests to other servers */
};

/* `limit` of them in all. */
struct descriptors descriptors_share(uint64_t limit);

/* The connections that each port may have, of `connections` in all. */
struct descriptors_ports {
	uint64_t operators; /* the console and /metrics */
	uint64_t app;
	uint64_t store;
};

/* A port that is not there has none, and leaves its own to the others. */
struct descriptors_ports descriptors_ports(
	uint64_t connections, bool with_operators, bool with_app, bool with_store);

/* Raises the limit of the process as far as it may, and returns it. */
uint64_t descriptors_raise_limit(void);

#endif
