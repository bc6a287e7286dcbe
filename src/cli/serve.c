/* SPDX-License-Identifier: Apache-2.0 */
/* The command line of `serve`, `store` and `app`, and the life of the process. */
#include "cli/serve.h"

#include <inttypes.h>
#include <stdio.h>
#include <sys/stat.h>

#include "base/budget.h"
#include "base/limits.h"
#include "base/log.h"
#include "cli/machine.h"
#include "cli/option.h"
#include "cli/serve_internal.h"

static void print_usage(void)
{
	printf("Usage: postern serve [OPTIONS]      object store, application server and page in "
	       "one process\n"
	       "       postern store [OPTIONS]      the object store alone\n"
	       "       postern app [ADDRESS PORT] [OPTIONS]  the application server alone\n"
	       "\n"
	       "  --config FILE    INI file with the sections below\n"
	       "  --SECTION-NAME VALUE, or POSTERN_SECTION_NAME in the environment, for each of "
	       "the\n"
	       "                   options below\n");
	config_print_short();
	config_print_help();
	printf("\nPOSTERN_ACCESS_KEY_ID and POSTERN_ACCESS_KEY_SECRET, if set on the first start, "
	       "become the\n"
	       "store's key pair. SIGTERM stops after what runs has finished; SIGHUP reads "
	       "certificates, access keys and the configuration again.\n");
}

static bool set_memory(const struct config *c)
{
	uint64_t bytes = (uint64_t)c->server_memory;
	size_t least = LIMIT_MEMORY_BYTES_MIN;
	/* What the others have is not less because the store has its part. */
	if (c->server_ephemeral)
		least *= LIMIT_MEMORY_STORE_PART;
	if (bytes && bytes < least) {
		fprintf(stderr, "postern: [server] memory is at least %zu bytes%s, or 0\n", least,
			c->server_ephemeral ? " with --ephemeral" : "");
		return false;
	}
	if (!bytes)
		bytes = machine_memory("") / LIMIT_MEMORY_MACHINE_PART;
	if (bytes < least)
		bytes = least;
	if (c->server_ephemeral)
		budget_set_with_store(bytes);
	else
		budget_set(bytes);
	log_info("memory for clients: %" PRIu64 " MiB", bytes >> 20);
	return true;
}

static bool check_ephemeral(const struct parts *p)
{
	if (!p->config.server_ephemeral)
		return true;
	if (!p->with_store)
		fprintf(stderr, "postern: --ephemeral is for `serve` and `store`\n");
	else if (p->config.server_data_given)
		fprintf(stderr, "postern: --ephemeral keeps nothing, so there is no --data\n");
	else if (p->config.store_backend == BACKEND_RADOS)
		fprintf(stderr,
			"postern: --ephemeral keeps nothing, so there is no backend rados\n");
	return p->with_store && !p->config.server_data_given &&
	       p->config.store_backend != BACKEND_RADOS;
}

static int run(struct parts *p)
{
	sigset_t signals;
	log_set_format((enum log_format)p->config.server_log_format);
	if (!check_ephemeral(p) || !set_memory(&p->config))
		return 2;
	log_set_level((enum log_level)p->config.server_log_level);
	(void)umask(077);
	serve_block_signals(&signals);
	config_log(&p->config);
	strbuf_init(&p->domains_text, KIB(64));
	strbuf_init(&p->hosts_text, KIB(64));
	strbuf_init(&p->key_host, KIB(4));
	strbuf_init(&p->origins_text, KIB(64));
	strbuf_init(&p->key_id, KIB(4));
	bool started = serve_start(p);
	bool ended = started;
	if (started) {
		serve_print_ready(p);
		ended = serve_wait_for_stop(p, &signals);
		log_info("stopping");
	}
	serve_stop(p);
	log_stop();
	if (ended)
		return 0;
	return p->bad_option ? 2 : 1;
}

/* `postern app 0.0.0.0 8888`, as the classic sample is started. */
bool serve_use_address(struct config *config, char **rest, int count)
{
	SCOPED_STRBUF(listen, 512);
	SCOPED_STRBUF(why, 1024);
	if (count == 0)
		return true;
	if (count == 1) {
		fprintf(stderr, "postern: give both ADDRESS and PORT\n");
		return false;
	}
	strbuf_addf(&listen, "%s:%s", rest[0], rest[1]);
	const struct option *o = option_find(S("app"), S("listen"));
	if (!strbuf_broken(&listen) && o && option_set(config, o, listen.ptr, &why))
		return true;
	fprintf(stderr, "postern: %s\n", why.len > 0 ? why.ptr : "the address is too long");
	return false;
}

/* The store's process always has a console, with health and metrics. */
static bool check_console(const struct config *config, bool with_store)
{
	if (!with_store || strcmp(config->console_listen, "none") != 0)
		return true;
	fprintf(stderr, "postern: [console] listen: `none` is for `postern app` alone, which has "
			"no console; "
			"leave it out, or give an ADDRESS:PORT that nobody else reaches, such as "
			"127.0.0.1:9001\n");
	return false;
}

/* A port of its own, because a `postern store` may be beside it. */
bool serve_use_own_port(struct config *config, bool with_store)
{
	if (with_store || config->console_listen_given)
		return true;
	char *text = strdup(SERVE_APP_CONSOLE);
	if (!text)
		return false;
	free(config->console_listen);
	config->console_listen = text;
	return true;
}

static int serve(int argc, char **argv, bool with_app, bool with_store)
{
	struct parts p = {
		.with_app = with_app, .with_store = with_store, .argc = argc, .argv = argv};
	char *rest[2];
	int count = 0;
	int status = 2;
	SCOPED_STRBUF(why, CONFIG_WHY_MAX);
	switch (config_read(argc, argv, &p.config, rest, with_store ? 0 : 2, &count, &why)) {
	case CONFIG_OK:
		if (serve_use_address(&p.config, rest, count) &&
			check_console(&p.config, with_store) &&
			serve_use_own_port(&p.config, with_store))
			status = run(&p);
		break;
	case CONFIG_HELP:
		print_usage();
		status = 0;
		break;
	case CONFIG_BAD:
		fprintf(stderr, "postern: %s\n", why.ptr);
		break;
	}
	config_release(&p.config);
	return status;
}

int cli_serve(int argc, char **argv)
{
	return serve(argc, argv, true, true);
}

int cli_store(int argc, char **argv)
{
	return serve(argc, argv, false, true);
}

int cli_app(int argc, char **argv)
{
	return serve(argc, argv, true, false);
}
