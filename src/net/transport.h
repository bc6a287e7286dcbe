/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Non-blocking reads and writes on a connection, plain or TLS. The result says whether to go on, to
 * wait for the socket, or to give up.
 */
#ifndef NET_TRANSPORT_H
#define NET_TRANSPORT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/slice.h"

struct ssl_st;

enum transport_result {
	TRANSPORT_OK,
	TRANSPORT_AGAIN,  /* wait until the socket is ready */
	TRANSPORT_EOF,    /* the peer will send no more */
	TRANSPORT_FAILED, /* the connection is lost */
};

struct transport {
	int fd;
	struct ssl_st *tls; /* NULL: plain */
};

/* Completes the TLS handshake; OK at once if plain. */
enum transport_result transport_handshake(struct transport *t) MUST_USE;
/* Reads up to `size` (> 0) bytes. On OK *ret_len is at least 1. */
enum transport_result transport_read(
	struct transport *t, char *to, size_t size, size_t *ret_len) MUST_USE;
/*
 * Writes some of `bytes`, which are not empty. `more` says that more will follow at once. On AGAIN
 * the same bytes must be offered next.
 */
enum transport_result transport_write(
	struct transport *t, struct slice bytes, bool more, size_t *ret_len) MUST_USE;
/*
 * Sends up to `size` bytes of a file from `offset`; `scratch` is memory for TLS, which has to see
 * the bytes. A file that ends early is EOF.
 */
enum transport_result transport_send_file(struct transport *t, int file, uint64_t offset,
	uint64_t size, char *scratch, size_t scratch_size, size_t *ret_len) MUST_USE;
/* Ends writing; reading is still possible. */
void transport_shutdown(struct transport *t);
void transport_close(struct transport *t);

#endif
