/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What OpenSSL alone does, on so many threads, with nothing around it: the measure of what is built
 * on it.
 *
 *	bare_bench rsa|hmac-sha1|hmac-sha256 THREADS SECONDS
 *
 * rsa: verifications of one signature of an RSA key of 2,048 bits, PKCS #1 v1.5 over a digest that
 * is ready. hmac: MACs of TEXT_BYTES, with the key set up once. Prints what load.h does.
 */
#include <openssl/evp.h>
#include <openssl/rsa.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum {
	THREADS_MAX = 256,
	RSA_BITS = 2048,
	TEXT_BYTES = 512, /* about a policy in base64 */
	BATCH = 64,       /* between two looks at the clock */
};

static const unsigned char text[TEXT_BYTES] = "what is signed";
static unsigned char signature[RSA_BITS / 8];
static size_t signature_len = sizeof(signature);
static EVP_PKEY *pkey;
static const EVP_MD *hmac_md; /* NULL: RSA */
static double ends;

struct worker {
	pthread_t thread;
	unsigned long count;
};

static void check(bool ok, const char *what)
{
	if (ok)
		return;
	fprintf(stderr, "bare_bench: %s failed\n", what);
	exit(1);
}

static double now(void)
{
	struct timespec t;
	(void)clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static void make_signature(void)
{
	pkey = EVP_RSA_gen(RSA_BITS);
	EVP_PKEY_CTX *ctx = pkey ? EVP_PKEY_CTX_new(pkey, NULL) : NULL;
	check(ctx && EVP_PKEY_sign_init(ctx) == 1 &&
			EVP_PKEY_CTX_set_rsa_padding(ctx, RSA_PKCS1_PADDING) == 1 &&
			EVP_PKEY_CTX_set_signature_md(ctx, EVP_sha256()) == 1 &&
			EVP_PKEY_sign(ctx, signature, &signature_len, text, 32) == 1,
		"signing");
	EVP_PKEY_CTX_free(ctx);
}

static void *verify(void *arg)
{
	struct worker *w = arg;
	EVP_PKEY *own = EVP_PKEY_dup(pkey);
	EVP_PKEY_CTX *ctx = own ? EVP_PKEY_CTX_new(own, NULL) : NULL;
	check(ctx && EVP_PKEY_verify_init(ctx) == 1 &&
			EVP_PKEY_CTX_set_rsa_padding(ctx, RSA_PKCS1_PADDING) == 1 &&
			EVP_PKEY_CTX_set_signature_md(ctx, EVP_sha256()) == 1,
		"verifying");
	for (; now() < ends; w->count += BATCH)
		for (int i = 0; i < BATCH; i++)
			check(EVP_PKEY_verify(ctx, signature, signature_len, text, 32) == 1,
				"verifying");
	EVP_PKEY_CTX_free(ctx);
	EVP_PKEY_free(own);
	return NULL;
}

static void *authenticate(void *arg)
{
	struct worker *w = arg;
	unsigned char mac[EVP_MAX_MD_SIZE];
	size_t len;
	char digest[16];
	(void)snprintf(digest, sizeof(digest), "%s", EVP_MD_get0_name(hmac_md));
	const OSSL_PARAM params[] = {
		OSSL_PARAM_construct_utf8_string("digest", digest, 0), OSSL_PARAM_construct_end()};
	EVP_MAC *hmac = EVP_MAC_fetch(NULL, "HMAC", NULL);
	EVP_MAC_CTX *ctx = hmac ? EVP_MAC_CTX_new(hmac) : NULL;
	check(ctx && EVP_MAC_init(ctx, text, 30, params) == 1, "HMAC");
	for (; now() < ends; w->count += BATCH)
		for (int i = 0; i < BATCH; i++)
			check(EVP_MAC_init(ctx, NULL, 0, NULL) == 1 &&
					EVP_MAC_update(ctx, text, sizeof(text)) == 1 &&
					EVP_MAC_final(ctx, mac, &len, sizeof(mac)) == 1,
				"HMAC");
	EVP_MAC_CTX_free(ctx);
	EVP_MAC_free(hmac);
	return NULL;
}

int main(int argc, char **argv)
{
	static struct worker workers[THREADS_MAX];
	bool sha1 = argc == 4 && strcmp(argv[1], "hmac-sha1") == 0;
	bool sha256 = argc == 4 && strcmp(argv[1], "hmac-sha256") == 0;
	long threads = argc == 4 ? strtol(argv[2], NULL, 10) : 0;
	if (threads < 1 || threads > THREADS_MAX ||
		(!sha1 && !sha256 && strcmp(argv[1], "rsa") != 0)) {
		fprintf(stderr, "usage: bare_bench rsa|hmac-sha1|hmac-sha256 THREADS SECONDS\n");
		return 2;
	}
	hmac_md = sha1 ? EVP_sha1() : sha256 ? EVP_sha256() : NULL;
	if (!hmac_md)
		make_signature();
	double begin = now();
	unsigned long count = 0;
	ends = begin + strtod(argv[3], NULL);
	for (long i = 0; i < threads; i++)
		check(pthread_create(&workers[i].thread, NULL, hmac_md ? authenticate : verify,
			      &workers[i]) == 0,
			"a thread");
	for (long i = 0; i < threads; i++) {
		(void)pthread_join(workers[i].thread, NULL);
		count += workers[i].count;
	}
	printf("requests %lu seconds %.4f bytes 0 p50_us 0 p99_us 0\n", count, now() - begin);
	EVP_PKEY_free(pkey);
	return 0;
}
