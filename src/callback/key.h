/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The RSA key pair that signs callbacks: `callback_key.pem` in the data folder, mode 0600, made
 * (2048 bits) when it is missing.
 */
#ifndef CALLBACK_KEY_H
#define CALLBACK_KEY_H

#include "base/compiler.h"
#include "base/err.h"
#include "base/slice.h"

struct callback_key;
struct rsa_private; /* crypto/rsa.h */

/*
 * Loads the key of the folder `data`, or makes it; without a folder (NULL) one is made and kept in
 * memory alone. Blocks; call it at start. Logs why when it
 * fails: ERR_INTERNAL for a file that cannot be read or is no key, ERR_DISK_FULL.
 */
enum err callback_key_open(const char *data, struct callback_key **ret) MUST_USE;
void callback_key_free(struct callback_key *key);

/* For signing; lives as long as `key`. */
const struct rsa_private *callback_key_rsa(const struct callback_key *key);
/* The public half as PEM (SubjectPublicKeyInfo); lives as long as `key`. */
struct slice callback_key_public_pem(const struct callback_key *key);

#endif
