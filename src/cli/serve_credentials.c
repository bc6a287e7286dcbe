/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The credentials of the application server, as configuration, files and environment have them: a
 * pair, or where others are got from; and what grants are made with.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/encode.h"
#include "base/limits.h"
#include "base/log.h"
#include "base/private_file.h"
#include "cli/input.h"
#include "cli/serve_internal.h"
#include "crypto/random.h"

#define GRANT_SECRET_FILE "grant_secret"
#define GRANT_SECRET_BYTES 32
#define GRANT_SECRET_LENGTH_MIN 32

/* Only the sandbox keeps from opening what the user may read. */
static bool is_kept_closed(const char *path)
{
	SCOPED_FD int fd = open(path, O_RDONLY | O_NONBLOCK | O_CLOEXEC);
	return fd < 0 && errno == EACCES && access(path, R_OK) == 0;
}

/* Says that the file of an option (`[app] name`) cannot be read; `why` may be empty. */
static void tell_of_unreadable(const char *option, const char *path, const char *why)
{
	if (is_kept_closed(path))
		log_error("%s: no file at the start was in the folder of %s, and the sandbox lets "
			  "no other be read: restart for that, or put it where such a file was",
			option, path);
	else
		log_error("%s: %s cannot be read%s%s", option, path, why[0] ? ": " : "", why);
}

bool serve_read_file(struct parts *p, const char *option, const char *path, struct strbuf *out)
{
	SCOPED_STRBUF(why, 256);
	bool ok = input_read_whole(path, out, &why);
	if (!ok)
		tell_of_unreadable(option, path, why.ptr);
	p->bad_option = p->bad_option || !ok;
	return ok;
}

bool serve_read_secret_file(
	struct parts *p, const char *option, const char *path, struct strbuf *out)
{
	SCOPED_STRBUF(name, 128);
	bool found = false;
	enum err e = path[0] == '/' ? private_file_read("", path + 1, out, &found)
				    : private_file_read(".", path, out, &found);
	strbuf_addf(&name, "[app] %s", option);
	if (!e && !found)
		log_error("%s: there is no %s", name.ptr, path);
	if (e)
		tell_of_unreadable(name.ptr, path, "");
	p->bad_option = p->bad_option || !found;
	input_trim(out);
	return found;
}

static const char *environment(const char *name)
{
	const char *value = getenv(name);
	return value ? value : "";
}

/* The option, or else what the operators of clusters put into the environment. */
static const char *or_environment(const char *option, const char *name)
{
	return option[0] ? option : environment(name);
}

const char *serve_oidc_token_file(const struct config *c)
{
	return or_environment(c->app_oidc_token_file, "ALIBABA_CLOUD_OIDC_TOKEN_FILE");
}

/* ---- The pair ---------------------------------------------------------------------------------
 */

/* Those of a pair that stays; others are read again and again, where they are used. */
static bool read_pair_files(struct parts *p, struct app_reading *r)
{
	const struct config *c = &p->config;
	if (c->app_credentials != APP_CREDENTIALS_FIXED &&
		c->app_credentials != APP_CREDENTIALS_STS)
		return true;
	if (c->app_access_key_secret_file[0]) {
		SCOPED_STRBUF(text, KIB(4));
		if (!serve_read_secret_file(
			    p, "access_key_secret_file", c->app_access_key_secret_file, &text))
			return false;
		bool ok = secret_set(&r->secret, strbuf_slice(&text));
		secret_wipe(text.ptr, text.len);
		if (!ok)
			return false;
	}
	return !c->app_security_token_file[0] || serve_read_secret_file(p, "security_token_file",
							 c->app_security_token_file, &r->token);
}

/* The secret of [app]: in a file, which was read, given, or, in `serve`, the store's own. */
static bool find_secret(struct parts *p, struct secret *ret)
{
	const struct config *c = &p->config;
	if (c->app_access_key_secret_file[0])
		return true;
	if (c->app_access_key_secret[0])
		return secret_set(ret, slice_str(c->app_access_key_secret));
	return secret_set(ret, secret_slice(&p->key_secret));
}

static bool read_pair(struct parts *p, struct app_reading *r)
{
	const struct config *c = &p->config;
	strbuf_add_slice(&r->id, p->keys && !c->app_access_key_id[0]
					 ? strbuf_slice(&p->key_id)
					 : slice_str(c->app_access_key_id));
	return find_secret(p, &r->secret);
}

static bool read_environment(struct parts *p, struct app_reading *r)
{
	const struct config *c = &p->config;
	if (c->app_access_key_id[0] || c->app_access_key_secret[0] ||
		c->app_access_key_secret_file[0] || c->app_security_token_file[0]) {
		log_error("[app] credentials: must be fixed for access_key_id and the options "
			  "behind it to mean anything");
		p->bad_option = true;
		return false;
	}
	strbuf_adds(&r->id, environment("OSS_ACCESS_KEY_ID"));
	strbuf_adds(&r->token, environment("OSS_SESSION_TOKEN"));
	return secret_set(&r->secret, slice_str(environment("OSS_ACCESS_KEY_SECRET")));
}

/* A pair beside it is for the settings to refuse. */
static bool read_given(struct parts *p, struct app_reading *r)
{
	const struct config *c = &p->config;
	strbuf_adds(&r->id, c->app_access_key_id);
	r->options.secret_file = c->app_access_key_secret_file;
	r->options.token_file = c->app_security_token_file;
	return secret_set(&r->secret, slice_str(c->app_access_key_secret));
}

/* ---- The role ---------------------------------------------------------------------------------
 */

static bool read_role_policy(struct parts *p, struct app_reading *r)
{
	const char *file = p->config.app_role_policy_file;
	return !file[0] || serve_read_file(p, "[app] role_policy_file", file, &r->policy);
}

static bool read_role(struct parts *p, struct app_reading *r)
{
	const struct config *c = &p->config;
	struct app_options *o = &r->options;
	o->role_policy = strbuf_slice(&r->policy);
	if (c->app_credentials == APP_CREDENTIALS_OIDC) {
		o->role_arn = or_environment(o->role_arn, "ALIBABA_CLOUD_ROLE_ARN");
		o->oidc_provider_arn =
			or_environment(o->oidc_provider_arn, "ALIBABA_CLOUD_OIDC_PROVIDER_ARN");
		o->oidc_token_file = serve_oidc_token_file(c);
	}
	if (c->app_credentials != APP_CREDENTIALS_STS || c->app_sts_url[0] || !p->keys ||
		!serve_store_is_own(p, strbuf_slice(&r->id), secret_slice(&r->secret)))
		return true;
	(void)snprintf(r->sts_url, sizeof(r->sts_url), "%s/sts/", p->console_url);
	o->sts_url = r->sts_url;
	o->own_sts = true;
	return true;
}

/* ---- What grants are made with ----------------------------------------------------------------
 */

/* In the data folder, made if it is missing and we are the server. */
static bool open_grant_secret(struct parts *p, struct strbuf *out)
{
	const char *folder = serve_data_folder(p);
	uint8_t bytes[GRANT_SECRET_BYTES];
	bool found = false;
	if (folder && private_file_read(folder, GRANT_SECRET_FILE, out, &found) != ERR_OK)
		return false;
	input_trim(out);
	if (found)
		return true;
	random_bytes(bytes, sizeof(bytes));
	hex_encode_lower(out, slice_of(bytes, sizeof(bytes)));
	secret_wipe(bytes, sizeof(bytes));
	if (p->only_looks) {
		log_error("there is no %s/" GRANT_SECRET_FILE ": give the --data of the server",
			folder ? folder : "");
		return true;
	}
	return !folder ||
	       private_file_write(folder, GRANT_SECRET_FILE, strbuf_slice(out)) == ERR_OK;
}

static bool read_grant_secret_file(struct parts *p, struct app_reading *r)
{
	const char *file = p->config.app_grant_secret_file;
	if (!file[0])
		return true;
	if (!serve_read_secret_file(p, "grant_secret_file", file, &r->grant_secret))
		return false;
	if (r->grant_secret.len >= GRANT_SECRET_LENGTH_MIN)
		return true;
	log_error("[app] grant_secret_file: must have %d characters or more",
		GRANT_SECRET_LENGTH_MIN);
	p->bad_option = true;
	return false;
}

static bool find_grant_secret(struct parts *p, struct app_reading *r)
{
	const struct config *c = &p->config;
	bool lasts = c->app_credentials == APP_CREDENTIALS_FIXED ||
		     c->app_credentials == APP_CREDENTIALS_STS ||
		     (c->app_credentials == APP_CREDENTIALS_ENVIRONMENT && r->token.len == 0);
	return lasts || c->app_grant_secret_file[0] || open_grant_secret(p, &r->grant_secret);
}

bool serve_read_credential_files(struct parts *p, struct app_reading *r)
{
	return read_pair_files(p, r) && read_role_policy(p, r) && read_grant_secret_file(p, r);
}

bool serve_read_credentials(struct parts *p, struct app_reading *r)
{
	bool ok = false;
	switch ((enum app_credentials)p->config.app_credentials) {
	case APP_CREDENTIALS_FIXED:
	case APP_CREDENTIALS_STS:
		ok = read_pair(p, r);
		break;
	case APP_CREDENTIALS_ENVIRONMENT:
		ok = read_environment(p, r);
		break;
	case APP_CREDENTIALS_FILE:
	case APP_CREDENTIALS_ECS:
	case APP_CREDENTIALS_OIDC:
		ok = read_given(p, r);
		break;
	}
	if (!ok || !read_role(p, r) || !find_grant_secret(p, r))
		return false;
	r->options.access_key_id = r->id.ptr;
	r->options.access_key_secret =
		secret_slice(&r->secret).ptr ? secret_slice(&r->secret).ptr : "";
	r->options.security_token = r->token.ptr;
	r->options.grant_secret = r->grant_secret.ptr;
	return true;
}
