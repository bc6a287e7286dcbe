/* SPDX-License-Identifier: Apache-2.0 */
/* TLS to other servers: whom we name in the hello, and whose certificate we accept. */
#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>
#include <signal.h>

#include "loopback.h"
#include "net/outgoing.h"
#include "tap.h"
#include "waiting.h"

static SSL_CTX *context;
static char ca_file[] = P_tmpdir "/postern-ca-XXXXXX";

struct tls_server {
	int fd, port, stop[2];
	pthread_t thread;
	pthread_mutex_t lock;
	char named[100]; /* what the last client called us; "-" if it did not */
};

static struct tls_server server;
static struct waiting here;
static struct outgoing *trusting, *strict;

/* Before the client has seen our certificate: it may be gone as soon as it has. */
static int on_hello(SSL *ssl, int *alert, void *state)
{
	(void)alert;
	(void)state;
	const char *name = SSL_get_servername(ssl, TLSEXT_NAMETYPE_host_name);
	pthread_mutex_lock(&server.lock);
	snprintf(server.named, sizeof(server.named), "%s", name ? name : "-");
	pthread_mutex_unlock(&server.lock);
	return SSL_TLSEXT_ERR_OK;
}

static void serve(int fd)
{
	static const char answer[] = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}";
	char piece[2000];
	SSL *ssl = SSL_new(context);
	if (!ssl || SSL_set_fd(ssl, fd) != 1)
		abort();
	if (SSL_accept(ssl) == 1 && SSL_read(ssl, piece, sizeof(piece)) > 0 &&
		SSL_write(ssl, answer, sizeof(answer) - 1) > 0) {
		SSL_shutdown(ssl);
		while (SSL_read(ssl, piece, sizeof(piece)) > 0)
			;
	}
	SSL_free(ssl);
	close(fd);
}

static void *server_main(void *argument)
{
	(void)argument;
	for (;;) {
		struct pollfd fds[2] = {{server.fd, POLLIN, 0}, {server.stop[0], POLLIN, 0}};
		if (poll(fds, 2, -1) < 0)
			continue;
		if (fds[1].revents)
			return NULL;
		int fd = accept(server.fd, NULL, NULL);
		if (fd >= 0)
			serve(fd);
	}
}

static bool add_extension(X509 *certificate, int nid, const char *value)
{
	X509_EXTENSION *extension = X509V3_EXT_conf_nid(NULL, NULL, nid, value);
	bool ok = extension && X509_add_ext(certificate, extension, -1) == 1;
	X509_EXTENSION_free(extension);
	return ok;
}

/* A certificate that vouches for itself, for three names; also written to ca_file. */
static bool make_certificate(void)
{
	EVP_PKEY *key = EVP_EC_gen("P-256");
	X509 *certificate = X509_new();
	X509_NAME *name = certificate ? X509_get_subject_name(certificate) : NULL;
	int fd = mkstemp(ca_file);
	FILE *f = fd >= 0 ? fdopen(fd, "w") : NULL;
	bool ok = key && name && f && X509_set_version(certificate, 2) == 1 &&
		  ASN1_INTEGER_set(X509_get_serialNumber(certificate), 1) == 1 &&
		  X509_gmtime_adj(X509_getm_notBefore(certificate), -3600) &&
		  X509_gmtime_adj(X509_getm_notAfter(certificate), 3600) &&
		  X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_ASC,
			  (const unsigned char *)"test", -1, -1, 0) == 1 &&
		  X509_set_issuer_name(certificate, name) == 1 &&
		  X509_set_pubkey(certificate, key) == 1 &&
		  add_extension(certificate, NID_basic_constraints, "critical,CA:TRUE") &&
		  add_extension(certificate, NID_subject_alt_name,
			  "DNS:shop.example,DNS:localhost,IP:127.0.0.1") &&
		  X509_sign(certificate, key, EVP_sha256()) > 0 &&
		  PEM_write_X509(f, certificate) == 1 && fclose(f) == 0 &&
		  SSL_CTX_use_certificate(context, certificate) == 1 &&
		  SSL_CTX_use_PrivateKey(context, key) == 1;
	X509_free(certificate);
	EVP_PKEY_free(key);
	return ok;
}

struct call {
	struct outgoing_request request;
	bool done;
};

static void on_done(struct task *task)
{
	struct outgoing_request *request = CONTAINER_OF(task, struct outgoing_request, done);
	CONTAINER_OF(request, struct call, request)->done = true;
}

static enum outgoing_kind ask(
	struct outgoing *outgoing, const char *url_host, const char *host, bool sni)
{
	char url[200];
	snprintf(url, sizeof(url), "https://%s:%d/", url_host, server.port);
	struct call call = {.request = {.url = url,
				    .host = host,
				    .timeout_ms = 20000,
				    .max_answer_bytes = 10,
				    .flags = OUTGOING_ANY_ADDRESS | (sni ? OUTGOING_SNI : 0),
				    .home = &here.executor,
				    .done.run = on_done}};
	outgoing_send(outgoing, &call.request);
	waiting_until(&here, &call.done);
	outgoing_request_release(&call.request);
	return call.request.kind;
}

static void cases(void)
{
	static const struct {
		const char *url_host, *host;
		bool sni, accepted;
		const char *named;
	} rows[] = {
		{"127.0.0.1", NULL, true, true, "-"}, /* an address cannot be named */
		{"127.0.0.1", NULL, false, true, "-"},
		{"localhost", NULL, true, true, "localhost"},
		{"localhost", NULL, false, true, "-"},
		{"127.0.0.1", "shop.example", true, true, "shop.example"},
		{"127.0.0.1", "shop.example:8443", true, true, "shop.example"},
		{"127.0.0.1", "shop.example", false, true, "-"},
		{"localhost", "shop.example", false, true, "-"},
		{"127.0.0.1", "other.example", true, false, "other.example"},
		{"127.0.0.1", "other.example", false, false, "-"},
		{"localhost", "other.example", false, false, "-"},
		{"localhost", "127.0.0.2", false, false, "-"},
		{"localhost", "127.0.0.1", false, true, "-"},
	};
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		enum outgoing_kind kind =
			ask(trusting, rows[i].url_host, rows[i].host, rows[i].sni);
		OK(kind == (rows[i].accepted ? OUTGOING_ANSWERED : OUTGOING_UNREACHABLE),
			"%s, Host %s, SNI %d: %s (%d)", rows[i].url_host,
			rows[i].host ? rows[i].host : "-", rows[i].sni,
			rows[i].accepted ? "accepted" : "refused", (int)kind);
		pthread_mutex_lock(&server.lock);
		IS(slice_str(server.named), slice_str(rows[i].named), "the name in the hello");
		pthread_mutex_unlock(&server.lock);
	}
	IS_INT(ask(strict, "localhost", NULL, true), OUTGOING_UNREACHABLE,
		"a certificate that nobody we trust vouches for");
	IS_INT(ask(strict, "localhost", NULL, false), OUTGOING_UNREACHABLE, "nor without SNI");
}

int main(void)
{
	waiting_init(&here);
	signal(SIGPIPE, SIG_IGN);
	context = SSL_CTX_new(TLS_server_method());
	if (!context || !make_certificate())
		return 1;
	SSL_CTX_set_tlsext_servername_callback(context, on_hello);
	pthread_mutex_init(&server.lock, NULL);
	server.fd = loopback_listen(&server.port);
	if (pipe(server.stop) < 0 || pthread_create(&server.thread, NULL, server_main, NULL) != 0 ||
		outgoing_new(&(struct outgoing_options){.ca_file = ca_file}, &trusting) != ERR_OK ||
		outgoing_new(&(struct outgoing_options){.ca_file = NULL}, &strict) != ERR_OK)
		return 1;
	cases();
	outgoing_free(trusting);
	outgoing_free(strict);
	if (write(server.stop[1], "x", 1) != 1)
		return 1;
	pthread_join(server.thread, NULL);
	SSL_CTX_free(context);
	unlink(ca_file);
	return tap_done();
}
