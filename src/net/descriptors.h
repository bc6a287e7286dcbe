/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Divides the descriptors that the process may open, so that idle clients of one port cannot take
 * those of files or of another port. With few descriptors each share is small; with many it is what
 * base/limits.h says.
 */
#ifndef NET_DESCRIPTORS_H
#define NET_DESCRIPTORS_H

#include <stdbool.h>
#include <stdint.h>

struct descriptors {
	uint64_t connections; /* on all ports; the rest is for files */
	uint64_t outgoing;    /* requests to other servers */
};

/* Divides `limit` descriptors. */
struct descriptors descriptors_share(uint64_t limit);

/* The connections that each port may have, of `connections` in all. */
struct descriptors_ports {
	uint64_t operators; /* the console and /metrics */
	uint64_t app;
	uint64_t store;
};

/* The share of a port that does not exist goes to the others. */
struct descriptors_ports descriptors_ports(
	uint64_t connections, bool with_operators, bool with_app, bool with_store);

/* Raises the process's limit as far as permitted, and returns it. */
uint64_t descriptors_raise_limit(void);

#endif
