/* SPDX-License-Identifier: Apache-2.0 */
/* Starts the object store, and with it callbacks, operations, console and lifecycle rules. */
#include <stdio.h>
#include <stdlib.h>

#include "base/clock.h"
#include "base/limits.h"
#include "base/log.h"
#include "cli/first_start.h"
#include "cli/rados_place.h"
#include "cli/serve_internal.h"
#include "store/local/local.h"
#include "store/memory/memory.h"

static const char *environment(const char *name)
{
	const char *value = getenv(name);
	return value && value[0] ? value : NULL;
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
	if (keys_open(p->documents, id, secret, &p->keys, &p->made_keys) != ERR_OK)
		return false;
	/* They are made at each start; whoever gave them knows them. */
	if (p->config.server_ephemeral && id)
		p->made_keys = false;
	if (keys_first(p->keys, &p->key_id, &p->key_secret) == ERR_OK)
		return true;
	log_error("no access key of %s is enabled; `postern keys enable` does it",
		documents_where(p->documents));
	return false;
}

static enum err open_back_end(struct parts *p)
{
	const struct config *c = &p->config;
	const struct local_options options = {
		.path = c->server_data,
		.clock = &clock_system,
		.reserve_bytes = (uint64_t)c->store_reserve_bytes,
		.scrub_bytes_per_second = (uint64_t)c->store_scrub_rate,
	};
	const struct rados_options rados = rados_options_of(c);
	if (c->server_ephemeral)
		return memory_store_open(&clock_system, &p->store);
	if (c->store_backend == BACKEND_RADOS) {
		log_info("the store on Ceph RADOS is new: "
			 "docs/on-rados.md says what is missing");
		return rados_store_open(&rados, &p->store);
	}
	return local_store_open(&options, &p->store);
}

static bool open_store(struct parts *p)
{
	bool is_first_start;
	if (open_back_end(p) != ERR_OK || !serve_open_documents(p, &is_first_start))
		return false;
	if (p->with_app && is_first_start &&
		first_start_make_bucket(
			p->store, serve_own_bucket(&p->config), p->app_port, p->app_url) != ERR_OK)
		return false;
	return callback_key_open(p->documents, &p->callback_key) == ERR_OK && open_keys(p);
}

/* Without its log the store works all the same; why there is none has been logged. */
static void open_callback_log(struct parts *p)
{
	SCOPED_STRBUF(path, KIB(4));
	strbuf_addf(&path, "%s/callbacks.db", p->config.server_data);
	enum err e = p->shared_log ? callback_history_share(p->shared_log, &p->callback_history)
				   : callback_history_open(serve_data_folder(p) ? path.ptr : NULL,
					     &p->callback_history);
	if (e != ERR_OK)
		log_error("callbacks are sent but not kept");
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
		.own_authority = p->tls[SERVE_PORT_APP]
					 ? slice_from(slice_str(p->app_url), strlen("https://"))
					 : S(""),
	};
	(void)snprintf(p->key_url, sizeof(p->key_url), "%s%s",
		p->config.store_callback_key_url[0] ? p->config.store_callback_key_url
						    : p->store_url,
		p->config.store_callback_key_url[0] ? "" : OPS_CALLBACK_KEY_PATH);
	return callback_sender_new(&options, &p->sender) == ERR_OK &&
	       callback_sender_set_key_url(p->sender, slice_str(p->key_url)) == ERR_OK;
}

static bool start_operations(struct parts *p)
{
	struct ops_options options = {
		.store = p->store,
		.keys = p->keys,
		.clock = &clock_system,
		.callbacks = p->sender,
		.callback_history = p->callback_history,
		.callback_key_pem = callback_key_public_pem(p->callback_key),
		.region = slice_str(p->config.store_region),
		.v4_only = p->config.store_signature_versions == SIGNATURES_V4,
	};
	if (!serve_read_store_names(p, &options) || ops_new(&options, &p->ops) != ERR_OK)
		return false;
	p->store_service = *ops_service(p->ops);
	p->own_service = p->store_service;
	p->sts = sts_new(p->keys, &clock_system, p->marks);
	if (!p->sts)
		return false;
	p->operations.ops = p->ops;
	p->operations.sts = p->sts;
	p->operations.store = p->store;
	return true;
}

/* A ledger in memory cannot be looked into. */
static bool start_desk(struct parts *p)
{
	const struct config *c = &p->config;
	SCOPED_STRBUF(path, KIB(4));
	const struct ledger_place place = serve_ledger_place(p, &path);
	if (!p->with_app || (!place.url && !place.path) ||
		(!c->app_events && !c->app_events_url[0]))
		return true;
	return desk_new(&place, &p->desk) == ERR_OK;
}

static bool start_console(struct parts *p)
{
	const struct config *c = &p->config;
	if (!start_desk(p))
		return false;
	const struct console_options options = {
		.ops = p->ops,
		.store_url = slice_str(serve_or_else(c->console_store_url, p->store_url)),
		.region = slice_str(serve_or_else(c->store_region, c->app_region)),
		.desk = p->desk,
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

static bool start_expirer(struct parts *p)
{
	const struct expirer_options options = {
		.store = p->store,
		.clock = &clock_system,
		.interval_ms = p->config.store_lifecycle_interval_seconds * 1000,
	};
	return expirer_new(&options, &p->expirer) == ERR_OK;
}

bool serve_start_store(struct parts *p)
{
	return open_store(p) && start_callbacks(p) && start_operations(p) && start_console(p) &&
	       start_expirer(p);
}

bool serve_store_is_own(const struct parts *p, struct slice id, struct slice secret)
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
