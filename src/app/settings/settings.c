/* SPDX-License-Identifier: Apache-2.0 */
#include "app/settings/settings.h"

#include <arpa/inet.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "app/settings/own_paths.h"
#include "app/settings/settings_internal.h"
#include "base/encode.h"
#include "base/host.h"
#include "crypto/secret.h"
#include "http/url.h"
#include "oss/callback/callback_params.h"
#include "oss/names.h"

#define SETTINGS_BYTES_MAX MIB(1)

void settings_refuse(struct reading *r, const char *fmt, ...)
{
	if (r->err)
		return;
	va_list ap;
	int start = 0;
	if (r->section)
		start = snprintf(r->why, r->why_size, "[profile %s] ", r->section);
	va_start(ap, fmt);
	if (start >= 0 && (size_t)start < r->why_size)
		vsnprintf(r->why + start, r->why_size - (size_t)start, fmt, ap);
	va_end(ap);
	r->err = ERR_INVALID_ARGUMENT;
}

struct slice settings_keep(struct reading *r, struct slice text)
{
	struct slice copy = arena_copy(r->arena, text);
	if (!copy.ptr) {
		if (!r->err)
			r->err = ERR_UNAVAILABLE;
		return S("");
	}
	return copy;
}

struct slice settings_keep_text(struct reading *r, const char *name, const char *text)
{
	struct slice s = slice_str(text);
	for (size_t i = 0; i < s.len; i++)
		if ((unsigned char)s.ptr[i] < 0x20 || s.ptr[i] == 0x7f)
			settings_refuse(r, "%s: must not contain control characters", name);
	if (!utf8_valid(s))
		settings_refuse(r, "%s: must be UTF-8", name);
	return settings_keep(r, s);
}

struct slice settings_need_text(struct reading *r, const char *name, const char *text)
{
	if (!text || !*text)
		settings_refuse(r, "%s: must be set", name);
	return settings_keep_text(r, name, text);
}

static void add_word(
	struct reading *r, const char *name, struct settings_list *list, struct slice word)
{
	if (list->count == SETTINGS_WORDS_MAX)
		settings_refuse(r, "%s: at most %d entries", name, SETTINGS_WORDS_MAX);
	else
		list->words[list->count++] = settings_keep(r, word);
}

void settings_read_list(
	struct reading *r, const char *name, const char *text, struct settings_list *ret)
{
	struct slice rest = slice_str(text), word;
	while (!r->err && slice_next_word(&rest, &word))
		add_word(r, name, ret, word);
}

struct slice settings_keep_url(struct reading *r, const char *name, const char *text)
{
	struct slice url = settings_keep_text(r, name, text);
	const char *fault = url.len > 0 ? url_request_fault(url) : NULL;
	if (fault)
		settings_refuse(r, "%s: %s", name, fault);
	return url;
}

/* What follows http:// or https://; the empty slice if neither is there. */
static struct slice after_scheme(struct slice url)
{
	struct url parts;
	if (!url_split(url, &parts))
		return S("");
	return slice_of(parts.authority.ptr, parts.authority.len + parts.rest.len);
}

static bool is_number_host(struct slice authority)
{
	unsigned char bytes[4];
	return slice_starts(authority, S("[")) ||
	       host_parse_address(AF_INET, host_of_authority(authority), bytes);
}

/* The bucket that a URL names: the path's only segment, or else the host's first label. */
static struct slice bucket_of(struct slice authority, struct slice path)
{
	if (path.len > 0)
		return path;
	size_t dot = slice_find(authority, '.');
	if (is_number_host(authority) || dot == authority.len)
		return S("");
	return slice_head(authority, dot);
}

/* Reads the URL of a bucket. The parts point into `url`, which loses its final slashes. */
static bool split_bucket_url(struct slice *url, struct slice *ret_authority, struct slice *ret_path)
{
	while (url->len > 0 && url->ptr[url->len - 1] == '/')
		url->len--;
	*ret_path = after_scheme(*url);
	(void)slice_cut(ret_path, '/', ret_authority);
	for (size_t i = 0; i < url->len; i++)
		if ((unsigned char)url->ptr[i] <= 0x20 || (unsigned char)url->ptr[i] >= 0x7f)
			return false;
	return ret_authority->len > 0 && slice_find(*ret_authority, '@') == ret_authority->len &&
	       slice_find(*ret_path, '/') == ret_path->len && slice_find(*url, '?') == url->len &&
	       slice_find(*url, '#') == url->len;
}

static void read_host(struct reading *r, const struct app_options *options)
{
	struct settings *s = r->settings;
	struct slice host = slice_str(options->host), path, authority;
	if (!split_bucket_url(&host, &authority, &path)) {
		settings_refuse(r,
			"host: must be the bucket's URL, such as http://127.0.0.1:9000/uploads "
			"or https://uploads.oss-cn-hangzhou.aliyuncs.com");
		return;
	}
	struct slice bucket = options->bucket && *options->bucket ? slice_str(options->bucket)
								  : bucket_of(authority, path);
	struct bucket_name name;
	if (bucket_name_parse(bucket, &name) != ERR_OK)
		settings_refuse(r,
			"host: names no bucket; add it as the path (or as the host's first label), "
			"or set bucket");
	s->host = settings_keep(r, host);
	s->bucket = settings_keep(r, bucket);
	s->origin = slice_head(s->host, (size_t)(authority.ptr + authority.len - host.ptr));
}

static struct slice own_store_url(struct reading *r, const struct app_options *options)
{
	SCOPED_STRBUF(url, KIB(4));
	strbuf_addf(&url, "%s/", options->own_store_url);
	strbuf_add_slice(&url, r->settings->bucket);
	return settings_keep(r, strbuf_slice(&url));
}

/* Has to name the same bucket as `host`, unless its name does not say which. */
static void read_store_url(struct reading *r, const struct app_options *options)
{
	struct settings *s = r->settings;
	struct slice url = slice_str(options->store_url), path, authority;
	s->own_store = options->own_store_url && *options->own_store_url;
	s->any_certificate = s->own_store && url.len == 0;
	s->store_url = s->any_certificate ? own_store_url(r, options) : s->host;
	s->confirm = options->confirm;
	if (url.len == 0)
		return;
	if (!split_bucket_url(&url, &authority, &path)) {
		settings_refuse(r, "store_url: must be the bucket's URL, such as "
				   "https://uploads.oss-cn-hangzhou-internal.aliyuncs.com");
		return;
	}
	if (path.len > 0 ? !slice_eq(path, s->bucket) : is_number_host(authority))
		settings_refuse(r, "store_url: must name the bucket `%.*s`, as host does",
			SLICE_FMT(s->bucket));
	s->store_url = settings_keep(r, url);
}

static void read_callback_url(struct reading *r, const char *text)
{
	struct settings *s = r->settings;
	struct slice rest = slice_str(text), url;
	SCOPED_STRBUF(reason, KIB(1));
	s->callback_url = settings_keep_text(r, "callback_url", text);
	while (!r->err && rest.len > 0) {
		struct callback_url parsed;
		(void)slice_cut(&rest, ';', &url);
		if (url.len == 0)
			continue;
		if (callback_url_parse(url, &s->arena_, &parsed, &reason) != ERR_OK) {
			settings_refuse(r,
				"callback_url: must be http or https URLs separated by `;`: %s",
				reason.ptr);
			return;
		}
		if (s->callback_paths.count == LIMIT_CALLBACK_URLS) {
			settings_refuse(r, "callback_url: at most %d URLs", LIMIT_CALLBACK_URLS);
			return;
		}
		add_word(r, "callback_url", &s->callback_targets, parsed.target);
		add_word(r, "callback_url", &s->callback_paths,
			slice_head(parsed.target, slice_find(parsed.target, '?')));
	}
}

static void check_range(
	struct reading *r, const char *name, int64_t number, int64_t min, int64_t max)
{
	if (number < min || number > max)
		settings_refuse(r, "%s: must be from %" PRId64 " to %" PRId64, name, min, max);
}

void settings_check_number(struct reading *r, const char *option, int64_t number)
{
#define NUMBER(section, name, when, fallback, min, max, help) \
	if (strcmp(option, #name) == 0)                       \
		check_range(r, #name, number, min, (int64_t)(max));
#include "app/settings/options.def"
}

static void check_numbers(struct reading *r, const struct app_options *options)
{
#define NUMBER(section, name, when, fallback, min, max, help) \
	check_range(r, #name, options->name, min, (int64_t)(max));
#define EITHER(section, name, when, fallback, other, help)           \
	if (options->name != (fallback) && options->name != (other)) \
		settings_refuse(r, "%s: must be %d or %d", #name, other, fallback);
#include "app/settings/options.def"
}

static void read_numbers(struct reading *r, const struct app_options *options)
{
	struct settings *s = r->settings;
	s->signature_version = (int)options->signature_version;
	s->bind_callback = options->bind_callback;
	s->grants_max = options->grants_max;
	s->grants_keep_days = options->grants_keep_days;
	if (s->own_store && !s->bind_callback && s->callback_url.len > 0)
		settings_refuse(r,
			"bind_callback: must be true with our own store, which sends a callback "
			"with a "
			"grant only if the policy says so");
}

static void read_multipart(struct reading *r, const struct app_options *options)
{
	struct settings *s = r->settings;
	struct slice path = settings_keep_text(r, "multipart_path", options->multipart_path);
	s->multipart_path = path;
	s->reconcile_seconds = options->reconcile_seconds;
	for (size_t i = 0; i < path.len; i++)
		if (path.ptr[i] <= ' ' || path.ptr[i] > '~' || strchr("?#%\\", path.ptr[i]))
			settings_refuse(r, "multipart_path: must be a path such as /s3");
	if (path.len > 0 && (path.len < 2 || path.ptr[0] != '/' || slice_ends(path, S("/"))))
		settings_refuse(r, "multipart_path: must be a path such as /s3");
	if (own_path_is_taken(path))
		settings_refuse(r,
			"multipart_path: the path %.*s is the application server's own; take "
			"another, such as /s3",
			SLICE_FMT(path));
}

/* What the server answers itself never reaches a callback's handler. */
static void check_callback_paths(struct reading *r)
{
	const struct settings *s = r->settings;
	for (size_t i = 0; i < s->callback_paths.count; i++) {
		struct slice path = s->callback_paths.words[i];
		if (!own_path_takes_callback(path) || settings_is_multipart(s, path))
			settings_refuse(r,
				"callback_url: the path %.*s is the application server's own; take "
				"another, such as /callback",
				SLICE_FMT(path));
	}
}

bool settings_is_multipart(const struct settings *settings, struct slice path)
{
	struct slice prefix = settings->multipart_path;
	return prefix.len > 0 && own_path_is_below(path, prefix);
}

static struct rules *rules_new(void)
{
	static atomic_uint_fast64_t made = 1;
	struct rules *rules = calloc(1, sizeof(*rules));
	if (!rules)
		return NULL;
	rules->jwt_rules.number = atomic_fetch_add(&made, 1);
	atomic_init(&rules->references_, 1);
	arena_init(&rules->arena_, NULL, 0, SETTINGS_BYTES_MAX);
	return rules;
}

enum err settings_init(
	struct settings *ret, const struct app_options *options, char *why, size_t why_size)
{
	struct reading r = {
		.settings = ret, .arena = &ret->arena_, .why = why, .why_size = why_size};
	memset(ret, 0, sizeof(*ret));
	arena_init(&ret->arena_, NULL, 0, SETTINGS_BYTES_MAX);
	if (why_size > 0)
		why[0] = '\0';
	r.rules = ret->rules = rules_new();
	if (!r.rules)
		return ERR_UNAVAILABLE;
	read_host(&r, options);
	read_store_url(&r, options);
	read_callback_url(&r, options->callback_url);
	check_numbers(&r, options);
	ret->region = settings_need_text(&r, "region", options->region);
	settings_read_credentials(&r, options);
	read_numbers(&r, options);
	settings_read_events(&r, options);
	read_multipart(&r, options);
	check_callback_paths(&r);
	settings_read_keys_url(&r, options);
	r.arena = &r.rules->arena_;
	settings_read_rules(&r, options);
	return r.err;
}

static void wipe(struct slice text)
{
	if (text.len > 0)
		secret_wipe((void *)(uintptr_t)text.ptr, text.len);
}

void settings_release(struct settings *settings)
{
	wipe(settings->credentials.pair.secret);
	wipe(settings->credentials.pair.token);
	wipe(settings->credentials.grant_secret);
	wipe(settings->events_password);
	wipe(settings->events_kafka);
	rules_release(settings->rules);
	arena_reset(&settings->arena_);
}
