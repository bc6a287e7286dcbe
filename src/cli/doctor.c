/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/doctor.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>

#include "base/log.h"
#include "cli/input.h"
#include "cli/rados_place.h"
#include "cli/serve_internal.h"
#include "doctor/doctor.h"
#include "ops/access/key_list.h"
#include "oss/rules/origin.h"

#define TOKEN_BYTES_MAX KIB(16)
#define ORIGINS_BYTES_MAX KIB(64)

enum {
	WELL = 0,
	WARNINGS = 1,
	FAILURES = 2
};

static const int statuses[] = {
	[FINDING_OK] = WELL,
	[FINDING_WARNING] = WARNINGS,
	[FINDING_FAILED] = FAILURES,
};

/* What is the command's own, besides the configuration. */
struct doctor_arguments {
	struct strbuf origins;
	struct strbuf token;
	bool json;
};

static void print_usage(void)
{
	printf("Usage: postern doctor [serve|app] [OPTIONS]\n"
	       "\n"
	       "Checks a deployment while it runs, with the configuration that its server has: "
	       "the\n"
	       "store, its clock, the key and its rights, the bucket's CORS rule, a tiny upload "
	       "with\n"
	       "its callback (removed again), the way of the callback through proxies, the\n"
	       "webhook, and the database of the ledger. `serve` is a store and application server "
	       "in one process, `app` the\n"
	       "application server alone; the default is `app` if [app] host is set.\n"
	       "\n"
	       "  --origin ORIGIN  a page that uploads, such as https://www.example.com; may be\n"
	       "                   repeated; default: those of allowed_origins\n"
	       "  --json           one JSON document instead of lines\n"
	       "  --security-token-file FILE  the token, if the key is a temporary one of STS\n"
	       "  --config FILE, --SECTION-NAME VALUE, ...  as for `serve`: see `postern help`\n"
	       "\n"
	       "Exit status: 0 all is well, 1 there are warnings, 2 something failed, or the "
	       "command\n"
	       "or the configuration is at fault.\n");
}

/* `--name VALUE` or `--name=VALUE` at *at, which is moved on to the value. */
static bool take(int argc, char **argv, int *at, const char *name, const char **ret)
{
	struct slice text = slice_str(argv[*at]), flag;
	bool joined = slice_cut(&text, '=', &flag);
	if (!slice_eq(flag, slice_str(name)))
		return false;
	*ret = joined ? text.ptr : *at + 1 < argc ? argv[++*at] : NULL;
	return true;
}

static bool read_token(const char *path, struct strbuf *out)
{
	if (!input_read("doctor", path, out))
		return false;
	input_trim(out);
	return true;
}

/* A browser sends nothing else, and the advice is to allow it. */
static bool read_origin(const char *value, struct strbuf *out)
{
	const char *fault =
		strchr(value, '*') ? "it holds a *" : origin_pattern_fault(slice_str(value));
	if (fault) {
		fprintf(stderr,
			"postern doctor: --origin `%s` is not an origin, scheme://host[:port] such "
			"as https://www.example.com: %s\n",
			value, fault);
		return false;
	}
	strbuf_addf(out, " %s", value);
	return true;
}

/* Takes the own arguments out of argv; false, with a complaint, if one is wrong. */
static bool read_own(int *argc, char **argv, struct doctor_arguments *ret)
{
	int kept = 1;
	for (int i = 1; i < *argc; i++) {
		const char *value = NULL;
		bool origin = take(*argc, argv, &i, "--origin", &value);
		bool token = !origin && take(*argc, argv, &i, "--security-token-file", &value);
		if ((origin || token) && !value) {
			fprintf(stderr, "postern doctor: a value must follow\n");
			return false;
		}
		if (origin && !read_origin(value, &ret->origins))
			return false;
		if (token && !read_token(value, &ret->token))
			return false;
		if (origin || token)
			continue;
		if (slice_eq(slice_str(argv[i]), S("--json")))
			ret->json = true;
		else
			argv[kept++] = argv[i];
	}
	*argc = kept;
	return true;
}

/* ---- What `serve` knows of itself -------------------------------------------------------------
 */

static bool port_of(const char *option, const char *listen, uint16_t *ret)
{
	uint64_t port = 0;
	const char *colon = strrchr(listen, ':');
	if (!colon || !slice_to_u64(slice_str(colon + 1), &port) || port == 0 ||
		port > UINT16_MAX) {
		fprintf(stderr,
			"postern doctor: [%s] listen = %s: give the port that the server has\n",
			option, listen);
		return false;
	}
	*ret = (uint16_t)port;
	return true;
}

static enum err open_documents(struct parts *p)
{
	const struct rados_options rados = rados_options_of(&p->config);
	return p->config.store_backend == BACKEND_RADOS
		       ? rados_documents_open(&rados, &p->documents)
		       : documents_in_folder(p->config.server_data, &p->documents);
}

static bool find_keys(struct parts *p)
{
	bool made;
	bool has;
	if (open_documents(p) != ERR_OK ||
		documents_has(p->documents, KEY_LIST_DOCUMENT, &has) != ERR_OK)
		return false;
	if (!has) {
		fprintf(stderr,
			"postern doctor: there is no %s/" KEY_LIST_DOCUMENT
			", where the keys of a store are; give the --data of `serve`, or [app] "
			"host and a key if the store is elsewhere\n",
			documents_where(p->documents));
		return false;
	}
	return keys_open(p->documents, NULL, NULL, &p->keys, &made) == ERR_OK &&
	       keys_first(p->keys, &p->key_id, &p->key_secret) == ERR_OK;
}

static bool find_own_store(struct parts *p)
{
	const struct config *c = &p->config;
	if (!port_of("store", c->store_listen, &p->store_port) ||
		!port_of("app", c->app_listen, &p->app_port) || !find_keys(p))
		return false;
	if (c->app_credentials == APP_CREDENTIALS_STS && !c->app_sts_url[0]) {
		if (!port_of("console", c->console_listen, &p->console_port))
			return false;
		serve_make_url(p->console_url, serve_has_tls(c, SERVE_PORT_CONSOLE),
			c->console_listen, p->console_port);
	}
	serve_make_url(p->app_url, serve_has_tls(c, SERVE_PORT_APP), c->app_listen, p->app_port);
	serve_make_url(
		p->store_url, serve_has_tls(c, SERVE_PORT_STORE), c->store_listen, p->store_port);
	(void)snprintf(p->own_url, sizeof(p->own_url), "%s", p->store_url);
	(void)snprintf(p->key_url, sizeof(p->key_url), "%s%s",
		serve_or_else(c->store_callback_key_url, p->store_url),
		c->store_callback_key_url[0] ? "" : OPS_CALLBACK_KEY_PATH);
	return true;
}

static int check(struct parts *p, const struct doctor_arguments *arguments)
{
	struct app_reading reading;
	struct report report;
	char why[512] = "";
	int status = FAILURES;
	SCOPED_STRBUF(origins, ORIGINS_BYTES_MAX);
	strbuf_add_slice(&origins, strbuf_slice(&arguments->origins));
	/* The upload page of `serve` is a page too. */
	if (origins.len == 0 && p->with_store &&
		slice_eq(slice_str(p->config.app_allowed_origins), S("*")))
		strbuf_adds(&origins, p->app_url);
	if (serve_read_app_files(p, &reading) && serve_read_app(p, &reading)) {
		if (arguments->token.len > 0)
			reading.options.security_token = arguments->token.ptr;
		const struct doctor_options options = {
			.app = &reading.options,
			.origins = strbuf_slice(&origins),
			.own_key_url = slice_str(p->key_url),
			.ca_file = serve_ca_file(&p->config),
			.ledger_url = p->config.app_ledger_url[0] ? p->config.app_ledger_url : NULL,
			.ledger_password = reading.ledger_password.len > 0
						   ? reading.ledger_password.ptr
						   : NULL,
			.clock = &clock_system,
		};
		report_init(&report, arguments->json);
		enum err e = doctor_run(&options, &report, why, sizeof(why));
		if (e)
			fprintf(stderr, "postern doctor: %s%s\n", why[0] == '[' ? "" : "[app] ",
				why[0] ? why : "there is no memory");
		else
			status = statuses[report.worst];
		if (!e)
			report_end(&report);
		else
			strbuf_release(&report.text);
	}
	app_reading_release(&reading);
	return status;
}

static int run(int argc, char **argv, const struct doctor_arguments *arguments, struct parts *p)
{
	char *role = NULL;
	int count = 0;
	SCOPED_STRBUF(why, CONFIG_WHY_MAX);
	switch (config_read(argc, argv, &p->config, &role, 1, &count, &why)) {
	case CONFIG_OK:
		break;
	case CONFIG_HELP:
		print_usage();
		return WELL;
	case CONFIG_BAD:
		fprintf(stderr, "postern: %s\n", why.ptr);
		return FAILURES;
	}
	bool serve = role && strcmp(role, "serve") == 0;
	if (role && !serve && strcmp(role, "app") != 0) {
		fprintf(stderr, "postern doctor: `%s` is neither serve nor app\n", role);
		return FAILURES;
	}
	p->with_app = true;
	p->with_store = serve || (!role && !p->config.app_host[0]);
	if (p->with_store && !find_own_store(p))
		return FAILURES;
	return check(p, arguments);
}

int cli_doctor(int argc, char **argv)
{
	struct parts p = {.with_app = true, .only_looks = true};
	struct doctor_arguments arguments = {
		.origins = STRBUF_INIT(ORIGINS_BYTES_MAX), .token = STRBUF_INIT(TOKEN_BYTES_MAX)};
	int status = FAILURES;
	strbuf_init(&p.key_id, KIB(4));
	log_set_level(LOG_ERROR);
	(void)umask(077);
	if (read_own(&argc, argv, &arguments))
		status = run(argc, argv, &arguments, &p);
	keys_free(p.keys);
	documents_close(p.documents);
	strbuf_release(&p.key_id);
	secret_release(&p.key_secret);
	config_release(&p.config);
	secret_wipe(arguments.token.ptr, arguments.token.len);
	strbuf_release(&arguments.token);
	strbuf_release(&arguments.origins);
	return status;
}
