/* SPDX-License-Identifier: Apache-2.0 */
/*
 * SIGHUP: certificates, the store's access keys, and the application server's pair and rates are
 * read again, and the level of the log.
 * The configuration is read whole, and checked as at start: if it does not hold, the old one goes
 * on. Requests that run are not touched: each has the credentials that it began with.
 */
#include "app/settings/settings.h"
#include "base/log.h"
#include "cli/serve_internal.h"

/* What the process has and the configuration does not say. The key is the first of the store's. */
static bool stand_in(const struct parts *p, struct parts *ret)
{
	*ret = (struct parts){.with_app = p->with_app,
		.with_store = p->with_store,
		.keys = p->keys,
		.only_looks = true};
	strbuf_init(&ret->key_id, KIB(4));
	memcpy(ret->app_url, p->app_url, sizeof(ret->app_url));
	memcpy(ret->store_url, p->store_url, sizeof(ret->store_url));
	memcpy(ret->console_url, p->console_url, sizeof(ret->console_url));
	memcpy(ret->own_url, p->own_url, sizeof(ret->own_url));
	return !p->keys || keys_first(p->keys, &ret->key_id, &ret->key_secret) == ERR_OK;
}

/* Checks the settings, and takes the pair and the rates of them. */
static bool take(struct parts *p, const struct app_reading *reading)
{
	struct settings settings;
	char why[512] = "";
	enum err e = settings_init(&settings, &reading->options, why, sizeof(why));
	const struct provider_options *c = &settings.credentials;
	if (e)
		log_error(why[0] == '[' ? "%s" : "[app] %s", why[0] ? why : "there is no memory");
	else if (p->config.app_credentials != (int)c->source || p->own_store != settings.own_store)
		log_error("[app] the key is to come from elsewhere: restart for that");
	else if (app_replace_pair(p->app, &c->pair) == ERR_OK) {
		/* What lasts is not read again. */
		if (c->grant_secret.len == 0)
			mirror_set_secret(&p->mirror, c->pair.secret);
		app_take_rates(p->app, settings.rules->grant_rate, settings.rules->part_rate);
		settings_release(&settings);
		return true;
	}
	settings_release(&settings);
	return false;
}

/* What is said of it is said at the more talkative of the levels; *ret_level is the new one. */
static bool reload_app(struct parts *p, enum log_level *ret_level)
{
	struct parts fresh;
	struct app_reading reading;
	char *rest[2];
	int count = 0;
	bool taken = false;
	if (!stand_in(p, &fresh))
		log_error("there is no access key that is enabled");
	else if (config_read(p->argc, p->argv, &fresh.config, rest, 2, &count) == CONFIG_OK &&
		 serve_use_address(&fresh.config, rest, count) &&
		 serve_use_own_port(&fresh.config, p->with_store)) {
		taken = serve_read_app_files(&fresh, &reading) &&
			serve_read_app(&fresh, &reading) && take(p, &reading);
		app_reading_release(&reading);
	}
	if (taken) {
		*ret_level = (enum log_level)fresh.config.server_log_level;
		if (!log_enabled(*ret_level))
			log_set_level(*ret_level);
		config_log_changes(&p->config, &fresh.config);
	}
	config_release(&fresh.config);
	strbuf_release(&fresh.key_id);
	secret_release(&fresh.key_secret);
	return taken;
}

void serve_reload(struct parts *p)
{
	serve_reload_tls(p);
	if (p->documents)
		documents_look(p->documents, true);
	enum log_level level;
	if (p->app && reload_app(p, &level)) {
		log_info("the configuration was read again");
		log_set_level(level);
	} else if (p->app)
		log_error("the configuration is refused: the old one goes on");
}
