/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The RSA key pair that signs callbacks: the document `callback_key.pem`, made (2048 bits) when it
 * is missing.
 */
#ifndef CALLBACK_KEY_H
#define CALLBACK_KEY_H

#include "base/compiler.h"
#include "base/err.h"
#include "base/slice.h"

struct callback_key;
struct documents;   /* documents/documents.h */
struct rsa_private; /* crypto/rsa.h */

#define CALLBACK_KEY_DOCUMENT "callback_key.pem"

/*
 * Loads the key of these documents, or makes it. Blocks; call it at start. Logs why when it fails:
 * ERR_INTERNAL for one that cannot be read or is no key, ERR_DISK_FULL, ERR_UNAVAILABLE.
 */
enum err callback_key_open(struct documents *documents, struct callback_key **ret) MUST_USE;
void callback_key_free(struct callback_key *key);

/* For signing; lives as long as `key`. */
const struct rsa_private *callback_key_rsa(const struct callback_key *key);
/* The public half as PEM (SubjectPublicKeyInfo); lives as long as `key`. */
struct slice callback_key_public_pem(const struct callback_key *key);

#endif
