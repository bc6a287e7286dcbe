/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/first_start.h"

#include "base/limits.h"
#include "base/log.h"
#include "base/waiter.h"
#include "oss/names.h"
#include "oss/rules/cors.h"

static enum err create(struct store *store, struct waiter *waiter, struct slice name)
{
	struct store_bucket_create create = {.name = name, .acl = STORE_ACL_PRIVATE};
	create.wait.home = waiter_expect(waiter, &create.wait.task);
	store_bucket_create(store, &create);
	waiter_wait(waiter);
	return create.wait.err;
}

static enum err set_cors(
	struct store *store, struct waiter *waiter, struct slice name, struct slice document)
{
	struct store_bucket_update change = {
		.name = name,
		.set_setting = true,
		.setting = STORE_SETTING_CORS,
		.value = document,
	};
	change.wait.home = waiter_expect(waiter, &change.wait.task);
	store_bucket_update(store, &change);
	waiter_wait(waiter);
	return change.wait.err;
}

/* The rule, through the parser, so that what is stored is what PutBucketCors would store. */
static enum err format_rule(uint16_t port, const char *url, struct strbuf *out)
{
	SCOPED_STRBUF(text, KIB(2));
	SCOPED_STRBUF(reason, 512);
	struct cors *cors = NULL;
	const char *scheme = slice_starts(slice_str(url), S("https:")) ? "https" : "http";
	strbuf_addf(&text,
		"<CORSConfiguration><CORSRule><AllowedOrigin>%s://127.0.0.1:%u</AllowedOrigin>"
		"<AllowedOrigin>%s://localhost:%u</AllowedOrigin>",
		scheme, port, scheme, port);
	/* An address of its own, such as [::1]. */
	if (!slice_starts(slice_from(slice_str(url), strlen(scheme)), S("://127.0.0.1:")))
		strbuf_addf(&text, "<AllowedOrigin>%s</AllowedOrigin>", url);
	strbuf_adds(&text,
		"<AllowedMethod>POST</AllowedMethod><AllowedMethod>PUT</AllowedMethod>"
		"<AllowedMethod>GET</AllowedMethod><AllowedMethod>HEAD</AllowedMethod>"
		"<AllowedHeader>*</AllowedHeader><ExposeHeader>ETag</ExposeHeader>"
		"<ExposeHeader>x-oss-request-id</ExposeHeader><ExposeHeader>x-oss-hash-crc64ecma"
		"</ExposeHeader><MaxAgeSeconds>600</MaxAgeSeconds></CORSRule><ResponseVary>true"
		"</ResponseVary></CORSConfiguration>");
	enum err e = cors_parse(strbuf_slice(&text), &cors, &reason);
	if (e == ERR_OK)
		cors_format(cors, out);
	cors_free(cors);
	return e;
}

static bool has_cors(struct store *store, struct slice name)
{
	const struct store_bucket *bucket = store_bucket_get(store, name);
	bool has = bucket && bucket->settings[STORE_SETTING_CORS].len > 0;
	store_bucket_unref(store, bucket);
	return has;
}

enum err first_start_make_bucket(
	struct store *store, const char *bucket, uint16_t app_port, const char *app_url)
{
	struct slice name = slice_str(bucket);
	struct bucket_name parsed;
	if (bucket_name_parse(name, &parsed) != ERR_OK) {
		log_error("[app] bucket: `%s` is not a bucket's name", bucket);
		return ERR_INVALID_BUCKET_NAME;
	}
	struct waiter waiter;
	SCOPED_STRBUF(rule, KIB(16));
	waiter_init(&waiter);
	enum err e = format_rule(app_port, app_url, &rule);
	if (e == ERR_OK)
		e = create(store, &waiter, name);
	/* It is there if a first start was interrupted, perhaps before the rule was set. */
	if (e == ERR_BUCKET_ALREADY_EXISTS)
		e = ERR_OK;
	if (e == ERR_OK && !has_cors(store, name))
		e = set_cors(store, &waiter, name, strbuf_slice(&rule));
	if (e != ERR_OK)
		log_error("cannot make the bucket %s: %s", bucket, err_info(e)->message);
	waiter_release(&waiter);
	return e;
}

static bool admits(const struct cors *cors, const char *origin, struct slice method)
{
	const struct cors_request request = {.origin = slice_str(origin), .method = method};
	SCOPED_STRBUF(headers, KIB(16));
	return cors_preflight(cors, &request, &headers) == ERR_OK;
}

void first_start_check_bucket(struct store *store, const char *name, const char *origin)
{
	const struct store_bucket *bucket = store_bucket_get(store, slice_str(name));
	SCOPED_STRBUF(reason, 512);
	struct cors *cors = NULL;
	if (!bucket) {
		log_error("there is no bucket %s: make it, or the store refuses each upload", name);
		return;
	}
	struct slice rules = bucket->settings[STORE_SETTING_CORS];
	if ((rules.len && cors_parse(rules, &cors, &reason) != ERR_OK) ||
		!admits(cors, origin, S("POST")))
		log_error("no CORS rule of the bucket %s admits %s: add one, or the upload page "
			  "cannot read the store's answers",
			name, origin);
	else if (!admits(cors, origin, S("PUT")))
		log_error("no CORS rule of the bucket %s admits PUT from %s: add the method, and "
			  "expose ETag, or pages cannot upload large files in parts",
			name, origin);
	cors_free(cors);
	store_bucket_unref(store, bucket);
}
