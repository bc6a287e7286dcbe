/* SPDX-License-Identifier: Apache-2.0 */
#include "net/tls.h"

#include <openssl/err.h>
#include <openssl/ssl.h>
#include <openssl/x509.h>
#include <pthread.h>

#include "base/log.h"

struct tls {
	pthread_mutex_t lock; /* context */
	SSL_CTX *context;
	char *certificate_file;
	char *key_file;
};

static void log_failure(const char *what, const char *file)
{
	char reason[256];
	ERR_error_string_n(ERR_get_error(), reason, sizeof(reason));
	log_error("cannot use the %s in %s: %s", what, file, reason);
	ERR_clear_error();
}

static bool has_expired(const SSL_CTX *context)
{
	const X509 *certificate = SSL_CTX_get0_certificate(context);
	return X509_cmp_current_time(X509_get0_notAfter(certificate)) < 0;
}

/* A key with a passphrase is refused: nobody is there to be asked. */
static int no_passphrase(char *buffer UNUSED, int size UNUSED, int writing UNUSED, void *ctx UNUSED)
{
	return 0;
}

static SSL_CTX *load(const char *certificate_file, const char *key_file)
{
	SSL_CTX *context = SSL_CTX_new(TLS_server_method());
	if (!context) {
		log_failure("TLS settings for the certificate", certificate_file);
		return NULL;
	}
	SSL_CTX_set_default_passwd_cb(context, no_passphrase);
	SSL_CTX_set_min_proto_version(context, TLS1_2_VERSION);
	SSL_CTX_set_options(context, SSL_OP_NO_RENEGOTIATION | SSL_OP_IGNORE_UNEXPECTED_EOF);
	SSL_CTX_set_mode(context, SSL_MODE_ENABLE_PARTIAL_WRITE |
					  SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER |
					  SSL_MODE_RELEASE_BUFFERS);
	SSL_CTX_set_session_id_context(context, (const unsigned char *)"postern", 7);
	if (SSL_CTX_use_certificate_chain_file(context, certificate_file) != 1) {
		log_failure("certificate", certificate_file);
	} else if (SSL_CTX_use_PrivateKey_file(context, key_file, SSL_FILETYPE_PEM) != 1 ||
		   SSL_CTX_check_private_key(context) != 1) {
		log_failure("key", key_file);
	} else {
		return context;
	}
	SSL_CTX_free(context);
	return NULL;
}

struct tls *tls_new(const char *certificate_file, const char *key_file)
{
	struct tls *tls = calloc(1, sizeof(*tls));
	if (!tls)
		return NULL;
	(void)pthread_mutex_init(&tls->lock, NULL);
	tls->certificate_file = strdup(certificate_file);
	tls->key_file = strdup(key_file);
	if (tls->certificate_file && tls->key_file)
		tls->context = load(certificate_file, key_file);
	if (!tls->context) {
		tls_free(tls);
		return NULL;
	}
	if (has_expired(tls->context))
		log_error("the certificate in %s has expired", certificate_file);
	return tls;
}

void tls_free(struct tls *tls)
{
	if (!tls)
		return;
	SSL_CTX_free(tls->context);
	free(tls->certificate_file);
	free(tls->key_file);
	(void)pthread_mutex_destroy(&tls->lock);
	free(tls);
}

bool tls_reload(struct tls *tls)
{
	SSL_CTX *fresh = load(tls->certificate_file, tls->key_file);
	if (fresh && has_expired(fresh)) {
		log_error(
			"cannot use the certificate in %s: it has expired", tls->certificate_file);
		SSL_CTX_free(TAKE(fresh));
	}
	if (!fresh)
		return false;
	(void)pthread_mutex_lock(&tls->lock);
	SSL_CTX *old = tls->context;
	tls->context = fresh;
	(void)pthread_mutex_unlock(&tls->lock);
	SSL_CTX_free(old); /* open connections hold references of their own */
	return true;
}

struct ssl_st *tls_accept(struct tls *tls, int fd)
{
	(void)pthread_mutex_lock(&tls->lock);
	SSL *ssl = SSL_new(tls->context);
	(void)pthread_mutex_unlock(&tls->lock);
	if (!ssl)
		return NULL;
	if (SSL_set_fd(ssl, fd) != 1) {
		SSL_free(ssl);
		return NULL;
	}
	SSL_set_accept_state(ssl);
	return ssl;
}

const char *tls_default_folder(void)
{
	return X509_get_default_cert_area();
}
