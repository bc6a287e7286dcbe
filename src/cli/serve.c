/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Puts the parts together, in the order in which they need each other, says where they are, and
 * ends them when it is signalled to stop.
 */
#include "cli/serve.h"

#include <errno.h>
#include <inttypes.h>
#include <malloc.h>
#include <signal.h>
#include <stdio.h>
#include <sys/stat.h>
#include <time.h>

#include "app/app.h"
#include "app/ledger.h"
#include "base/budget.h"
#include "base/clock.h"
#include "base/limits.h"
#include "base/log.h"
#include "base/private_file.h"
#include "callback/history.h"
#include "callback/key.h"
#include "cli/config.h"
#include "cli/deadline.h"
#include "cli/first_start.h"
#include "cli/input.h"
#include "cli/machine.h"
#include "cli/operations.h"
#include "cli/wait.h"
#include "crypto/secret.h"
#include "http/hosts.h"
#include "lifecycle/expirer.h"
#include "net/descriptors.h"
#include "net/server.h"
#include "ops/ops.h"
#include "oss/rules/origin.h"
#include "store/local/local.h"
#include "store/memory/memory.h"

enum {
	URL_BYTES = 1024
};

struct parts {
	struct config config;
	bool with_app;
	bool with_store;
	bool made_keys;
	bool bad_option; /* why it did not start */

	struct server *server;
	struct tls *tls;
	struct store *store;
	struct keys *keys;
	struct strbuf key_id; /* the pair that `serve` signs with */
	struct secret key_secret;
	struct callback_key *callback_key;
	struct outgoing *outgoing;
	struct outgoing *confirming; /* what the application server asks the store */
	struct allow_list *allow;
	struct callback_history *callback_history;
	struct callback_sender *sender;
	struct expirer *expirer;
	struct ops *ops;
	struct sts *sts;
	struct ledger *ledger;
	struct app *app;

	/* What the listeners lead to; filled in once the ports are known. */
	struct service app_service;
	struct service store_service;
	/* The store again, on a loopback port for our own application server: it stops last. */
	struct service own_service;
	uint16_t own_port;
	char own_url[URL_BYTES];
	struct operations operations;
	struct console *console;
	uint16_t app_port;
	uint16_t store_port;
	uint16_t console_port;
	char app_url[URL_BYTES];
	char store_url[URL_BYTES];
	char console_url[URL_BYTES];
	char key_url[URL_BYTES + sizeof(OPS_CALLBACK_KEY_PATH)];
	struct strbuf domains_text;
	struct strbuf hosts_text;
	struct strbuf key_host;
	struct strbuf origins_text;
};

static const char *const usage_text[] = {
	"Usage: postern serve [OPTIONS]      object store, application server and page in one "
	"process\n"
	"       postern store [OPTIONS]      the object store alone\n"
	"       postern app [ADDRESS PORT] [OPTIONS]  the application server alone\n"
	"\n"
	"  --config FILE    INI file with the sections below\n"
	"  --data FOLDER    where everything is kept (./postern-data)\n"
	"  --ephemeral      keep nothing: all is in memory, and gone at the end (serve, store)\n"
	"  --SECTION-NAME VALUE, or POSTERN_SECTION_NAME in the environment, for each of:\n",
	"\nPOSTERN_ACCESS_KEY_ID and POSTERN_ACCESS_KEY_SECRET, if set on the first start, become "
	"the\n"
	"store's key pair. SIGTERM stops after what runs has finished; SIGHUP reads certificates "
	"and access keys again.\n",
};

/* ---- Addresses --------------------------------------------------------------------------------
 */

/* The URL under which a listener is reached; a wildcard address is reached on the loopback. */
static void make_url(char *url, const char *scheme, const char *listen, uint16_t port)
{
	const char *colon = strrchr(listen, ':');
	struct slice host = slice_of(listen, colon ? (size_t)(colon - listen) : 0);
	if (host.len == 0 || slice_eq(host, S("0.0.0.0")) || slice_eq(host, S("[::]")))
		host = S("127.0.0.1");
	(void)snprintf(url, URL_BYTES, "%s://%.*s:%u", scheme, SLICE_FMT(host), port);
}

static bool listen_all(struct parts *p)
{
	const struct config *c = &p->config;
	bool console = p->with_store || c->console_listen_given;
	if (p->with_store && !server_listen(p->server, c->store_listen, &p->store_service, p->tls,
				     &p->store_port))
		return false;
	if (p->with_app &&
		!server_listen(p->server, c->app_listen, &p->app_service, NULL, &p->app_port))
		return false;
	if (console && !server_listen(p->server, c->console_listen, &p->operations.service, NULL,
			       &p->console_port))
		return false;
	make_url(p->app_url, "http", c->app_listen, p->app_port);
	if (p->with_store && p->with_app &&
		!server_listen(p->server, "127.0.0.1:0", &p->own_service, NULL, &p->own_port))
		return false;
	make_url(p->own_url, "http", "127.0.0.1:0", p->own_port);
	make_url(p->store_url, p->tls ? "https" : "http", c->store_listen, p->store_port);
	make_url(p->console_url, "http", c->console_listen, p->console_port);
	return true;
}

/* ---- The object store -------------------------------------------------------------------------
 */

static const char *environment(const char *name)
{
	const char *value = getenv(name);
	return value && value[0] ? value : NULL;
}

/* The folder of everything; NULL: nothing is kept. */
static const char *data_folder(const struct parts *p)
{
	return p->config.server_ephemeral ? NULL : p->config.server_data;
}

static bool open_keys(struct parts *p)
{
	const char *id = environment("POSTERN_ACCESS_KEY_ID");
	const char *secret = environment("POSTERN_ACCESS_KEY_SECRET");
	if (!id != !secret) {
		log_error(
			"set both POSTERN_ACCESS_KEY_ID and POSTERN_ACCESS_KEY_SECRET, or neither");
		return false;
	}
	if (keys_open(data_folder(p), id, secret, &p->keys, &p->made_keys) != ERR_OK)
		return false;
	/* They are made at each start; whoever gave them knows them. */
	if (p->config.server_ephemeral && id)
		p->made_keys = false;
	if (keys_first(p->keys, &p->key_id, &p->key_secret) == ERR_OK)
		return true;
	log_error("no access key of %s is enabled; `postern keys enable` does it",
		p->config.server_data);
	return false;
}

/* The keys come last: as long as they are missing the first start is not complete. */
static bool is_first_start(const struct parts *p)
{
	SCOPED_STRBUF(path, KIB(4));
	strbuf_addf(&path, "%s/access_keys.json", p->config.server_data);
	return p->config.server_ephemeral || access(path.ptr, F_OK) != 0;
}

static enum err open_back_end(struct parts *p)
{
	const struct config *c = &p->config;
	const struct local_options options = {
		.path = c->server_data,
		.clock = &clock_system,
		.reserve_bytes = (uint64_t)c->store_reserve_bytes,
	};
	if (c->server_ephemeral)
		return memory_store_open(&clock_system, &p->store);
	return local_store_open(&options, &p->store);
}

static bool open_store(struct parts *p)
{
	if (open_back_end(p) != ERR_OK)
		return false;
	if (p->with_app && is_first_start(p) &&
		first_start_make_bucket(p->store, p->app_port, p->app_url) != ERR_OK)
		return false;
	return callback_key_open(data_folder(p), &p->callback_key) == ERR_OK && open_keys(p);
}

/* Callbacks may go where the configuration says and, in `serve`, to our own application server. */
static bool parse_allow(struct parts *p)
{
	SCOPED_STRBUF(text, KIB(64));
	struct slice bad = {NULL, 0};
	strbuf_adds(&text, p->config.store_callback_allow);
	if (p->with_app && p->with_store)
		strbuf_addf(&text, " %s", p->app_url + strlen("http://"));
	if (allow_list_parse(strbuf_slice(&text), &p->allow, &bad) == ERR_OK)
		return true;
	p->bad_option = true;
	log_error("[store] callback_allow: `%.*s` is neither ADDRESS[:PORT], CIDR nor NAME[:PORT]",
		SLICE_FMT(bad));
	return false;
}

/* Without its log the store works all the same; why there is none has been logged. */
static void open_callback_log(struct parts *p)
{
	SCOPED_STRBUF(path, KIB(4));
	strbuf_addf(&path, "%s/callbacks.db", p->config.server_data);
	if (callback_history_open(data_folder(p) ? path.ptr : NULL, &p->callback_history) != ERR_OK)
		log_error("callbacks are sent but not logged");
}

static bool start_callbacks(struct parts *p)
{
	open_callback_log(p);
	const struct callback_sender_options options = {
		.outgoing = p->outgoing,
		.key = p->callback_key,
		.allow = p->allow,
		.clock = &clock_system,
		.log = p->callback_history,
	};
	(void)snprintf(p->key_url, sizeof(p->key_url), "%s%s",
		p->config.store_callback_key_url[0] ? p->config.store_callback_key_url
						    : p->store_url,
		p->config.store_callback_key_url[0] ? "" : OPS_CALLBACK_KEY_PATH);
	return callback_sender_new(&options, &p->sender) == ERR_OK &&
	       callback_sender_set_key_url(p->sender, slice_str(p->key_url)) == ERR_OK;
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
	static const struct slice loopback = SLICE_LIT("http://127.0.0.1:");
	struct slice url = slice_str(p->console_url);
	strbuf_add_slice(text, url);
	if (slice_starts(url, loopback))
		strbuf_addf(text, " http://localhost:%s", url.ptr + loopback.len);
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

static const char *or_else(const char *text, const char *other)
{
	return text[0] ? text : other;
}

static bool start_console(struct parts *p)
{
	const struct config *c = &p->config;
	const struct console_options options = {
		.ops = p->ops,
		.store_url = slice_str(or_else(c->console_store_url, p->store_url)),
		.region = slice_str(or_else(c->store_region, c->app_region)),
	};
	enum err e = console_new(&options, &p->console);
	if (e == ERR_INVALID_ARGUMENT) {
		p->bad_option = true;
		log_error("[console] store_url: `%s` is not the URL of a store",
			c->console_store_url);
	}
	p->operations.console = p->console;
	return e == ERR_OK;
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
	struct slice rest = slice_str(p->config.store_callback_key_url), host;
	size_t scheme = slice_find_slice(rest, S("://"));
	if (scheme == rest.len)
		return;
	rest = slice_from(rest, scheme + 3);
	size_t end = slice_find(rest, '/');
	host = slice_head(rest, end);
	host = slice_head(host, slice_find(host, ':'));
	for (size_t i = 0; i < host.len; i++)
		strbuf_addc(&p->key_host, ascii_lower(host.ptr[i]));
	options->callback_key_host = strbuf_slice(&p->key_host);
	options->callback_key_path = slice_from(rest, end);
}

static bool start_store(struct parts *p)
{
	if (!start_callbacks(p))
		return false;
	struct ops_options options = {
		.store = p->store,
		.keys = p->keys,
		.clock = &clock_system,
		.callbacks = p->sender,
		.callback_history = p->callback_history,
		.callback_key_pem = callback_key_public_pem(p->callback_key),
		.region = slice_str(p->config.store_region),
	};
	strbuf_adds(&p->domains_text, p->config.store_domains);
	options.domain_count = split_words(&p->domains_text, options.domains, OPS_DOMAINS_MAX);
	if (!bind_hosts(p, &options) || !add_console_origins(p, &options))
		return false;
	find_key_url(p, &options);
	if (ops_new(&options, &p->ops) != ERR_OK)
		return false;
	p->store_service = *ops_service(p->ops);
	p->own_service = p->store_service;
	p->sts = sts_new(p->keys, &clock_system);
	if (!p->sts)
		return false;
	p->operations.ops = p->ops;
	p->operations.sts = p->sts;
	p->operations.store = p->store;
	return start_console(p);
}

static bool start_expirer(struct parts *p)
{
	const struct expirer_options options = {
		.store = p->store,
		.clock = &clock_system,
		.interval_ms = p->config.store_lifecycle_interval_seconds * 1000,
	};
	return expirer_new(&options, &p->expirer) == ERR_OK;
}

/* The names under which the console's port may be asked. */
static bool read_console_hosts(struct parts *p)
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

/* ---- The application server -------------------------------------------------------------------
 */

/* A file that holds a secret and may end in a line break. A name without `/` in front is below the
 * current folder. */
static bool read_secret_file(
	struct parts *p, const char *option, const char *path, struct strbuf *out)
{
	bool found = false;
	enum err e = path[0] == '/' ? private_file_read("", path + 1, out, &found)
				    : private_file_read(".", path, out, &found);
	if (!e && !found) {
		log_error("[app] %s: there is no %s", option, path);
		p->bad_option = true;
	}
	while (out->len && (out->ptr[out->len - 1] == '\n' || out->ptr[out->len - 1] == '\r'))
		strbuf_truncate(out, out->len - 1);
	return found;
}

/* The secret of [app]: given, in a file, or, in `serve`, the store's own. */
static bool find_app_secret(struct parts *p, struct secret *ret)
{
	const struct config *c = &p->config;
	if (c->app_access_key_secret_file[0]) {
		SCOPED_STRBUF(text, KIB(4));
		if (!read_secret_file(
			    p, "access_key_secret_file", c->app_access_key_secret_file, &text))
			return false;
		bool ok = secret_set(ret, strbuf_slice(&text));
		secret_wipe(text.ptr, text.len);
		return ok;
	}
	if (c->app_access_key_secret[0])
		return secret_set(ret, slice_str(c->app_access_key_secret));
	return secret_set(ret, secret_slice(&p->key_secret));
}

/* Whether the key that signs the policies is one of the store that runs here. */
static bool store_is_own(const struct parts *p, struct slice id, struct slice secret)
{
	struct arena arena;
	struct access_key key;
	if (!p->keys)
		return false;
	arena_init(&arena, NULL, 0, KIB(16));
	bool own = keys_find(p->keys, id, &arena, &key) == ERR_OK &&
		   slice_eq_secret(key.secret, secret);
	arena_reset(&arena);
	return own;
}

static bool read_confirm(struct parts *p, enum app_confirm *ret)
{
	static const char *const words[] = {
		[APP_CONFIRM_AUTO] = "auto", [APP_CONFIRM_ON] = "on", [APP_CONFIRM_OFF] = "off"};
	for (size_t i = 0; i < ARRAY_LEN(words); i++) {
		if (strcmp(p->config.app_confirm, words[i]) == 0) {
			*ret = (enum app_confirm)i;
			return true;
		}
	}
	p->bad_option = true;
	log_error("[app] confirm: `%s` is neither auto, on nor off", p->config.app_confirm);
	return false;
}

/* Before the port is open. */
static void warn_of_anybody(const struct parts *p)
{
	const struct config *c = &p->config;
	if (p->with_app && strcmp(c->app_auth, "none") == 0 &&
		!hosts_is_loopback(slice_str(c->app_listen)))
		log_error("[app] auth = none: anybody who reaches %s can upload into upload_dir, "
			  "%lld bytes a file; see docs/auth.md",
			c->app_listen, (long long)c->app_max_size);
}

static bool read_auth(struct parts *p, enum app_auth *ret)
{
	static const char *const words[] = {
		[APP_AUTH_NONE] = "none", [APP_AUTH_JWT] = "jwt", [APP_AUTH_FORWARD] = "forward"};
	for (size_t i = 0; i < ARRAY_LEN(words); i++) {
		if (strcmp(p->config.app_auth, words[i]) == 0) {
			*ret = (enum app_auth)i;
			return true;
		}
	}
	p->bad_option = true;
	log_error("[app] auth: `%s` is neither none, jwt nor forward", p->config.app_auth);
	return false;
}

static bool read_public_file(struct parts *p, const char *path, struct strbuf *out)
{
	bool ok = input_read("[app] jwt_key_file", path, out);
	p->bad_option = !ok;
	return ok;
}

static bool read_jwt(
	struct parts *p, struct strbuf *keys, struct strbuf *secret, struct app_options *options)
{
	const struct config *c = &p->config;
	options->jwt_keys_url = c->app_jwt_keys_url;
	options->jwt_issuer = c->app_jwt_issuer;
	options->jwt_audience = c->app_jwt_audience;
	options->jwt_cookie = c->app_jwt_cookie;
	options->auth_url = c->app_auth_url;
	options->jwt_leeway_seconds = c->app_jwt_leeway_seconds;
	if (!read_auth(p, &options->auth) ||
		(c->app_jwt_key_file[0] && !read_public_file(p, c->app_jwt_key_file, keys)) ||
		(c->app_jwt_secret_file[0] &&
			!read_secret_file(p, "jwt_secret_file", c->app_jwt_secret_file, secret)))
		return false;
	if (c->app_jwt_key_file[0])
		options->jwt_keys = strbuf_slice(keys);
	if (c->app_jwt_secret_file[0])
		options->jwt_secret = strbuf_slice(secret);
	return true;
}

/* Once all ports are open: the store may be ours. */
static bool probe_store(struct parts *p)
{
	struct waiter waiter;
	waiter_init(&waiter);
	struct app_probe probe = {.home = waiter_executor(&waiter)};
	bool asked = app_probe_store(p->app, &probe) == ERR_OK;
	if (asked)
		waiter_wait(&waiter);
	waiter_release(&waiter);
	if (!asked || !probe.forbidden || strcmp(p->config.app_confirm, "on") != 0)
		return asked;
	log_error("[app] confirm: the store answers 403 to a HEAD of an object: allow the key "
		  "oss:GetObject below upload_dir, or set confirm to auto or off");
	p->bad_option = true;
	return false;
}

static bool start_app(struct parts *p)
{
	const struct config *c = &p->config;
	SCOPED_SECRET struct secret secret = SECRET_INIT;
	char host[URL_BYTES + 16];
	char callback[URL_BYTES + 16];
	SCOPED_STRBUF(id, 256);
	SCOPED_STRBUF(path, KIB(4));
	strbuf_addf(&path, "%s/ledger.db", c->server_data);
	if (!find_app_secret(p, &secret))
		return false;
	strbuf_add_slice(&id, p->keys && !c->app_access_key_id[0]
				      ? strbuf_slice(&p->key_id)
				      : slice_str(c->app_access_key_id));
	(void)snprintf(host, sizeof(host), "%s/" FIRST_BUCKET, p->store_url);
	(void)snprintf(callback, sizeof(callback), "%s/", p->app_url);
	const struct outgoing_options confirming = {.max_in_flight = LIMIT_CONFIRMING_IN_FLIGHT};
	struct app_options options = app_options_default();
	options.access_key_id = id.ptr;
	options.access_key_secret = secret_slice(&secret).ptr ? secret_slice(&secret).ptr : "";
	options.host = or_else(c->app_host, p->with_store ? host : "");
	options.bucket = c->app_bucket;
	options.callback_url = or_else(c->app_callback_url, p->with_store ? callback : "");
	if (strcmp(c->app_callback_url, "none") == 0)
		options.callback_url = "";
	options.upload_dir = c->app_upload_dir;
	options.region = c->app_region;
	options.signature_version = (int)c->app_signature_version;
	options.expire_seconds = c->app_expire_seconds;
	options.max_size = c->app_max_size;
	options.min_size = c->app_min_size;
	options.allowed_types = c->app_allowed_types;
	options.profiles = c->profiles;
	options.profile_count = c->profile_count;
	options.allowed_origins = c->app_allowed_origins;
	options.listen = c->app_listen;
	options.hosts = c->app_hosts;
	options.bind_callback = c->app_bind_callback;
	options.grant_uploads = c->app_grant_uploads;
	options.store_url = c->app_store_url;
	if (store_is_own(p, strbuf_slice(&id), secret_slice(&secret)))
		options.own_store_url = p->own_url;
	if (!read_confirm(p, &options.confirm))
		return false;
	options.require_grant = c->app_require_grant;
	options.key_urls = c->app_key_urls;
	options.callback_answer = c->app_callback_answer;
	options.multipart_path = c->app_multipart_path;
	options.multipart_expire_seconds = c->app_multipart_expire_seconds;
	options.webhook_url = c->app_webhook_url;
	options.grants_max = c->app_grants_max;
	options.grants_keep_days = c->app_grants_keep_days;
	SCOPED_STRBUF(jwt_keys, LIMIT_JWT_KEYS_BYTES);
	SCOPED_STRBUF(jwt_secret, KIB(4));
	if (!read_jwt(p, &jwt_keys, &jwt_secret, &options))
		return false;
	const struct app_parts surroundings = {
		.outgoing = p->outgoing,
		.clock = &clock_system,
		.allow = p->allow,
	};
	struct app_parts with_ledger = surroundings;
	if (outgoing_new(&confirming, &p->confirming) != ERR_OK ||
		ledger_open(data_folder(p) ? path.ptr : NULL, &p->ledger) != ERR_OK)
		return false;
	with_ledger.confirming = p->confirming;
	with_ledger.ledger = p->ledger;
	char why[512] = "";
	enum err made = app_new(&options, &with_ledger, &p->app, why, sizeof(why));
	secret_wipe(jwt_secret.ptr, jwt_secret.len);
	if (made) {
		log_error(why[0] == '[' ? "%s" : "[app] %s", why);
		p->bad_option = true;
		return false;
	}
	p->app_service = *app_service(p->app);
	p->operations.app = p->app;
	if (p->with_store && !c->app_host[0])
		first_start_check_cors(p->store, p->app_url);
	return !p->with_store || app_trust_key(p->app, slice_str(p->key_url),
					 callback_key_public_pem(p->callback_key)) == ERR_OK;
}

/* ---- Start and stop ---------------------------------------------------------------------------
 */

static bool prepare_folder(const char *path)
{
	if (!path || mkdir(path, 0700) == 0 || errno == EEXIST)
		return true;
	log_error("cannot make the folder %s: %s", path, strerror(errno));
	return false;
}

static bool start_tls(struct parts *p)
{
	const struct config *c = &p->config;
	if (!c->store_tls_certificate[0] && !c->store_tls_key[0])
		return true;
	p->tls = tls_new(c->store_tls_certificate, c->store_tls_key);
	return p->tls != NULL;
}

static bool start(struct parts *p)
{
	struct descriptors descriptors = descriptors_share(descriptors_raise_limit());
	const struct outgoing_options outgoing = {.max_in_flight = descriptors.outgoing};
	p->operations.server = p->server =
		server_new((unsigned)p->config.server_loops, descriptors.connections);
	operations_init(&p->operations);
	warn_of_anybody(p);
	if (!p->server || !read_console_hosts(p) || !prepare_folder(data_folder(p)) ||
		!start_tls(p) || !listen_all(p) || !parse_allow(p) ||
		outgoing_new(&outgoing, &p->outgoing) != ERR_OK)
		return false;
	p->operations.outgoing = p->outgoing;
	if (p->with_store && (!open_store(p) || !start_store(p) || !start_expirer(p)))
		return false;
	if (p->with_app && !start_app(p))
		return false;
	return server_start(p->server) && (!p->with_app || probe_store(p));
}

static void print_ready(const struct parts *p)
{
	printf("postern " POSTERN_VERSION " is ready\n");
	if (p->with_app) {
		printf("  upload page         %s/upload/\n", p->app_url);
		printf("  application server  %s/\n", p->app_url);
	}
	if (p->with_store)
		printf("  object store        %s/\n", p->store_url);
	if (p->console_port)
		printf("  console             %s/\n", p->console_url);
	if (p->config.server_ephemeral)
		printf("  data                in memory alone: gone when this ends\n");
	if (p->made_keys) {
		printf("  access key id       %s\n", p->key_id.ptr);
		printf("  access key secret   %.*s\n", SLICE_FMT(secret_slice(&p->key_secret)));
	}
	(void)fflush(stdout);
}

/* Requests whose connection has gone may still be at work; they need the store and the loops. */
static void wait_until_idle(const struct parts *p, int64_t deadline_ms)
{
	const struct timespec pause = {.tv_nsec = 5000000};
	while (p->ops && !ops_idle(p->ops) && clock_monotonic_ms() < deadline_ms)
		(void)nanosleep(&pause, NULL);
}

/* Uploads that still run call back, in `serve` our own application server: it goes last. */
static void stop_serving(struct parts *p)
{
	atomic_store(&p->operations.stopping, true);
	if (p->with_store) {
		server_stop(p->server, &p->store_service);
		server_stop(p->server, &p->operations.service);
		server_drain(p->server, &p->store_service, LIMIT_STOP_MS);
		wait_until_idle(p, clock_monotonic_ms() + LIMIT_CALLBACK_MS);
	}
	server_stop(p->server, NULL);
	server_drain(p->server, NULL, LIMIT_STOP_MS);
}

static void stop(struct parts *p)
{
	deadline_begin(LIMIT_END_MS);
	deadline_step("the lifecycle rules");
	expirer_free(p->expirer);
	deadline_step("connections");
	if (p->server)
		stop_serving(p);
	deadline_step("requests to other servers");
	if (p->outgoing)
		outgoing_stop(p->outgoing, LIMIT_CALLBACK_MS);
	if (p->confirming)
		outgoing_stop(p->confirming, 0);
	deadline_step("requests whose connection has gone");
	wait_until_idle(p, INT64_MAX);
	deadline_step("the log of callbacks and the ledger");
	callback_sender_free(p->sender);
	callback_history_close(p->callback_history);
	ledger_close(p->ledger);
	deadline_step("the store");
	store_close(p->store);
	deadline_step("threads");
	server_free(p->server);
	app_free(p->app);
	console_free(p->console);
	ops_free(p->ops);
	sts_free(p->sts);
	outgoing_free(p->outgoing);
	outgoing_free(p->confirming);
	allow_list_free(p->allow);
	callback_key_free(p->callback_key);
	keys_free(p->keys);
	strbuf_release(&p->key_id);
	secret_release(&p->key_secret);
	tls_free(p->tls);
	strbuf_release(&p->domains_text);
	strbuf_release(&p->hosts_text);
	strbuf_release(&p->key_host);
	strbuf_release(&p->origins_text);
	deadline_end();
}

/* Blocks the signals we wait for, in this thread and all that it starts. */
static void block_signals(sigset_t *set)
{
	(void)sigemptyset(set);
	(void)sigaddset(set, SIGTERM);
	(void)sigaddset(set, SIGINT);
	(void)sigaddset(set, SIGHUP);
	(void)pthread_sigmask(SIG_BLOCK, set, NULL);
	(void)signal(SIGPIPE, SIG_IGN);
}

static void reload(const struct parts *p)
{
	if (p->tls && tls_reload(p->tls))
		log_info("the certificate was read again");
	if (p->keys)
		keys_refresh(p->keys, true);
}

/* After a peak, what the allocator has kept goes back to the system. */
static void return_memory(uint64_t *peak)
{
	struct budget_stats stats;
	uint64_t used = 0;
	budget_stats(&stats);
	for (size_t i = 0; i < BUDGET_POOLS; i++)
		used += stats.used[i];
	if (used > *peak)
		*peak = used;
	if (*peak < LIMIT_MEMORY_BYTES_MIN / 2 || used > *peak / 4)
		return;
	(void)malloc_trim(0);
	*peak = used;
}

/*
 * Checks regularly whether the access keys have changed, because `postern keys` does not know the
 * process.
 */
static void wait_for_stop(const struct parts *p, const sigset_t *set)
{
	static const struct timespec pause = {.tv_sec = 1};
	uint64_t peak = 0;
	for (;;) {
		return_memory(&peak);
		int number = sigtimedwait(set, NULL, &pause);
		if (number == SIGHUP)
			reload(p);
		else if (number > 0)
			return;
		else if (p->keys)
			keys_refresh(p->keys, false);
	}
}

static bool set_log_level(const char *word)
{
	static const char *const words[] = {"error", "info", "debug"};
	for (size_t i = 0; i < ARRAY_LEN(words); i++) {
		if (strcmp(word, words[i]) == 0) {
			log_set_level((enum log_level)i);
			return true;
		}
	}
	fprintf(stderr, "postern: log_level is error, info or debug\n");
	return false;
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
	return p->with_store && !p->config.server_data_given;
}

static int run(struct parts *p)
{
	sigset_t signals;
	if (!check_ephemeral(p) || !set_log_level(p->config.server_log_level) ||
		!set_memory(&p->config))
		return 2;
	(void)umask(077);
	block_signals(&signals);
	if (log_start() != ERR_OK)
		log_error("cannot start the thread of the log: logging waits for the reader of "
			  "standard error");
	config_log(&p->config);
	strbuf_init(&p->domains_text, KIB(64));
	strbuf_init(&p->hosts_text, KIB(64));
	strbuf_init(&p->key_host, KIB(4));
	strbuf_init(&p->origins_text, KIB(64));
	strbuf_init(&p->key_id, KIB(4));
	bool started = start(p);
	if (started) {
		print_ready(p);
		wait_for_stop(p, &signals);
		log_info("stopping");
	}
	stop(p);
	log_stop();
	if (started)
		return 0;
	return p->bad_option ? 2 : 1;
}

/* `postern app 0.0.0.0 8888`, as the classic sample is started. */
static bool use_address(struct config *config, char **rest, int count)
{
	SCOPED_STRBUF(listen, 512);
	size_t len;
	if (count == 0)
		return true;
	if (count == 1) {
		fprintf(stderr, "postern: give both ADDRESS and PORT\n");
		return false;
	}
	strbuf_addf(&listen, "%s:%s", rest[0], rest[1]);
	char *text = strbuf_detach(&listen, &len);
	if (!text)
		return false;
	free(config->app_listen);
	config->app_listen = text;
	return true;
}

static int serve(int argc, char **argv, bool with_app, bool with_store)
{
	struct parts p = {.with_app = with_app, .with_store = with_store};
	char *rest[2];
	int count = 0;
	int status = 2;
	switch (config_read(argc, argv, &p.config, rest, with_store ? 0 : 2, &count)) {
	case CONFIG_OK:
		if (use_address(&p.config, rest, count))
			status = run(&p);
		break;
	case CONFIG_HELP:
		printf("%s", usage_text[0]);
		config_print_help();
		printf("%s", usage_text[1]);
		status = 0;
		break;
	case CONFIG_BAD:
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
