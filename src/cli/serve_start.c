/* SPDX-License-Identifier: Apache-2.0 */
/* The order in which the parts of the process start; serve_stop.c has the order of stopping. */
#include <stdio.h>

#include "base/log.h"
#include "cli/serve_internal.h"
#include "net/descriptors.h"

const char *serve_data_folder(const struct parts *p)
{
	return p->config.server_ephemeral ? NULL : p->config.server_data;
}

void serve_make_url(char url[SERVE_URL_BYTES], bool tls, const char *listen, uint16_t port)
{
	const char *colon = strrchr(listen, ':');
	struct slice host = slice_of(listen, colon ? (size_t)(colon - listen) : 0);
	if (host.len == 0 || slice_eq(host, S("0.0.0.0")) || slice_eq(host, S("[::]")))
		host = S("127.0.0.1");
	(void)snprintf(url, SERVE_URL_BYTES, "%s://%.*s:%u", tls ? "https" : "http",
		SLICE_FMT(host), port);
}

bool serve_has_console(const struct parts *p)
{
	return p->with_store || strcmp(p->config.console_listen, "none") != 0;
}

static bool listen_all(struct parts *p)
{
	const struct config *c = &p->config;
	if (p->with_store && !server_listen(p->server, c->store_listen, &p->store_service,
				     p->tls[SERVE_PORT_STORE], &p->store_port))
		return false;
	if (p->with_app && !server_listen(p->server, c->app_listen, &p->app_service,
				   p->tls[SERVE_PORT_APP], &p->app_port))
		return false;
	if (serve_has_console(p) &&
		!server_listen(p->server, c->console_listen, &p->operations.service,
			p->tls[SERVE_PORT_CONSOLE], &p->console_port))
		return false;
	serve_make_url(p->app_url, p->tls[SERVE_PORT_APP], c->app_listen, p->app_port);
	if (p->with_store && p->with_app &&
		!server_listen(p->server, "127.0.0.1:0", &p->own_service, NULL, &p->own_port))
		return false;
	serve_make_url(p->own_url, false, "127.0.0.1:0", p->own_port);
	serve_make_url(p->store_url, p->tls[SERVE_PORT_STORE], c->store_listen, p->store_port);
	serve_make_url(
		p->console_url, p->tls[SERVE_PORT_CONSOLE], c->console_listen, p->console_port);
	return true;
}

/* What a thread of its own must not delay: all others begin after the sandbox, so this one does. */
static void start_log(void)
{
	if (log_start() != ERR_OK)
		log_error("cannot start the thread of the log: logging waits for the reader of "
			  "standard error");
}

/* What root's rights may be needed for, and what cannot be done in the sandbox any more. */
static bool prepare(struct parts *p)
{
	return serve_find_user(p) && p->server && serve_read_console_hosts(p) &&
	       serve_prepare_folder(p) && serve_start_tls(p) && listen_all(p) &&
	       (!p->with_app || serve_read_app_files(p, &p->app_reading));
}

static void warn_of_classic_pages(const struct parts *p)
{
	if (p->with_app && p->with_store && p->config.store_signature_versions == SIGNATURES_V4)
		log_info("[store] signature_versions: is v4: pages of the classic sample (GET /) "
			 "cannot upload, because their forms are signed by V1");
	if (p->with_app && (p->config.app_credentials == APP_CREDENTIALS_STS ||
				   p->config.app_credentials == APP_CREDENTIALS_ECS ||
				   p->config.app_credentials == APP_CREDENTIALS_OIDC))
		log_info("[app] credentials: the key is a temporary one: pages of the classic "
			 "sample (GET /) cannot upload, because they post no security token");
}

bool serve_start(struct parts *p)
{
	struct descriptors descriptors = descriptors_share(descriptors_raise_limit());
	const struct outgoing_options outgoing = {
		.max_in_flight = descriptors.outgoing,
		.ca_file = serve_ca_file(&p->config),
	};
	p->operations.server = p->server =
		server_new((unsigned)p->config.server_loops, descriptors.connections);
	operations_init(&p->operations);
	serve_warn_of_anybody(p);
	warn_of_classic_pages(p);
	if (!prepare(p) || !serve_enter_sandbox(p))
		return false;
	start_log();
	if (!serve_read_allow_list(p) || outgoing_new(&outgoing, &p->outgoing) != ERR_OK)
		return false;
	p->operations.outgoing = p->outgoing;
	if (p->with_store && !serve_start_store(p))
		return false;
	if (p->with_app && !serve_start_app(p))
		return false;
	return server_start(p->server) &&
	       (!p->with_app || (app_begin_credentials(p->app) == ERR_OK && serve_probe_store(p) &&
					app_begin_work(p->app) == ERR_OK));
}

void serve_print_ready(const struct parts *p)
{
	printf("postern " POSTERN_VERSION " is ready\n");
	if (p->with_app) {
		printf("  upload page         %s/upload/\n", p->app_url);
		printf("  application server  %s/\n", p->app_url);
	}
	if (p->with_store)
		printf("  object store        %s/\n", p->store_url);
	if (p->console_port)
		printf("  %-18s  %s/\n", p->with_store ? "console" : "operations", p->console_url);
	if (p->config.server_ephemeral)
		printf("  data                in memory alone: gone when this ends\n");
	if (p->made_keys) {
		printf("  access key id       %s\n", p->key_id.ptr);
		printf("  access key secret   %.*s\n", SLICE_FMT(secret_slice(&p->key_secret)));
	}
	(void)fflush(stdout);
}
