/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Asks clamd of ClamAV about a stream of bytes: its command INSTREAM, over a Unix or a TCP socket,
 * one connection for each. Blocks, each step until a deadline at most.
 */
#ifndef APP_CHECKS_CLAMD_H
#define APP_CHECKS_CLAMD_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/socket.h>

#include "base/compiler.h"
#include "base/slice.h"

struct clamd_address {
	struct sockaddr_storage socket;
	socklen_t length; /* 0: there is none */
};

/*
 * Parses `unix:/PATH` or `tcp:ADDRESS:PORT`, an IPv6 address in brackets; a name would have to be
 * looked up. False if it is neither.
 */
bool clamd_address_parse(struct slice text, struct clamd_address *ret) MUST_USE;

enum clamd_verdict {
	CLAMD_CLEAN,
	CLAMD_FOUND,   /* something that is in its signatures */
	CLAMD_UNKNOWN, /* it could not be reached, or did not judge */
};

/* What clamd has answered. `*ret_name` is the part of it that names what was found, or is empty. */
enum clamd_verdict clamd_answer_parse(struct slice answer, struct slice *ret_name) MUST_USE;

/* One stream. */
struct clamd {
	int fd; /* -1: it is over */
	int64_t deadline_ms;
	const atomic_bool *stopping; /* ends it, too */
	char name[128];              /* of what was found */
};

/* Each returns false if the rest is not worth sending; the verdict says why. */
bool clamd_begin(struct clamd *clamd, const struct clamd_address *address) MUST_USE;
bool clamd_send(struct clamd *clamd, struct slice bytes) MUST_USE;
/* Ends the stream, waits for the verdict, and closes the connection. In any case, once. */
enum clamd_verdict clamd_end(struct clamd *clamd);
/* Closes the connection without a verdict. */
void clamd_give_up(struct clamd *clamd);

/*
 * Instead of all that: asks for its version, which is in `ret` then, quoted; or else false, and why
 * not is.
 */
bool clamd_version(
	struct clamd *clamd, const struct clamd_address *address, char *ret, size_t size) MUST_USE;

#endif
