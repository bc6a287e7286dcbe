/* SPDX-License-Identifier: Apache-2.0 */
#include "callback/key.h"

#include <stdlib.h>

#include "base/limits.h"
#include "base/log.h"
#include "base/private_file.h"
#include "base/strbuf.h"
#include "crypto/rsa.h"
#include "crypto/secret.h"

#define KEY_BITS 2048
#define KEY_FILE "callback_key.pem"
#define KEY_FILE_BYTES_MAX KIB(16)

struct callback_key {
	struct rsa_private *rsa;
	struct strbuf public_pem;
};

static enum err make_key(const char *data, struct callback_key *key)
{
	SCOPED_SECRET struct secret pem = SECRET_INIT;
	enum err e = rsa_private_generate(KEY_BITS, &key->rsa);
	if (e || !data)
		return e;
	e = rsa_private_pem(key->rsa, &pem);
	return e ? e : private_file_write(data, KEY_FILE, secret_slice(&pem));
}

static enum err load_or_make(const char *data, struct callback_key *key)
{
	SCOPED_STRBUF(pem, KEY_FILE_BYTES_MAX);
	bool found = false;
	enum err e = data ? private_file_read(data, KEY_FILE, &pem, &found) : ERR_OK;
	if (e)
		return e;
	if (!found)
		return make_key(data, key);
	e = rsa_private_parse(strbuf_slice(&pem), &key->rsa);
	secret_wipe(pem.ptr, pem.len);
	if (e)
		log_error("%s/" KEY_FILE " is not a private key in PEM form", data);
	return e ? ERR_INTERNAL : ERR_OK;
}

enum err callback_key_open(const char *data, struct callback_key **ret)
{
	struct callback_key *key = calloc(1, sizeof(*key));
	if (!key)
		return ERR_UNAVAILABLE;
	strbuf_init(&key->public_pem, LIMIT_PUBLIC_KEY_BYTES);
	enum err e = load_or_make(data, key);
	if (!e)
		e = rsa_private_public_pem(key->rsa, &key->public_pem);
	if (e) {
		callback_key_free(key);
		return e;
	}
	*ret = key;
	return ERR_OK;
}

void callback_key_free(struct callback_key *key)
{
	if (!key)
		return;
	rsa_private_free(key->rsa);
	strbuf_release(&key->public_pem);
	free(key);
}

const struct rsa_private *callback_key_rsa(const struct callback_key *key)
{
	return key->rsa;
}

struct slice callback_key_public_pem(const struct callback_key *key)
{
	return strbuf_slice(&key->public_pem);
}
