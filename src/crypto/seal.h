/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Sealing: bytes are encrypted and authenticated (AES-256-GCM with a random nonce), so that who
 * has not the key can neither read nor change them. One key must not seal more than 2^32 times.
 * Pure functions: any thread.
 */
#ifndef CRYPTO_SEAL_H
#define CRYPTO_SEAL_H

#include <stdint.h>

#include "base/slice.h"
#include "base/strbuf.h"

#define SEAL_KEY_BYTES 32
#define SEAL_EXTRA_BYTES 28 /* what sealing adds: a nonce of 12 and a tag of 16 */

/*
 * Appends the sealed bytes. `purpose` is bound to them: what was sealed for one purpose cannot be
 * opened for another. False if the library or `out` fails.
 */
bool seal(const uint8_t key[SEAL_KEY_BYTES], struct slice purpose, struct slice bytes,
	struct strbuf *out) MUST_USE;

/* Appends what was sealed. False, with nothing appended, if it was not, or not with this key. */
bool seal_open(const uint8_t key[SEAL_KEY_BYTES], struct slice purpose, struct slice sealed,
	struct strbuf *out) MUST_USE;

#endif
