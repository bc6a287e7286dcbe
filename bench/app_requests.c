/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Writes requests for request_load to standard output, made before anything is measured:
 *
 *	app_requests tokens KEY COUNT [PATH]         GET of PATH (/grant), each with a new RS256
 *token app_requests callbacks KEY KEY_URL BUCKET    a signed callback for each grant app_requests
 *objects ID SECRET BUCKET        a PUT of the object of each grant app_requests grants COUNT POST
 *of /grants for GRANT_FILES files
 *
 * KEY is a file with the private key (PEM) that signs. Grants are read from standard input, a line
 * each: its id, its ticket and the key of its object. Each object has CONTENT.
 */
#include <inttypes.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/compiler.h"
#include "base/encode.h"
#include "base/limits.h"
#include "crypto/digest.h"
#include "crypto/hmac.h"
#include "http/date.h"

#define CONTENT "hello"
#define TOKEN_SECONDS 86400

enum {
	WORKERS = 2,
	LINE_BYTES = 4096,
	GRANT_FILES = 100, /* LIMIT_GRANT_FILES */
};

struct grant {
	char *id, *ticket, *key;
};

struct making {
	EVP_PKEY *pkey;
	const char *path;
	const char *key_url;
	const char *id, *secret;
	const char *bucket;
	struct grant *grants;
	size_t count;
	void (*add)(const struct making *m, size_t at, struct strbuf *out);
};

static void fail(const char *what)
{
	perror(what);
	exit(1);
}

/* What is not checked by each. */
static void check(bool ok, const char *what)
{
	if (ok)
		return;
	fprintf(stderr, "app_requests: %s failed\n", what);
	exit(1);
}

static void add_signature(EVP_PKEY *pkey, const EVP_MD *md, struct slice text,
	void (*encode)(struct strbuf *out, struct slice bytes), struct strbuf *out)
{
	unsigned char bytes[LIMIT_RSA_BITS / 8];
	size_t len = sizeof(bytes);
	EVP_MD_CTX *ctx = EVP_MD_CTX_new();
	check(ctx && EVP_DigestSignInit(ctx, NULL, md, NULL, pkey) == 1 &&
			EVP_DigestSign(
				ctx, bytes, &len, (const unsigned char *)text.ptr, text.len) == 1,
		"signing");
	EVP_MD_CTX_free(ctx);
	encode(out, slice_of((const char *)bytes, len));
}

/* ---- The kinds --------------------------------------------------------------------------------
 */

static void add_token(const struct making *m, size_t at, struct strbuf *out)
{
	SCOPED_STRBUF(claims, KIB(1));
	SCOPED_STRBUF(token, KIB(4));
	long long now = time(NULL);
	strbuf_addf(&claims,
		"{\"iss\":\"https://issuer.example.com/\",\"sub\":\"user-%zu\",\"iat\":%lld,"
		"\"exp\":%lld,\"jti\":\"%016zx\"}",
		at % 1000, now, now + TOKEN_SECONDS, at);
	base64url_encode(&token, S("{\"alg\":\"RS256\",\"typ\":\"JWT\"}"));
	strbuf_addc(&token, '.');
	base64url_encode(&token, strbuf_slice(&claims));
	size_t signed_len = token.len;
	strbuf_addc(&token, '.');
	/* It is added to its own text, whose place may change. */
	SCOPED_STRBUF(text, KIB(4));
	strbuf_add(&text, token.ptr, signed_len);
	add_signature(m->pkey, EVP_sha256(), strbuf_slice(&text), base64url_encode, &token);
	strbuf_addf(out, "GET %s HTTP/1.1\r\nHost: 127.0.0.1\r\nAuthorization: Bearer %s\r\n\r\n",
		m->path, token.ptr);
}

/* As the template of src/app/text/callback_text.c, filled by a store. */
static void add_callback(const struct making *m, size_t at, struct strbuf *out)
{
	const struct grant *grant = &m->grants[at];
	uint8_t digest[MD5_BYTES];
	SCOPED_STRBUF(body, KIB(8));
	SCOPED_STRBUF(text, KIB(8));
	SCOPED_STRBUF(key, KIB(4));
	percent_encode(&key, slice_str(grant->key));
	strbuf_addf(&body,
		"filename=%s&size=%zu&mimeType=text%%2Fplain&height=&width=&bucket=%s"
		"&object=%s&etag=",
		key.ptr, strlen(CONTENT), m->bucket, key.ptr);
	md5_of(S(CONTENT), digest);
	hex_encode_upper(&body, slice_of((const char *)digest, sizeof(digest)));
	strbuf_addf(&body,
		"&format=&reqId=%024zX&clientIp=127.0.0.1&crc64=12345678901234567890"
		"&sentCrc64=&sentSha256=&grant=%s",
		at, grant->ticket);
	strbuf_addf(&text, "/\n%s", body.ptr);
	strbuf_addf(out,
		"POST / HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: %zu\r\n"
		"Content-Type: application/x-www-form-urlencoded\r\nUser-Agent: "
		"http-client/0.0.1\r\n"
		"x-oss-pub-key-url: ",
		body.len);
	base64_encode(out, slice_str(m->key_url));
	strbuf_adds(out, "\r\nAuthorization: ");
	add_signature(m->pkey, EVP_md5(), strbuf_slice(&text), base64_encode, out);
	strbuf_adds(out, "\r\n\r\n");
	strbuf_add_slice(out, strbuf_slice(&body));
}

static void add_object(const struct making *m, size_t at, struct strbuf *out)
{
	const struct grant *grant = &m->grants[at];
	unsigned char mac[SHA1_BYTES];
	char date[DATE_SIZE];
	SCOPED_STRBUF(text, KIB(8));
	date_format(time(NULL), date);
	strbuf_addf(&text, "PUT\n\ntext/plain\n%s\nx-oss-meta-grant:%s\n/%s/%s", date, grant->id,
		m->bucket, grant->key);
	hmac_sha1_of(slice_str(m->secret), strbuf_slice(&text), mac);
	strbuf_addf(out, "PUT /%s/", m->bucket);
	percent_encode_path(out, slice_str(grant->key));
	strbuf_addf(out,
		" HTTP/1.1\r\nHost: 127.0.0.1\r\nDate: %s\r\nContent-Type: text/plain\r\n"
		"Content-Length: %zu\r\nx-oss-meta-grant: %s\r\nAuthorization: OSS %s:",
		date, strlen(CONTENT), grant->id, m->id);
	base64_encode(out, slice_of((const char *)mac, sizeof(mac)));
	strbuf_adds(out, "\r\n\r\n" CONTENT);
}

static void add_grants(const struct making *m UNUSED, size_t at UNUSED, struct strbuf *out)
{
	SCOPED_STRBUF(body, KIB(16));
	strbuf_adds(&body, "{\"files\":[");
	for (int i = 0; i < GRANT_FILES; i++)
		strbuf_addf(&body,
			"%s{\"name\":\"photo-%d.png\",\"type\":\"image/png\",\"size\":5}",
			i ? "," : "", i);
	strbuf_adds(&body, "]}");
	strbuf_addf(out,
		"POST /grants HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/json\r\n"
		"Content-Length: %zu\r\n\r\n",
		body.len);
	strbuf_add_slice(out, strbuf_slice(&body));
}

/* ---- Making them, on all cores ----------------------------------------------------------------
 */

struct worker {
	const struct making *making;
	pthread_t thread;
	size_t from, to;
	struct strbuf out;
};

static void *work(void *arg)
{
	struct worker *w = arg;
	SCOPED_STRBUF(request, MIB(1));
	for (size_t i = w->from; i < w->to; i++) {
		strbuf_clear(&request);
		w->making->add(w->making, i, &request);
		check(!strbuf_broken(&request), "making a request");
		strbuf_addf(&w->out, "%zu\n", request.len);
		strbuf_add_slice(&w->out, strbuf_slice(&request));
	}
	check(!strbuf_broken(&w->out), "keeping the requests");
	return NULL;
}

static void make(const struct making *m)
{
	struct worker workers[WORKERS];
	for (size_t i = 0; i < WORKERS; i++) {
		workers[i] = (struct worker){.making = m,
			.from = m->count * i / WORKERS,
			.to = m->count * (i + 1) / WORKERS,
			.out = STRBUF_INIT(GIB(4))};
		check(pthread_create(&workers[i].thread, NULL, work, &workers[i]) == 0, "a thread");
	}
	for (size_t i = 0; i < WORKERS; i++) {
		(void)pthread_join(workers[i].thread, NULL);
		if (fwrite(workers[i].out.ptr, 1, workers[i].out.len, stdout) != workers[i].out.len)
			fail("writing");
		strbuf_release(&workers[i].out);
	}
}

/* ---- What they are made of --------------------------------------------------------------------
 */

static EVP_PKEY *read_key(const char *name)
{
	FILE *file = fopen(name, "r");
	EVP_PKEY *pkey = file ? PEM_read_PrivateKey(file, NULL, NULL, NULL) : NULL;
	if (!pkey)
		fail(name);
	(void)fclose(file);
	return pkey;
}

static char *next_word(char **text)
{
	char *word = strdup(strsep(text, " \n"));
	check(word && *text, "reading a grant");
	return word;
}

static void read_grants(struct making *m)
{
	char line[LINE_BYTES];
	size_t room = 0;
	while (fgets(line, sizeof(line), stdin)) {
		char *text = line;
		if (m->count == room) {
			room = room ? 2 * room : 1024;
			m->grants = realloc(m->grants, room * sizeof(*m->grants));
			check(m->grants != NULL, "reading grants");
		}
		struct grant *grant = &m->grants[m->count++];
		grant->id = next_word(&text);
		grant->ticket = next_word(&text);
		grant->key = next_word(&text);
	}
}

static bool read_arguments(int argc, char **argv, struct making *m)
{
	const char *kind = argc > 1 ? argv[1] : "";
	if (strcmp(kind, "tokens") == 0 && argc >= 4) {
		m->add = add_token;
		m->pkey = read_key(argv[2]);
		m->count = strtoul(argv[3], NULL, 10);
		m->path = argc > 4 ? argv[4] : "/grant";
	} else if (strcmp(kind, "grants") == 0 && argc == 3) {
		m->add = add_grants;
		m->count = strtoul(argv[2], NULL, 10);
	} else if (strcmp(kind, "callbacks") == 0 && argc == 5) {
		m->add = add_callback;
		m->pkey = read_key(argv[2]);
		m->key_url = argv[3];
		m->bucket = argv[4];
		read_grants(m);
	} else if (strcmp(kind, "objects") == 0 && argc == 5) {
		m->add = add_object;
		m->id = argv[2];
		m->secret = argv[3];
		m->bucket = argv[4];
		read_grants(m);
	}
	return m->add != NULL;
}

int main(int argc, char **argv)
{
	struct making m = {.count = 0};
	if (!read_arguments(argc, argv, &m)) {
		fprintf(stderr, "usage: app_requests tokens KEY COUNT [PATH] | grants COUNT |\n"
				"       callbacks KEY KEY_URL BUCKET | objects ID SECRET BUCKET\n");
		return 2;
	}
	make(&m);
	return fflush(stdout) == 0 ? 0 : 1;
}
