/* SPDX-License-Identifier: Apache-2.0 */
#include "crypto/secret.h"

#include <openssl/crypto.h>

bool secret_set(struct secret *secret, struct slice text)
{
	char *copy = malloc(text.len + 1);
	if (!copy)
		return false;
	if (text.len > 0)
		memcpy(copy, text.ptr, text.len);
	copy[text.len] = '\0';
	secret_release(secret);
	secret->ptr_ = copy;
	secret->len_ = text.len;
	return true;
}

void secret_release(struct secret *secret)
{
	if (secret->ptr_)
		secret_wipe(secret->ptr_, secret->len_);
	free(secret->ptr_);
	*secret = (struct secret)SECRET_INIT;
}

void secret_wipe(void *ptr, size_t len)
{
	OPENSSL_cleanse(ptr, len);
}
