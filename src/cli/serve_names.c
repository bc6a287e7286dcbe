/* SPDX-License-Identifier: Apache-2.0 */
/* Options that list host names, origins and addresses, turned into what the services ask for. */
#include "base/host.h"
#include "base/limits.h"
#include "base/log.h"
#include "cli/serve_internal.h"
#include "http/hosts.h"
#include "http/url.h"
#include "oss/rules/origin.h"

/* Callbacks may go where the configuration says and, in `serve`, to our own application server. */
bool serve_read_allow_list(struct parts *p)
{
	SCOPED_STRBUF(text, KIB(64));
	struct slice bad = {NULL, 0};
	strbuf_adds(&text, p->config.store_callback_allow);
	if (p->with_app && p->with_store)
		strbuf_addf(&text, " %s", strstr(p->app_url, "://") + strlen("://"));
	if (allow_list_parse(strbuf_slice(&text), &p->allow, &bad) == ERR_OK)
		return true;
	p->bad_option = true;
	log_error("[store] callback_allow: `%.*s` is neither ADDRESS[:PORT], CIDR nor NAME[:PORT]",
		SLICE_FMT(bad));
	return false;
}

/* The words of a list, in lower case; they point into `text`. */
static size_t split_words(struct strbuf *text, struct slice *words, size_t max)
{
	size_t count = 0;
	struct slice rest = strbuf_slice(text);
	struct slice word;
	for (size_t i = 0; i < text->len; i++)
		text->ptr[i] = text->ptr[i] == ',' || text->ptr[i] == '\t'
				       ? ' '
				       : ascii_lower(text->ptr[i]);
	while (rest.len && count < max) {
		(void)slice_cut(&rest, ' ', &word);
		if (word.len)
			words[count++] = word;
	}
	return count;
}

/* The console is where it listens, under the name of that address too, and where a proxy is. */
static bool add_console_origins(struct parts *p, struct ops_options *options)
{
	struct strbuf *text = &p->origins_text;
	static const struct slice loopback = SLICE_LIT("://127.0.0.1:");
	struct slice url = slice_str(p->console_url);
	struct slice scheme = slice_head(url, slice_find(url, ':'));
	struct slice rest = slice_from(url, scheme.len);
	strbuf_add_slice(text, url);
	if (slice_starts(rest, loopback))
		strbuf_addf(
			text, " %.*s://localhost:%s", SLICE_FMT(scheme), rest.ptr + loopback.len);
	strbuf_addf(text, " %s", p->config.console_origins);
	options->console_origin_count =
		split_words(text, options->console_origins, OPS_CONSOLE_ORIGINS_MAX);
	for (size_t i = 0; i < options->console_origin_count; i++) {
		struct slice origin = options->console_origins[i];
		const char *fault = origin_pattern_fault(origin);
		/* Whoever reads the console's answers is the console: there is no such rule as `*`.
		 */
		if (!fault && slice_find(origin, '*') < origin.len)
			fault = "it must be one origin, without *";
		if (!fault)
			continue;
		p->bad_option = true;
		log_error("[console] origins: `%.*s` is not an origin such as "
			  "https://console.example.com: %s",
			SLICE_FMT(origin), fault);
		return false;
	}
	return true;
}

static bool is_bound(const struct ops_options *options, struct slice host)
{
	for (size_t i = 0; i < options->host_count; i++)
		if (slice_eq(options->hosts[i].host, host))
			return true;
	return false;
}

/* The host names that stand for one bucket. */
static bool bind_hosts(struct parts *p, struct ops_options *options)
{
	struct slice words[OPS_HOSTS_MAX + 1];
	strbuf_adds(&p->hosts_text, p->config.store_hosts);
	size_t count = split_words(&p->hosts_text, words, ARRAY_LEN(words));
	for (size_t i = 0; i < count; i++) {
		struct bound_host host;
		const char *why = NULL;
		if (options->host_count == OPS_HOSTS_MAX)
			why = "is one more than there can be";
		else if (!bound_host_parse(words[i], &host))
			why = "is not HOST=BUCKET";
		else if (is_bound(options, host.host))
			why = "is a host that has a bucket already";
		if (why) {
			p->bad_option = true;
			log_error("[store] hosts: `%.*s` %s", SLICE_FMT(words[i]), why);
			return false;
		}
		options->hosts[options->host_count++] = host;
	}
	return true;
}

/* Where the public URL of the callback key leads, if its name leads to this store. */
static void find_key_url(struct parts *p, struct ops_options *options)
{
	struct url url;
	if (!url_split(slice_str(p->config.store_callback_key_url), &url))
		return;
	struct slice host = host_of_authority(url.authority);
	for (size_t i = 0; i < host.len; i++)
		strbuf_addc(&p->key_host, ascii_lower(host.ptr[i]));
	options->callback_key_host = strbuf_slice(&p->key_host);
	options->callback_key_path = url.rest;
}

bool serve_read_store_names(struct parts *p, struct ops_options *options)
{
	strbuf_adds(&p->domains_text, p->config.store_domains);
	options->domain_count = split_words(&p->domains_text, options->domains, OPS_DOMAINS_MAX);
	if (!bind_hosts(p, options) || !add_console_origins(p, options))
		return false;
	find_key_url(p, options);
	return true;
}

/* The names under which the console's port may be asked. */
bool serve_read_console_hosts(struct parts *p)
{
	const struct config *c = &p->config;
	struct hosts *hosts = &p->operations.hosts;
	struct slice rest = slice_str(c->console_origins), word;
	hosts_listen(hosts, slice_str(c->console_listen));
	while (slice_next_word(&rest, &word))
		hosts_add_url(hosts, word);
	rest = slice_str(c->console_hosts);
	while (slice_next_word(&rest, &word)) {
		if (hosts_add(hosts, word))
			continue;
		p->bad_option = true;
		log_error("[console] hosts: `%.*s` is not a name such as console.example.com, or "
			  "there are too many",
			SLICE_FMT(word));
		return false;
	}
	return true;
}
