/* SPDX-License-Identifier: Apache-2.0 */
/* What the process gives up once its ports are open and its files are read. */
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "app/ledger/ledger.h"
#include "app/text/properties.h"
#include "base/log.h"
#include "cli/serve_internal.h"
#include "net/tls.h"
#include "sandbox/sandbox.h"

/* clang-format off */
#if !defined(__has_feature)
#define __has_feature(name) 0
#endif
/* clang-format on */

enum {
	PATHS_MAX = 96,
	HAS_SANITIZER = __has_feature(address_sanitizer) || __has_feature(thread_sanitizer),
};

/* What every process may read: docs/operating.md says what for. */
static const char *const system_paths[] = {
	"/etc/hosts",
	"/etc/nsswitch.conf",
	"/etc/host.conf",
	"/etc/gai.conf",
	"/etc/services",
	"/etc/protocols",
	"/etc/ssl",
	"/usr/share/ca-certificates",
	"/usr/local/share/ca-certificates",
	"/etc/ld.so.cache",
	"/lib",
	"/lib64",
	"/usr/lib",
	"/usr/lib64",
	"/usr/local/lib",
	"/etc/magic",
	"/usr/share/misc",
	"/usr/share/file",
	"/etc/localtime",
	"/usr/share/zoneinfo",
	"/dev/null",
	"/dev/urandom",
	"/proc/sys/kernel/random",
	"/proc/sys/vm/overcommit_memory",
	"/sys/devices/system/cpu",
};

/* The list ends with NULL; its texts are copies. */
struct paths {
	struct sandbox_path list[PATHS_MAX + 1];
	size_t count;
	bool failed;
};

static void add(struct paths *paths, const char *path, bool writes)
{
	char *copy = paths->count < PATHS_MAX ? strdup(path) : NULL;
	if (!copy) {
		paths->failed = true;
		return;
	}
	paths->list[paths->count++] = (struct sandbox_path){.path = copy, .writes = writes};
}

static void release(struct paths *paths)
{
	for (size_t i = 0; i < paths->count; i++)
		free((void *)(uintptr_t)paths->list[i].path);
}

static void add_folder_of(struct paths *paths, const char *file)
{
	const char *slash = strrchr(file, '/');
	char folder[PATH_MAX];
	int len = slash ? (int)(slash - file) + (slash == file) : 1;
	(void)snprintf(folder, sizeof(folder), "%.*s", len, slash ? file : ".");
	add(paths, folder, false);
}

/* A file that somebody replaces while we run: the folders in which it and what it leads to lie. */
static void add_replaced(struct paths *paths, const char *file)
{
	char target[PATH_MAX];
	if (!file || !file[0])
		return;
	add_folder_of(paths, file);
	if (realpath(file, target))
		add_folder_of(paths, target);
}

/*
 * A link leads to a file that another program replaces, in a folder of its own. A plain file of
 * /etc is replaced too (DHCP), which takes all of /etc; for root the file alone, because root can
 * read all that is there. One that is mounted, as in a container, can only be rewritten.
 */
static void add_resolver(struct paths *paths, const struct user *user)
{
	static const char path[] = "/etc/resolv.conf";
	struct stat st, etc;
	char target[PATH_MAX];
	if (lstat(path, &st) != 0 || stat("/etc", &etc) != 0)
		return;
	add(paths, path, false);
	if (S_ISLNK(st.st_mode) && realpath(path, target))
		add_folder_of(paths, target);
	else if (st.st_dev == etc.st_dev && user->id != 0)
		add(paths, "/etc", false);
}

/* It is read again for each connection. Of the home folder nothing else can be read. */
static void add_ledger_file(void *ctx, const char *path, bool named)
{
	if (named)
		add_replaced(ctx, path);
	else if (access(path, F_OK) == 0)
		add(ctx, path, false);
}

/* What SIGHUP reads again, and the credentials that others keep fresh. */
static void add_app_files(struct paths *paths, const struct parts *p)
{
	const struct config *c = &p->config;
	const char *const files[] = {
		c->app_jwt_key_file,
		c->app_jwt_secret_file,
		c->app_access_key_id_file,
		c->app_access_key_secret_file,
		c->app_security_token_file,
		c->app_credentials_file,
		c->app_role_policy_file,
		c->app_grant_secret_file,
		c->app_ledger_password_file,
		c->app_events_password_file,
		c->app_events_kafka_file,
		serve_oidc_token_file(c),
	};
	for (size_t i = 0; i < ARRAY_LEN(files); i++)
		add_replaced(paths, files[i]);
	if (c->app_ledger_url[0])
		ledger_files(c->app_ledger_url, add_ledger_file, paths);
}

/* Files that properties of librdkafka name: certificates and keys. */
static void add_kafka_files(struct paths *paths, struct slice text)
{
	struct properties properties = {.rest = text};
	while (properties_next(&properties) == PROPERTY) {
		char file[PATH_MAX];
		if (!slice_ends(properties.name, S(".location")))
			continue;
		(void)snprintf(file, sizeof(file), "%.*s", SLICE_FMT(properties.value));
		add_replaced(paths, file);
	}
}

static void add_all(struct paths *paths, const struct parts *p)
{
	static const char *const variables[] = {"SSL_CERT_FILE", "SSL_CERT_DIR", "OPENSSL_CONF"};
	const char *certificate, *key;
	if (serve_data_folder(p))
		add(paths, serve_data_folder(p), true);
	for (size_t i = 0; i < ARRAY_LEN(system_paths); i++)
		add(paths, system_paths[i], false);
	add_resolver(paths, &p->user);
	add(paths, tls_default_folder(), false);
	for (size_t i = 0; i < ARRAY_LEN(variables); i++)
		if (getenv(variables[i]))
			add(paths, getenv(variables[i]), false);
	for (int port = 0; port < SERVE_PORTS; port++) {
		if (!p->tls[port])
			continue;
		serve_tls_files(&p->config, (enum serve_port)port, &certificate, &key);
		add_replaced(paths, certificate);
		add_replaced(paths, key);
	}
	add_replaced(paths, p->config.server_ca_file);
	add_replaced(paths, config_find_file(p->argc, p->argv));
	/* Its keyring is beside it. */
	if (p->config.store_backend == BACKEND_RADOS)
		add_replaced(paths, p->config.rados_config);
	if (p->with_app)
		add_app_files(paths, p);
	if (p->with_app)
		add_kafka_files(paths, strbuf_slice(&p->app_reading.events_kafka));
	if (HAS_SANITIZER)
		add(paths, "/proc", false);
}

static bool become_user(const struct parts *p)
{
	if (geteuid() != 0)
		return true;
	if (p->user.id == 0 && p->config.server_sandbox == SANDBOX_ON)
		log_info("this process stays root: set [server] user, or let the data folder be "
			 "another user's");
	if (p->user.id != 0 ? user_become(&p->user)
			    : p->config.server_sandbox == SANDBOX_OFF || user_drop_capabilities())
		return true;
	log_error("cannot become the user %s: %s", p->user.name, strerror(errno));
	return false;
}

static void say(const struct parts *p, const struct sandbox_state *state)
{
	char landlock[128];
	char calls[128];
	(void)snprintf(landlock, sizeof(landlock), "no landlock (%s)", state->no_landlock);
	(void)snprintf(calls, sizeof(calls), "no seccomp (%s)", state->no_calls);
	if (state->landlock)
		(void)snprintf(landlock, sizeof(landlock), "landlock ABI %d", state->landlock);
	if (state->calls)
		(void)snprintf(calls, sizeof(calls), "seccomp %zu calls", state->calls);
	log_info("sandbox: %s, %s, user %s", landlock, calls, p->user.name);
}

bool serve_enter_sandbox(struct parts *p)
{
	struct paths paths = {.count = 0};
	struct sandbox_state state;
	if (!become_user(p))
		return false;
	if (p->config.server_sandbox == SANDBOX_OFF) {
		log_info("sandbox: off, user %s", p->user.name);
		return true;
	}
	add_all(&paths, p);
	bool entered = !paths.failed && sandbox_enter(paths.list, &state);
	if (paths.failed)
		log_error("sandbox: there is no memory for its list of paths");
	release(&paths);
	if (entered)
		say(p, &state);
	return entered;
}
