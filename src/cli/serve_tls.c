/* SPDX-License-Identifier: Apache-2.0 */
/* TLS of the three ports: which files each has, and reading them again. */
#include "base/log.h"
#include "cli/serve_internal.h"

static bool is_none(const char *certificate, const char *key)
{
	return slice_eq(slice_str(certificate), S("none")) && key[0] == '\0';
}

struct files {
	const char *section, *certificate, *key;
};

/* Those of the port's section, or else of [server]. */
static struct files files_of(const struct config *c, enum serve_port port)
{
	const struct files own[SERVE_PORTS] = {
		[SERVE_PORT_APP] = {"app", c->app_tls_certificate, c->app_tls_key},
		[SERVE_PORT_STORE] = {"store", c->store_tls_certificate, c->store_tls_key},
		[SERVE_PORT_CONSOLE] = {"console", c->console_tls_certificate, c->console_tls_key},
	};
	const struct files common = {"server", c->server_tls_certificate, c->server_tls_key};
	return own[port].certificate[0] || own[port].key[0] ? own[port] : common;
}

void serve_tls_files(const struct config *c, enum serve_port port, const char **ret_certificate,
	const char **ret_key)
{
	struct files files = files_of(c, port);
	*ret_certificate = is_none(files.certificate, files.key) ? "" : files.certificate;
	*ret_key = files.key;
}

bool serve_has_tls(const struct config *c, enum serve_port port)
{
	const char *certificate, *key;
	serve_tls_files(c, port, &certificate, &key);
	return certificate[0] || key[0];
}

/* Ports with the same files share a certificate: what is wrong with it is said once. */
static struct tls *find_shared(const struct parts *p, enum serve_port port)
{
	const char *certificate, *key, *other_certificate, *other_key;
	serve_tls_files(&p->config, port, &certificate, &key);
	for (int other = 0; other < (int)port; other++) {
		serve_tls_files(&p->config, (enum serve_port)other, &other_certificate, &other_key);
		if (p->tls[other] && strcmp(certificate, other_certificate) == 0 &&
			strcmp(key, other_key) == 0)
			return p->tls[other];
	}
	return NULL;
}

static bool is_used(const struct parts *p, enum serve_port port)
{
	switch (port) {
	case SERVE_PORT_APP:
		return p->with_app;
	case SERVE_PORT_STORE:
		return p->with_store;
	case SERVE_PORT_CONSOLE:
		return serve_has_console(p);
	case SERVE_PORTS:
		break;
	}
	return false;
}

/* One of the two alone is no TLS. */
static bool check_pair(struct parts *p, enum serve_port port)
{
	struct files files = files_of(&p->config, port);
	if (files.certificate[0] && files.key[0])
		return true;
	log_error("[%s] %s: must be set too, because %s is: TLS needs both", files.section,
		files.key[0] ? "tls_certificate" : "tls_key",
		files.key[0] ? "tls_key" : "tls_certificate");
	p->bad_option = true;
	return false;
}

bool serve_start_tls(struct parts *p)
{
	const char *certificate, *key;
	for (int i = 0; i < SERVE_PORTS; i++) {
		enum serve_port port = (enum serve_port)i;
		serve_tls_files(&p->config, port, &certificate, &key);
		if (!is_used(p, port) || !serve_has_tls(&p->config, port))
			continue;
		if (!check_pair(p, port))
			return false;
		p->tls[port] = find_shared(p, port);
		if (p->tls[port])
			continue;
		p->tls[port] = p->tls_made[p->tls_count] = tls_new(certificate, key);
		if (!p->tls[port])
			return false;
		p->tls_count++;
	}
	return true;
}

void serve_reload_tls(const struct parts *p)
{
	for (size_t i = 0; i < p->tls_count; i++)
		if (tls_reload(p->tls_made[i]))
			log_info("the certificate was read again");
}

void serve_free_tls(struct parts *p)
{
	for (size_t i = 0; i < p->tls_count; i++)
		tls_free(p->tls_made[i]);
	p->tls_count = 0;
}
