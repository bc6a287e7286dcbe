/* SPDX-License-Identifier: Apache-2.0 */
/* The rules: origins, names, rates, the webhook, and what else may change while the server runs. */
#include <arpa/inet.h>

#include "app/settings/settings_internal.h"
#include "base/host.h"
#include "oss/rules/origin.h"

/* The same patterns as in a bucket's CORS rules, and "null". */
static void read_origins(struct reading *r, const char *text)
{
	struct rules *rules = r->rules;
	settings_read_list(r, "allowed_origins", text, &rules->origins);
	for (size_t i = 0; i < rules->origins.count; i++) {
		struct slice origin = rules->origins.words[i];
		const char *fault =
			slice_eq(origin, S("null")) ? NULL : origin_pattern_fault(origin);
		if (slice_eq(origin, S("*")))
			rules->any_origin = true;
		if (fault)
			settings_refuse(r,
				"allowed_origins: `%.*s` is not an origin such as "
				"https://www.example.com: %s",
				SLICE_FMT(origin), fault);
	}
}

/* Names that a proxy in front may pass on: those that the callback and the pages use. */
static void read_hosts(struct reading *r, const struct app_options *options)
{
	struct rules *rules = r->rules;
	struct settings_list words = {.count = 0};
	struct slice urls = settings_keep(r, r->settings->callback_url), url;
	hosts_listen(&rules->hosts,
		settings_keep_text(r, "listen", options->listen ? options->listen : "127.0.0.1:0"));
	settings_read_list(r, "hosts", options->hosts, &words);
	for (size_t i = 0; i < words.count; i++)
		if (!hosts_add(&rules->hosts, words.words[i]))
			settings_refuse(r, "hosts: `%.*s` is not a name such as app.example.com",
				SLICE_FMT(words.words[i]));
	while (urls.len > 0) {
		(void)slice_cut(&urls, ';', &url);
		hosts_add_url(&rules->hosts, slice_trim(url));
	}
	for (size_t i = 0; i < rules->origins.count; i++)
		hosts_add_url(&rules->hosts, rules->origins.words[i]);
}

static void read_webhook(struct reading *r, const struct app_options *options)
{
	r->rules->webhook_url = settings_keep_url(r, "webhook_url", options->webhook_url);
}

/* Peers are known by their addresses: a name, or a port, would match none. */
static void check_proxies(struct reading *r, struct slice text)
{
	unsigned char bytes[16];
	struct slice word, address;
	while (slice_next_word(&text, &word)) {
		struct slice rest = word;
		(void)slice_cut(&rest, '/', &address);
		if (slice_starts(address, S("[")) && slice_ends(address, S("]")))
			address = host_of_authority(address);
		if (!host_parse_address(AF_INET, address, bytes) &&
			!host_parse_address(AF_INET6, address, bytes))
			settings_refuse(r,
				"trusted_proxies: `%.*s` is not an address such as 127.0.0.1 or "
				"10.0.0.0/8: write a proxy's address, not its name or port",
				SLICE_FMT(word));
	}
}

static void read_rates(struct reading *r, const struct app_options *options)
{
	struct rules *rules = r->rules;
	struct slice bad = S("");
	rules->grant_rate = options->grant_rate;
	rules->part_rate = options->part_rate;
	struct slice text = settings_keep_text(r, "trusted_proxies", options->trusted_proxies);
	check_proxies(r, text);
	enum err e = allow_list_parse(text, &rules->trusted_proxies, &bad);
	if (e == ERR_INVALID_ARGUMENT)
		settings_refuse(r, "trusted_proxies: `%.*s` is not an address such as 10.0.0.0/8",
			SLICE_FMT(bad));
	else if (e && !r->err)
		r->err = e;
}

static void read_grants(struct reading *r, const struct app_options *options)
{
	struct rules *rules = r->rules;
	rules->dir_per_token = options->dir_per_token;
	rules->expire_seconds = options->expire_seconds;
	rules->multipart_expire_seconds = options->multipart_expire_seconds;
	rules->grant_uploads = options->grant_uploads;
	rules->grants_awaited = options->grants_awaited;
	rules->require_grant = options->require_grant;
}

void settings_read_rules(struct reading *r, const struct app_options *options)
{
	read_grants(r, options);
	settings_read_profiles(r, options);
	read_origins(r, options->allowed_origins);
	read_hosts(r, options);
	settings_read_list(r, "key_urls", options->key_urls, &r->rules->key_urls);
	read_webhook(r, options);
	settings_read_webhook_keys(r, options);
	read_rates(r, options);
	settings_read_auth(r, options);
}
