/* SPDX-License-Identifier: Apache-2.0 */
#include "crypto/random.h"

#include <openssl/rand.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "crypto/secret.h"

enum {
	POOL_BYTES = 512,
	SMALL_BYTES = 32, /* requests that the pool serves */
};

/*
 * Bytes of each thread that nobody has had yet. OpenSSL takes the best part of a microsecond for
 * any request, however small: locks, a look at the process id. What is handed out is wiped.
 */
struct pool {
	unsigned char bytes[POOL_BYTES];
	size_t left;
};

static _Thread_local struct pool pool;

static void fill(unsigned char *at, size_t len)
{
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

void random_bytes(void *ret, size_t len)
{
	if (len > SMALL_BYTES) {
		fill(ret, len);
		return;
	}
	if (pool.left < len) {
		fill(pool.bytes, POOL_BYTES);
		pool.left = POOL_BYTES;
	}
	pool.left -= len;
	memcpy(ret, pool.bytes + pool.left, len);
	secret_wipe(pool.bytes + pool.left, len);
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
	unsigned char some[64];
	size_t left = 0;
	for (size_t done = 0; done < len;) {
		if (left == 0) {
			random_bytes(some, sizeof(some));
			left = sizeof(some);
		}
		unsigned char byte = some[--left];
		if (byte < 248)
			ret[done++] = alphabet[byte % 62];
	}
	secret_wipe(some, sizeof(some));
}
