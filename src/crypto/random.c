/* SPDX-License-Identifier: Apache-2.0 */
#include "crypto/random.h"

#include <openssl/rand.h>
#include <stdlib.h>

#include "base/log.h"
#include "crypto/secret.h"

void random_bytes(void *ret, size_t len)
{
	unsigned char *at = ret;
	while (len > 0) {
		int piece = len > 65536 ? 65536 : (int)len;
		if (RAND_bytes(at, piece) != 1) {
			log_error("the machine gives no random bytes");
			abort();
		}
		at += piece;
		len -= (size_t)piece;
	}
}

void random_hex_upper(char *ret, size_t len)
{
	random_bytes(ret, len);
	for (size_t i = 0; i < len; i++)
		ret[i] = "0123456789ABCDEF"[(unsigned char)ret[i] & 15];
}

void random_alnum(char *ret, size_t len)
{
	static const char alphabet[] =
		"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
	/* Bytes from 248 = 4 * 62 on are thrown away: they would favour the first characters. */
	unsigned char pool[64];
	size_t left = 0;
	for (size_t done = 0; done < len;) {
		if (left == 0) {
			random_bytes(pool, sizeof(pool));
			left = sizeof(pool);
		}
		unsigned char byte = pool[--left];
		if (byte < 248)
			ret[done++] = alphabet[byte % 62];
	}
	secret_wipe(pool, sizeof(pool));
}
