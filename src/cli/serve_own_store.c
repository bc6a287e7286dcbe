/* SPDX-License-Identifier: Apache-2.0 */
/*
 * If the application server signs for the store in this process, what the two are told has to fit:
 * else the store refuses each grant, and the uploader is the first to see it.
 */
#include "app/settings/settings.h"
#include "base/log.h"
#include "cli/first_start.h"
#include "cli/serve_internal.h"
#include "http/url.h"
#include "oss/names.h"

static bool refuse(struct parts *p, const char *text)
{
	log_error("%s", text);
	p->bad_option = true;
	return false;
}

const char *serve_own_bucket(const struct config *c)
{
	return serve_or_else(c->app_host[0] ? "" : c->app_bucket, FIRST_BUCKET);
}

/* One that is not said is the store's. */
static bool settle_region(struct parts *p, struct app_options *options)
{
	const struct config *c = &p->config;
	SCOPED_STRBUF(text, KIB(8));
	if (!c->store_region[0] || strcmp(c->store_region, options->region) == 0)
		return true;
	if (!c->app_region_given) {
		options->region = c->store_region;
		return true;
	}
	strbuf_addf(&text,
		"[app] region: is `%s`, but [store] region is `%s`: the store in this process "
		"would refuse each grant",
		options->region, c->store_region);
	return refuse(p, text.ptr);
}

static bool check_version(struct parts *p)
{
	const struct config *c = &p->config;
	if (c->store_signature_versions != SIGNATURES_V4 || c->app_signature_version == 4)
		return true;
	return refuse(p, "[app] signature_version: is 1, but [store] signature_versions is v4: the "
			 "store in this process would refuse each grant");
}

/* Of a key that is not the store's. Temporary ones, and what others hand out, show once they are
 * used. */
static bool check_key(struct parts *p, const struct app_reading *r)
{
	const struct config *c = &p->config;
	bool tells = c->app_credentials == APP_CREDENTIALS_FIXED ||
		     (c->app_credentials == APP_CREDENTIALS_STS && !c->app_sts_url[0]) ||
		     c->app_credentials == APP_CREDENTIALS_ENVIRONMENT;
	SCOPED_STRBUF(text, KIB(8));
	if (!tells || r->id.len == 0 || r->token.len > 0)
		return true;
	strbuf_addf(&text,
		"[app] access_key_id: `%s`, with its secret, is no key of the store in this "
		"process, which would refuse each grant: leave both out, or set [app] host if the "
		"bucket is elsewhere",
		r->id.ptr);
	return refuse(p, text.ptr);
}

/* The bucket that the host name stands for; empty: the path tells it, or a proxy knows. */
static struct slice bucket_of_name(
	const struct ops_options *names, struct slice host_url, struct arena *arena)
{
	const struct host_rules rules = {
		names->domains, names->domain_count, names->hosts, names->host_count};
	struct url url;
	struct address address;
	SCOPED_STRBUF(reason, 512);
	if (!url_split(host_url, &url) ||
		address_parse(url.authority, S("/"), &rules, arena, &address, &reason) != ERR_OK ||
		!address.has_bucket)
		return S("");
	return address.bucket.text;
}

static bool check_bucket(struct parts *p, const struct app_options *options)
{
	struct settings settings;
	struct arena arena;
	char why[512] = "";
	SCOPED_STRBUF(text, KIB(8));
	struct slice named = S("");
	arena_init(&arena, NULL, 0, KIB(16));
	/* What is wrong with them is said when they are taken. */
	if (settings_init(&settings, options, why, sizeof(why)) == ERR_OK)
		named = bucket_of_name(ops_options(p->ops), settings.host, &arena);
	bool fits = named.len == 0 || slice_eq(named, settings.bucket);
	if (!fits)
		strbuf_addf(&text,
			"[app] host: `%.*s` is the bucket `%.*s` to the store in this process, "
			"which would refuse each grant for `%.*s`: set [app] bucket",
			SLICE_FMT(settings.host), SLICE_FMT(named), SLICE_FMT(settings.bucket));
	arena_reset(&arena);
	settings_release(&settings);
	return fits || refuse(p, text.ptr);
}

bool serve_check_own_store(struct parts *p, struct app_reading *r)
{
	struct app_options *options = &r->options;
	bool by_key = serve_store_is_own(p, strbuf_slice(&r->id), secret_slice(&r->secret));
	/* By its key, or because the policies are for nothing else. */
	if (!by_key && (!p->with_store || p->config.app_host[0]))
		return true;
	options->own_store_url = p->own_url;
	return (by_key || check_key(p, r)) && settle_region(p, options) && check_version(p) &&
	       (!p->ops || check_bucket(p, options));
}
