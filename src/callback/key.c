/* SPDX-License-Identifier: Apache-2.0 */
#include "callback/key.h"

#include <stdlib.h>

#include "base/limits.h"
#include "base/log.h"
#include "base/strbuf.h"
#include "crypto/rsa.h"
#include "crypto/secret.h"
#include "documents/documents.h"

#define KEY_BITS 2048
#define KEY_BYTES_MAX KIB(16)

struct callback_key {
	struct rsa_private *rsa;
	struct strbuf public_pem;
};

static enum err make_key(struct strbuf *out)
{
	struct rsa_private *rsa = NULL;
	SCOPED_SECRET struct secret pem = SECRET_INIT;
	enum err e = rsa_private_generate(KEY_BITS, &rsa);
	if (e == ERR_OK)
		e = rsa_private_pem(rsa, &pem);
	if (e == ERR_OK)
		strbuf_add_slice(out, secret_slice(&pem));
	rsa_private_free(rsa);
	return e;
}

static enum err load_or_make(struct documents *documents, struct callback_key *key)
{
	SCOPED_STRBUF(pem, KEY_BYTES_MAX);
	enum err e = documents_read_or_make(documents, CALLBACK_KEY_DOCUMENT, make_key, &pem);
	if (e)
		return e;
	e = rsa_private_parse(strbuf_slice(&pem), &key->rsa);
	secret_wipe(pem.ptr, pem.len);
	if (e)
		log_error("%s/" CALLBACK_KEY_DOCUMENT " is not a private key in PEM form",
			documents_where(documents));
	return e ? ERR_INTERNAL : ERR_OK;
}

enum err callback_key_open(struct documents *documents, struct callback_key **ret)
{
	struct callback_key *key = calloc(1, sizeof(*key));
	if (!key)
		return ERR_UNAVAILABLE;
	strbuf_init(&key->public_pem, LIMIT_PUBLIC_KEY_BYTES);
	enum err e = load_or_make(documents, key);
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
