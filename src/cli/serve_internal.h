/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the files of `postern serve`, `store` and `app` share: the parts, and who starts and ends
 * them.
 */
#ifndef CLI_SERVE_INTERNAL_H
#define CLI_SERVE_INTERNAL_H

#include <signal.h>

#include "app/app.h"
#include "app/events/desk.h"
#include "base/strbuf.h"
#include "callback/history.h"
#include "callback/key.h"
#include "cli/config.h"
#include "cli/operations.h"
#include "crypto/secret.h"
#include "doctor/mirror.h"
#include "documents/documents.h"
#include "lifecycle/expirer.h"
#include "net/outgoing.h"
#include "net/server.h"
#include "ops/ops.h"
#include "sandbox/user.h"
#include "store/rados/rados.h"

enum {
	SERVE_URL_BYTES = 1024
};

enum serve_port {
	SERVE_PORT_APP,
	SERVE_PORT_STORE,
	SERVE_PORT_CONSOLE,
	SERVE_PORTS,
};

/* The options of the application server, with what they point to. */
struct app_reading {
	struct app_options options;
	struct secret secret;
	struct strbuf id;
	struct strbuf jwt_keys;
	struct strbuf jwt_secret;
	struct strbuf token;
	struct strbuf grant_secret;
	struct strbuf policy; /* of the role */
	struct strbuf ledger_password;
	struct strbuf events_password;
	struct strbuf events_kafka; /* properties of librdkafka */
	char sts_url[SERVE_URL_BYTES + 16];
	char host[SERVE_URL_BYTES + 80]; /* with a bucket's name */
	char callback[SERVE_URL_BYTES + 16];
};

struct parts {
	struct config config;
	bool with_app;
	bool with_store;
	bool made_keys;
	bool bad_option; /* why it did not start */
	bool own_store;  /* the application server signs for the store in this process */
	int argc;        /* the command line, to read it again */
	char **argv;
	bool only_looks;  /* nothing is made in the data folder */
	struct user user; /* whom it is, or becomes */

	struct server *server;
	struct tls *tls[SERVE_PORTS];      /* NULL: plain */
	struct tls *tls_made[SERVE_PORTS]; /* each once */
	size_t tls_count;
	struct store *store;
	struct documents *documents;   /* keys, and what else lies beside the objects */
	struct shared_marks *marks;    /* of what all gateways have answered; NULL: there is one */
	struct shared_log *shared_log; /* of callbacks, of all gateways; NULL: there is one */
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

	struct app_reading app_reading; /* until the application server has started */
	struct mirror mirror;           /* in front of the application server */
	/* What the listeners lead to; filled in once the ports are known. */
	struct service app_service;
	struct service store_service;
	/* The store again, on a loopback port for our own application server: it stops last. */
	struct service own_service;
	uint16_t own_port;
	char own_url[SERVE_URL_BYTES];
	struct operations operations;
	struct desk *desk; /* for the console; NULL: there are no events */
	struct console *console;
	uint16_t app_port;
	uint16_t store_port;
	uint16_t console_port;
	char app_url[SERVE_URL_BYTES];
	char store_url[SERVE_URL_BYTES];
	char console_url[SERVE_URL_BYTES];
	char key_url[SERVE_URL_BYTES + sizeof(OPS_CALLBACK_KEY_PATH)];
	struct strbuf domains_text;
	struct strbuf hosts_text;
	struct strbuf key_host;
	struct strbuf origins_text;
};

/* ---- serve.c ---- */

/* `postern app ADDRESS PORT`: what the command line has besides options. False: it was refused. */
bool serve_use_address(struct config *config, char **rest, int count) MUST_USE;
/* [console] listen of `postern app`, unless it is given: SERVE_APP_CONSOLE. False without memory.
 */
bool serve_use_own_port(struct config *config, bool with_store) MUST_USE;
#define SERVE_APP_CONSOLE "127.0.0.1:9002"

/* ---- serve_start.c ---- */

/* Starts all parts in the order in which they need each other; what fails has been logged. */
bool serve_start(struct parts *p) MUST_USE;
/* Says on standard output where they are. */
void serve_print_ready(const struct parts *p);
/* The URL under which a listener is reached; a wildcard address is reached on the loopback. */
void serve_make_url(char url[SERVE_URL_BYTES], bool tls, const char *listen, uint16_t port);
/* Whether the port of health, metrics and console is open: `postern app` can do without. */
bool serve_has_console(const struct parts *p);
/* The folder of everything; NULL: nothing is kept. */
const char *serve_data_folder(const struct parts *p);

/* ---- serve_store.c ---- */

/* The object store with its callbacks, STS, console and lifecycle rules; the ports are open. */
bool serve_start_store(struct parts *p) MUST_USE;
/* Whether the key that signs the policies is one of the store that runs here. */
bool serve_store_is_own(const struct parts *p, struct slice id, struct slice secret);

/* ---- serve_documents.c ---- */

/*
 * The documents of the store, which is open. Those of the data folder become those of a store on
 * Ceph that has none yet. *ret_is_first: there are no access keys. False: why was logged.
 */
bool serve_open_documents(struct parts *p, bool *ret_is_first) MUST_USE;

/* ---- serve_names.c: options that list names. What they fill points into `p`. ---- */

bool serve_read_store_names(struct parts *p, struct ops_options *options) MUST_USE;
/* The names under which the console's port may be asked. */
bool serve_read_console_hosts(struct parts *p) MUST_USE;
/* Where callbacks may go. */
bool serve_read_allow_list(struct parts *p) MUST_USE;

/* ---- serve_app.c ---- */

/* Before its port is open: says so if anybody may upload. */
void serve_warn_of_anybody(const struct parts *p);
bool serve_start_app(struct parts *p) MUST_USE;
/* Where the ledger is. What it says points into `p` and `path`; before the application server
 * starts. */
struct ledger_place serve_ledger_place(const struct parts *p, struct strbuf *path);

/*
 * In two steps, because the second needs what starts after files may have become unreadable. First
 * the files that the options name; false: why was logged. To be released in any case.
 */
bool serve_read_app_files(struct parts *p, struct app_reading *ret) MUST_USE;
/* Then the rest, from the configuration and, with a store, its keys; the URLs of `p` are known. */
bool serve_read_app(struct parts *p, struct app_reading *reading) MUST_USE;
/* One that is all zeros too. */
void app_reading_release(struct app_reading *reading);
/* Once all ports are open: asks the store, which may be ours, whether the key may read. */
bool serve_probe_store(struct parts *p) MUST_USE;

/* ---- serve_own_store.c ---- */

/* The bucket of uploads, if [app] host does not say where it is. */
const char *serve_own_bucket(const struct config *config);
/*
 * If the application server signs for the store in this process, takes over what is not said, and
 * refuses what the store would refuse. False: why was logged.
 */
bool serve_check_own_store(struct parts *p, struct app_reading *r) MUST_USE;

/* ---- serve_credentials.c ---- */

/* The files of the pair, the role and the grants, into `r`. False: why was logged. */
bool serve_read_credential_files(struct parts *p, struct app_reading *r) MUST_USE;
/* Where the token of the service account is; empty: nowhere. */
const char *serve_oidc_token_file(const struct config *c);
/* Then what the options of credentials are; the URLs of `p` are known. False: why was logged. */
bool serve_read_credentials(struct parts *p, struct app_reading *r) MUST_USE;
/* Reads the file that an option (`[app] name`) names. False, and bad_option: why was logged. */
bool serve_read_file(
	struct parts *p, const char *option, const char *path, struct strbuf *out) MUST_USE;
/* A file that holds a secret and may end in a line break. A name without `/` in front is below the
 * current folder. False: why was logged. */
bool serve_read_secret_file(
	struct parts *p, const char *option, const char *path, struct strbuf *out) MUST_USE;

/* ---- serve_user.c ---- */

/* Fills in p->user. */
bool serve_find_user(struct parts *p) MUST_USE;
/* Makes the data folder if need be; it is then of p->user. */
bool serve_prepare_folder(const struct parts *p) MUST_USE;

/* ---- serve_sandbox.c ---- */

/* While there is one thread: becomes p->user, and gives up what the rest does not need. */
bool serve_enter_sandbox(struct parts *p) MUST_USE;

/* ---- serve_tls.c ---- */

/* The files of a port: its section's, or else [server]'s; both empty: it is plain. */
void serve_tls_files(const struct config *config, enum serve_port port,
	const char **ret_certificate, const char **ret_key);
bool serve_has_tls(const struct config *config, enum serve_port port);
/* Reads those of the ports that are used. */
bool serve_start_tls(struct parts *p) MUST_USE;
/* Again, for connections accepted from now on; what cannot be used is logged and changes nothing.
 */
void serve_reload_tls(const struct parts *p);
void serve_free_tls(struct parts *p);

/* ---- serve_signals.c ---- */

/* Blocks the signals we wait for, in this thread and all that it starts. */
void serve_block_signals(sigset_t *set);
/*
 * Until one of them ends the process. In between SIGHUP has keys, certificates and the
 * configuration read again. False if the process has to be started again, which was logged.
 */
bool serve_wait_for_stop(struct parts *p, const sigset_t *set);

/* ---- serve_reload.c ---- */

/* Reads certificates, keys and the configuration again; what cannot be used is logged and changes
 * nothing. */
void serve_reload(struct parts *p);

/* ---- serve_stop.c ---- */

/* Ends all parts that there are. */
void serve_stop(struct parts *p);

/* `text`, or `other` if it is empty. */
static inline const char *serve_or_else(const char *text, const char *other)
{
	return text[0] ? text : other;
}

/* Of requests to other servers; NULL: the system's. */
static inline const char *serve_ca_file(const struct config *config)
{
	return config->server_ca_file[0] ? config->server_ca_file : NULL;
}

#endif
