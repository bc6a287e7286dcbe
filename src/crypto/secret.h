/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Text that must not be shown: access key secrets, signing keys, private keys. There is on purpose
 * no function that prints, logs or formats one; the only way to the bytes is secret_slice(), which
 * is easy to find in a review. The memory is cleared before it is given back.
 *
 * Owned by whoever holds the structure; not thread-safe while it changes. All-zero is an empty
 * secret.
 */
#ifndef CRYPTO_SECRET_H
#define CRYPTO_SECRET_H

#include <stdbool.h>

#include "base/slice.h"

struct secret {
	char *ptr_;
	size_t len_;
};

#define SECRET_INIT     \
	{               \
		NULL, 0 \
	}
#define SCOPED_SECRET CLEANUP(secret_release)

/* Replaces the contents by a copy of `text`. False, and unchanged, if there is no memory. */
bool secret_set(struct secret *secret, struct slice text) MUST_USE;
/* Clears and frees; the secret is then empty and can be used again. */
void secret_release(struct secret *secret);

/* For signing and comparing only. Valid until the secret changes. */
static inline struct slice secret_slice(const struct secret *secret)
{
	return slice_of(secret->ptr_, secret->len_);
}

static inline bool secret_is_empty(const struct secret *secret)
{
	return secret->len_ == 0;
}

/* Clears memory that held something secret, in a way the compiler cannot leave out. */
void secret_wipe(void *ptr, size_t len);

#endif
