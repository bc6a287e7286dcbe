/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Sends requests as fast as a server takes them, over kept connections on the loopback, and tells
 * how long each took. What the requests are is the caller's.
 */
#ifndef BENCH_LOAD_H
#define BENCH_LOAD_H

#include <stdbool.h>
#include <stdint.h>

#include "base/slice.h"
#include "base/strbuf.h"

/* In a text it becomes a number that no other request of the run has. */
#define LOAD_MARK "################"
/* The same in an order that looks like chance. */
#define LOAD_RANDOM_MARK "~~~~~~~~~~~~~~~~"

struct load {
	const char *program; /* for messages */
	uint16_t port;
	size_t connections;
	int64_t seconds;      /* no request begins later */
	uint64_t count;       /* nor after so many */
	uint64_t size;        /* bytes of content in each request: sent from memory, never built */
	struct slice trailer; /* what follows them */
	/* Adds to `out` all of request `number` (from 1) that stands before the content. */
	void (*compose)(void *ctx, uint64_t number, struct strbuf *out);
	void *ctx;
};

/*
 * Runs it, and prints `requests N seconds S bytes B p50_us P p99_us Q`, the bytes being those of
 * contents and bodies of answers. An answer other than 2xx is shown and ends the program.
 */
void load_run(const struct load *load);

/* Writes the number of a request over the mark at `at`: 4 digits of `run` and 12 of `number`. */
void load_mark(char *at, uint64_t run, uint64_t number);
/* The same number, scrambled, in 16 digits. */
void load_random_mark(char *at, uint64_t run, uint64_t number);

/* The argument at `at`, or `otherwise` if there is none; one that is no number ends the program. */
uint64_t load_argument(int argc, char **argv, int at, uint64_t otherwise);

#endif
