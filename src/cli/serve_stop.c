/* SPDX-License-Identifier: Apache-2.0 */
#include <time.h>

#include "app/ledger/ledger.h"
#include "base/clock.h"
#include "base/limits.h"
#include "cli/deadline.h"
#include "cli/serve_internal.h"
#include "sandbox/refused.h"

/* Requests whose connection has gone may still be at work; they need the store and the loops. */
static void wait_until_idle(const struct parts *p, int64_t deadline_ms)
{
	const struct timespec pause = {.tv_nsec = 5000000};
	while (((p->ops && !ops_idle(p->ops)) || (p->sts && !sts_idle(p->sts))) &&
		clock_monotonic_ms() < deadline_ms)
		(void)nanosleep(&pause, NULL);
}

/* Uploads that still run call back, in `serve` our own application server: it goes last. */
static void stop_serving(struct parts *p)
{
	int64_t grace_ms = p->config.server_stop_seconds * 1000;
	atomic_store(&p->operations.stopping, true);
	if (p->with_store) {
		server_stop(p->server, &p->store_service);
		server_stop(p->server, &p->operations.service);
		server_drain(p->server, &p->store_service, grace_ms);
		wait_until_idle(p, clock_monotonic_ms() + LIMIT_CALLBACK_MS);
	}
	server_stop(p->server, NULL);
	server_drain(p->server, NULL, grace_ms);
}

void serve_stop(struct parts *p)
{
	deadline_begin(2 * p->config.server_stop_seconds * 1000 + LIMIT_END_MS);
	deadline_step("the lifecycle rules");
	expirer_free(p->expirer);
	app_end_credentials(p->app);
	deadline_step("the reconciler");
	app_stop_work(p->app);
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
	deadline_step("events");
	app_end_work(p->app);
	deadline_step("the log of callbacks and the ledger");
	callback_sender_free(p->sender);
	callback_history_close(p->callback_history);
	ledger_close(p->ledger);
	deadline_step("access keys");
	documents_close(p->documents);
	shared_marks_close(p->marks);
	if (p->shared_log)
		p->shared_log->close(p->shared_log);
	deadline_step("the store");
	store_close(p->store);
	deadline_step("threads");
	server_free(p->server);
	app_free(p->app);
	mirror_release(&p->mirror);
	console_free(p->console);
	desk_free(p->desk);
	ops_free(p->ops);
	sts_free(p->sts);
	outgoing_free(p->outgoing);
	outgoing_free(p->confirming);
	allow_list_free(p->allow);
	callback_key_free(p->callback_key);
	keys_free(p->keys);
	strbuf_release(&p->key_id);
	secret_release(&p->key_secret);
	app_reading_release(&p->app_reading);
	serve_free_tls(p);
	strbuf_release(&p->domains_text);
	strbuf_release(&p->hosts_text);
	strbuf_release(&p->key_host);
	strbuf_release(&p->origins_text);
	deadline_end();
	refused_log();
}
