/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Starts the application server: turns the configuration into its options, reads the files that
 * they name, and makes what it uses (ledger, requests to other servers).
 */
#include <stdio.h>
#include <unistd.h>

#include "app/ledger/ledger.h"
#include "base/clock.h"
#include "base/limits.h"
#include "base/log.h"
#include "base/waiter.h"
#include "cli/first_start.h"
#include "cli/input.h"
#include "cli/serve_internal.h"
#include "http/hosts.h"

void serve_warn_of_anybody(const struct parts *p)
{
	const struct config *c = &p->config;
	if (p->with_app && c->app_auth == APP_AUTH_NONE &&
		!hosts_is_loopback(slice_str(c->app_listen)))
		log_error("[app] auth = none: anybody who reaches %s can upload into upload_dir, "
			  "%lld bytes a file; see docs/auth.md",
			c->app_listen, (long long)c->app_max_size);
}

/* The options as they are configured. */
static struct app_options configured(const struct config *c)
{
	return (struct app_options){
#define TEXT(section, name, when, fallback, help) .name = c->section##_##name,
#define WORD(section, name, when, fallback, words, help) \
	.name = (enum app_##name)c->section##_##name,
#define NUMBER(section, name, when, fallback, min, max, help) .name = c->section##_##name,
#define EITHER(section, name, when, fallback, other, help) .name = c->section##_##name,
#define FLAG(section, name, when, fallback, help) .name = c->section##_##name,
#include "app/settings/options.def"
	};
}

/* The files that the options name, but the credentials'. */
static bool read_jwt(struct parts *p, struct app_reading *r)
{
	const struct config *c = &p->config;
	if (c->app_jwt_key_file[0] &&
		!serve_read_file(p, "[app] jwt_key_file", c->app_jwt_key_file, &r->jwt_keys))
		return false;
	return !c->app_jwt_secret_file[0] ||
	       serve_read_secret_file(p, "jwt_secret_file", c->app_jwt_secret_file, &r->jwt_secret);
}

static bool read_ledger(struct parts *p, struct app_reading *r)
{
	const struct config *c = &p->config;
	const char *problem = c->app_ledger_url[0] ? ledger_check_url(c->app_ledger_url) : NULL;
	if (!c->app_ledger_url[0] && c->app_ledger_password_file[0])
		problem = "there is a ledger_password_file, and no URL that it is for";
	if (problem) {
		log_error("[app] ledger_url: %s", problem);
		p->bad_option = true;
		return false;
	}
	return !c->app_ledger_password_file[0] ||
	       serve_read_secret_file(
		       p, "ledger_password_file", c->app_ledger_password_file, &r->ledger_password);
}

static bool read_events(struct parts *p, struct app_reading *r)
{
	const struct config *c = &p->config;
	if (c->app_events_password_file[0] &&
		!serve_read_secret_file(p, "events_password_file", c->app_events_password_file,
			&r->events_password))
		return false;
	return !c->app_events_kafka_file[0] || serve_read_file(p, "[app] events_kafka_file",
						       c->app_events_kafka_file, &r->events_kafka);
}

bool serve_read_app_files(struct parts *p, struct app_reading *r)
{
	*r = (struct app_reading){.secret = SECRET_INIT};
	strbuf_init(&r->id, KIB(4));
	strbuf_init(&r->jwt_keys, LIMIT_JWT_KEYS_BYTES);
	strbuf_init(&r->jwt_secret, KIB(4));
	strbuf_init(&r->token, LIMIT_SECURITY_TOKEN_BYTES);
	strbuf_init(&r->grant_secret, KIB(4));
	strbuf_init(&r->policy, LIMIT_CREDENTIALS_BYTES);
	strbuf_init(&r->ledger_password, KIB(4));
	strbuf_init(&r->events_password, KIB(4));
	strbuf_init(&r->events_kafka, LIMIT_KAFKA_FILE_BYTES);
	return read_jwt(p, r) && read_ledger(p, r) && read_events(p, r) &&
	       serve_read_credential_files(p, r);
}

bool serve_read_app(struct parts *p, struct app_reading *r)
{
	const struct config *c = &p->config;
	(void)snprintf(r->host, sizeof(r->host), "%s/%s", p->store_url, serve_own_bucket(c));
	(void)snprintf(r->callback, sizeof(r->callback), "%s/", p->app_url);
	struct app_options *options = &r->options;
	*options = configured(c);
	options->events_secret = c->app_events_secret;
	options->events_secret_old = c->app_events_secret_old;
	options->events_password = strbuf_slice(&r->events_password);
	options->events_kafka = strbuf_slice(&r->events_kafka);
	options->profiles = c->profiles;
	options->profile_count = c->profile_count;
	if (!serve_read_credentials(p, r))
		return false;
	options->host = serve_or_else(c->app_host, p->with_store ? r->host : "");
	options->callback_url =
		serve_or_else(c->app_callback_url, p->with_store ? r->callback : "");
	if (strcmp(c->app_callback_url, "none") == 0)
		options->callback_url = "";
	if (c->app_jwt_key_file[0])
		options->jwt_keys = strbuf_slice(&r->jwt_keys);
	if (c->app_jwt_secret_file[0])
		options->jwt_secret = strbuf_slice(&r->jwt_secret);
	return serve_check_own_store(p, r);
}

void app_reading_release(struct app_reading *r)
{
	secret_wipe(r->jwt_secret.ptr, r->jwt_secret.len);
	secret_wipe(r->token.ptr, r->token.len);
	secret_wipe(r->ledger_password.ptr, r->ledger_password.len);
	secret_wipe(r->grant_secret.ptr, r->grant_secret.len);
	secret_wipe(r->events_password.ptr, r->events_password.len);
	secret_wipe(r->events_kafka.ptr, r->events_kafka.len);
	secret_release(&r->secret);
	strbuf_release(&r->id);
	strbuf_release(&r->jwt_keys);
	strbuf_release(&r->jwt_secret);
	strbuf_release(&r->token);
	strbuf_release(&r->grant_secret);
	strbuf_release(&r->policy);
	strbuf_release(&r->ledger_password);
	strbuf_release(&r->events_password);
	strbuf_release(&r->events_kafka);
}

/* A ledger that is there, and is not the one that is used, should not be forgotten. */
static void warn_of_file(const struct parts *p)
{
	SCOPED_STRBUF(path, KIB(4));
	strbuf_addf(&path, "%s/ledger.db", p->config.server_data);
	if (serve_data_folder(p) && access(path.ptr, F_OK) == 0)
		log_info("[app] ledger_url: the ledger is in PostgreSQL; %s is not used", path.ptr);
}

struct ledger_place serve_ledger_place(const struct parts *p, struct strbuf *path)
{
	const struct config *c = &p->config;
	const struct strbuf *password = &p->app_reading.ledger_password;
	if (c->app_ledger_url[0])
		return (struct ledger_place){.url = c->app_ledger_url,
			.password = password->len > 0 ? password->ptr : NULL};
	strbuf_addf(path, "%s/ledger.db", c->server_data);
	return (struct ledger_place){.path = serve_data_folder(p) ? path->ptr : NULL};
}

static bool open_ledger(struct parts *p)
{
	SCOPED_STRBUF(path, KIB(4));
	const struct ledger_place place = serve_ledger_place(p, &path);
	if (place.url)
		warn_of_file(p);
	return ledger_open(&place, &p->ledger) == ERR_OK;
}

/* What the application server uses besides; `serve` owns it. */
static bool open_parts(struct parts *p, struct app_parts *ret)
{
	const struct outgoing_options confirming = {
		.max_in_flight = LIMIT_CONFIRMING_IN_FLIGHT,
		.most = OUTGOING_CONFIRM,
		.ca_file = serve_ca_file(&p->config),
	};
	if (outgoing_new(&confirming, &p->confirming) != ERR_OK || !open_ledger(p))
		return false;
	*ret = (struct app_parts){
		.outgoing = p->outgoing,
		.confirming = p->confirming,
		.ledger = p->ledger,
		.clock = &clock_system,
		.allow = p->allow,
	};
	return true;
}

static bool make_app(struct parts *p, const struct app_options *options)
{
	struct app_parts parts;
	char why[512] = "";
	if (!open_parts(p, &parts))
		return false;
	if (app_new(options, &parts, &p->app, why, sizeof(why)) == ERR_OK)
		return true;
	log_error(why[0] == '[' ? "%s" : "[app] %s", why);
	p->bad_option = true;
	return false;
}

/* With our own store: what the first start has made must still suit, and its key is known. */
static bool join_store(struct parts *p)
{
	if (!p->config.app_host[0])
		first_start_check_bucket(p->store, serve_own_bucket(&p->config), p->app_url);
	return app_trust_key(p->app, slice_str(p->key_url),
		       callback_key_public_pem(p->callback_key)) == ERR_OK;
}

bool serve_start_app(struct parts *p)
{
	struct app_reading *reading = &p->app_reading;
	bool made = serve_read_app(p, reading) && make_app(p, &reading->options);
	if (made) {
		mirror_init(&p->mirror, app_service(p->app),
			reading->grant_secret.len > 0 ? strbuf_slice(&reading->grant_secret)
						      : secret_slice(&reading->secret),
			&clock_system);
		p->app_service = p->mirror.service;
		p->operations.app = p->app;
		p->own_store = reading->options.own_store_url != NULL;
	}
	app_reading_release(reading);
	return made && (!p->with_store || join_store(p));
}

bool serve_probe_store(struct parts *p)
{
	struct waiter waiter;
	waiter_init(&waiter);
	struct app_probe probe = {.home = NULL};
	probe.home = waiter_expect(&waiter, &probe.done);
	bool asked = app_probe_store(p->app, &probe) == ERR_OK;
	if (asked)
		waiter_wait(&waiter);
	waiter_release(&waiter);
	if (!asked || !probe.forbidden || p->config.app_confirm != APP_CONFIRM_ON)
		return asked;
	log_error("[app] confirm: the store answers 403 to a HEAD of an object: allow the key "
		  "oss:GetObject below upload_dir, or set confirm to auto or off");
	p->bad_option = true;
	return false;
}
