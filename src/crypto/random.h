/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Randomness that cannot be guessed, for keys and ids. Any thread. A machine that has none to
 * give cannot run postern: that is logged and ends the process.
 */
#ifndef CRYPTO_RANDOM_H
#define CRYPTO_RANDOM_H

#include <stddef.h>

void random_bytes(void *ret, size_t len);

/* `len` characters, each equally likely, without a NUL behind them: 0-9 A-F. */
void random_hex_upper(char *ret, size_t len);
/* The same from 0-9 A-Z a-z, as access keys are made of. */
void random_alnum(char *ret, size_t len);

#endif
