/* SPDX-License-Identifier: Apache-2.0 */
/*
 * SIGHUP: certificates, the store's access keys and the configuration are read again. Of the latter
 * those options are taken that are LIVE (options.def); of the others the log names those that have
 * changed, and what is in force stays.
 *
 * The configuration is read whole, and checked as at the start; then it is checked once more with
 * what stays in place of what has changed, because that is what would be in force. If either does
 * not hold, nothing is taken of it. Requests that run are not touched: each has the rules that it
 * began with.
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
	if (!p->with_app || !p->keys ||
		keys_first(p->keys, &ret->key_id, &ret->key_secret) == ERR_OK)
		return true;
	log_error("there is no access key that is enabled");
	return false;
}

/* *ret is to be released in any case. */
static bool read_settings(struct parts *fresh, struct settings *ret)
{
	struct app_reading reading;
	char why[512] = "";
	bool ok = serve_read_app_files(fresh, &reading) && serve_read_app(fresh, &reading);
	*ret = (struct settings){.rules = NULL};
	if (ok && settings_init(ret, &reading.options, why, sizeof(why)) != ERR_OK) {
		log_error(why[0] == '[' ? "%s" : "[app] %s", why[0] ? why : "there is no memory");
		ok = false;
	}
	app_reading_release(&reading);
	return ok;
}

static bool holds(struct parts *fresh)
{
	struct settings settings;
	bool ok = !fresh->with_app || read_settings(fresh, &settings);
	if (fresh->with_app)
		settings_release(&settings);
	return ok;
}

static bool take(struct parts *p, struct parts *fresh)
{
	struct settings settings;
	const struct provider_options *c = &settings.credentials;
	bool taken = read_settings(fresh, &settings);
	if (taken && p->own_store != settings.own_store) {
		log_error("[app] the key is to come from elsewhere: restart for that");
		taken = false;
	}
	if (taken && app_take(p->app, &settings) != ERR_OK) {
		log_error("[app] there is no memory");
		taken = false;
	}
	/* What lasts is not read again. */
	if (taken && c->grant_secret.len == 0)
		mirror_set_secret(&p->mirror, c->pair.secret);
	settings_release(&settings);
	return taken;
}

/*
 * With what stays in place of what has changed. What is said of it is said at the more talkative of
 * the levels.
 */
static bool take_rest(struct parts *p, struct parts *fresh, const struct strbuf *changes)
{
	enum log_level level = (enum log_level)fresh->config.server_log_level;
	if (!config_keep(&fresh->config, &p->config)) {
		log_error("there is no memory");
		return false;
	}
	if (p->app && !take(p, fresh)) {
		if (changes->len > 0)
			log_error("this does not hold without what needs a restart: %s",
				changes->ptr);
		return false;
	}
	if (!log_enabled(level))
		log_set_level(level);
	serve_warn_of_anybody(fresh);
	if (changes->len > 0)
		log_info("restart to use what has changed: %s", changes->ptr);
	log_info("the configuration was read again");
	log_set_level(level);
	log_set_format((enum log_format)fresh->config.server_log_format);
	return true;
}

static bool reload(struct parts *p)
{
	struct parts fresh;
	char *rest[2];
	int count = 0;
	bool taken = false;
	SCOPED_STRBUF(changes, KIB(16));
	SCOPED_STRBUF(why, CONFIG_WHY_MAX);
	if (stand_in(p, &fresh) &&
		config_read(p->argc, p->argv, &fresh.config, rest, 2, &count, &why) == CONFIG_OK &&
		serve_use_address(&fresh.config, rest, count) &&
		serve_use_own_port(&fresh.config, p->with_store)) {
		config_changes(&p->config, &fresh.config, &changes);
		taken = (changes.len == 0 || holds(&fresh)) && take_rest(p, &fresh, &changes);
	}
	if (why.len > 0)
		log_error("%s", why.ptr);
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
	if (!reload(p))
		log_error("the configuration is refused: the old one goes on");
}
