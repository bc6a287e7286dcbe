/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/operations.h"

#include "base/budget.h"
#include "base/limits.h"
#include "base/log.h"
#include "cli/app_metrics.h"
#include "cli/cluster_metrics.h"
#include "cli/metric.h"
#include "sandbox/refused.h"

static void add_store_metrics(const struct operations *operations, struct strbuf *out)
{
	struct ops_stats ops;
	struct store_stats store;
	ops_stats(operations->ops, &ops);
	store_stats(operations->store, &store);
	metric(out, "store_requests_total", "counter", "Requests to the object store.",
		ops.requests);
	metric(out, "store_errors_total", "counter", "Answers of 400 and above.", ops.errors);
	metric(out, "store_uploads_total", "counter", "Objects stored.", ops.uploads);
	metric(out, "store_callbacks_total", "counter", "Callbacks sent.", ops.callbacks);
	metric(out, "store_callbacks_failed_total", "counter", "Callbacks that failed.",
		ops.callbacks_failed);
	metric(out, "store_objects", "gauge", "Objects in the store.", store.objects);
	metric(out, "store_object_bytes", "gauge", "Bytes of objects.", store.bytes);
	metric(out, "store_disk_bytes", "gauge", "Bytes of the store's files.", store.disk_bytes);
	metric(out, "store_commits_total", "counter", "Changes made durable.", store.commits);
	metric(out, "store_syncs_total", "counter", "Group commits they took.", store.syncs);
	metric(out, "store_damaged_reads_total", "counter",
		"Reads that met bytes which are not what was stored.", store.damaged_reads);
	metric(out, "store_refusing", "gauge", "1 while changes are refused; /ready says why.",
		store.refusing || store.silent);
	metric(out, "store_start_damage", "gauge", "What the start found damaged on the disk.",
		store.start_damage);
	if (store.cluster.operations)
		add_cluster_metrics(&store.cluster, out);
}

/* Without a scrub there is nothing to say. */
static void add_scrub_metrics(const struct operations *operations, struct strbuf *out)
{
	struct store_stats store;
	store_stats(operations->store, &store);
	const struct store_scrub *scrub = &store.scrub;
	if (scrub->rate == 0)
		return;
	metric(out, "store_scrub_rate_bytes", "gauge",
		"Bytes a second that the scrub reads, at most.", scrub->rate);
	metric(out, "store_scrub_bytes_total", "counter", "Bytes that the scrub has read.",
		scrub->bytes);
	metric(out, "store_scrub_records_total", "counter",
		"Records of the log that the scrub found good.", scrub->records);
	metric(out, "store_scrub_files_total", "counter",
		"Files of large objects and parts that the scrub has read.", scrub->files);
	metric(out, "store_scrub_sums_added_total", "counter",
		"Files of older versions that got sums of their blocks.", scrub->sums_added);
	metric(out, "store_scrub_damaged", "gauge",
		"Places that the scrub knows to be damaged; the log names each.", scrub->damaged);
	metric(out, "store_scrub_pass_bytes", "gauge",
		"Bytes that were read in this pass; 0: none is under way.", scrub->pass_bytes);
	metric(out, "store_scrub_pass_total_bytes", "gauge", "Bytes that there were when it began.",
		scrub->pass_total);
	metric(out, "store_scrub_ended_seconds", "gauge",
		"When the last whole pass ended, seconds since 1970; 0: none has yet.",
		(uint64_t)scrub->ended_ms / 1000);
}

static void add_memory_metrics(struct strbuf *out)
{
	struct budget_stats stats;
	budget_stats(&stats);
	metric(out, "memory_limit_bytes", "gauge", "What clients can make the process hold.",
		stats.limit);
	metric(out, "memory_signed_bytes", "gauge", "Held for signed requests.",
		stats.used[BUDGET_SIGNED]);
	metric(out, "memory_strangers_bytes", "gauge", "Held for what nobody has signed.",
		stats.used[BUDGET_ANONYMOUS]);
	metric(out, "memory_store_bytes", "gauge", "Held for objects of a store in memory.",
		stats.used[BUDGET_STORE]);
	metric(out, "memory_app_bytes", "gauge", "Held for the application server's port.",
		stats.used[BUDGET_APP]);
	metric(out, "memory_operator_bytes", "gauge", "Held for this port.",
		stats.used[BUDGET_CONSOLE]);
	metric(out, "memory_refused_total", "counter", "How often there was no memory.",
		stats.refused);
}

static void add_outgoing_metrics(struct outgoing *outgoing, struct strbuf *out)
{
	struct outgoing_stats stats;
	outgoing_stats(outgoing, &stats);
	metric(out, "outgoing_callbacks", "gauge", "Callbacks under way.",
		stats.in_flight[OUTGOING_CALLBACK]);
	metric(out, "outgoing_keys", "gauge", "Keys of callbacks being fetched.",
		stats.in_flight[OUTGOING_KEY]);
	metric(out, "outgoing_confirmations", "gauge", "Questions to the store under way.",
		stats.in_flight[OUTGOING_CONFIRM]);
	metric(out, "outgoing_store", "gauge", "Requests to the store for uploads in parts.",
		stats.in_flight[OUTGOING_STORE]);
	metric(out, "outgoing_webhooks", "gauge", "Webhooks under way.",
		stats.in_flight[OUTGOING_WEBHOOK]);
	metric(out, "outgoing_refused_total", "counter",
		"Requests to other servers that there was no place for.", stats.refused);
}

static void add_latency(const struct server *server, struct strbuf *out)
{
	static const char *const services[] = {"store", "app", "operations"};
	metric_begin(out, "request_seconds", "histogram",
		"From the end of a request's head to the end of the answer.");
	for (size_t i = 0; i < ARRAY_LEN(services); i++) {
		struct histogram_sum sum;
		char label[64];
		(void)snprintf(label, sizeof(label), "service=\"%s\"", services[i]);
		if (server_latency(server, services[i], &sum))
			metric_histogram(out, "request_seconds", label, &sum);
	}
}

static void send_metrics(const struct operations *operations, struct exchange *x)
{
	struct server_stats stats;
	SCOPED_STRBUF(out, KIB(64));
	server_stats(operations->server, &stats);
	metric(&out, "connections", "gauge", "Open connections.", stats.connections);
	metric(&out, "connections_turned_away_total", "counter",
		"Connections that there was no room for.", stats.turned_away);
	metric(&out, "memory_made_room_total", "counter",
		"Requests that were dropped for others because memory was scarce.",
		stats.made_room);
	metric(&out, "requests_total", "counter", "HTTP requests on all ports.", stats.requests);
	add_latency(operations->server, &out);
	metric(&out, "received_body_bytes_total", "counter", "Bytes of request bodies.",
		stats.bytes_in);
	metric(&out, "sent_bytes_total", "counter", "Bytes of answers.", stats.bytes_out);
	metric(&out, "log_lines_dropped_total", "counter",
		"Lines of the log that nobody read in time.", log_dropped());
	metric(&out, "sandbox_refused_total", "counter",
		"System calls that the sandbox did not let the process make.", refused_count());
	add_memory_metrics(&out);
	add_outgoing_metrics(operations->outgoing, &out);
	if (operations->ops)
		add_store_metrics(operations, &out);
	if (operations->ops)
		add_scrub_metrics(operations, &out);
	if (operations->app)
		add_app_metrics(operations->app, &out);
	exchange_header(x, "Content-Type", S("text/plain; version=0.0.4"));
	exchange_send(x, 200, strbuf_slice(&out));
}

/* Appends a line for each reason why not everything works; false if there is none. */
static bool add_reasons(const struct operations *operations, struct strbuf *out)
{
	size_t before = out->len;
	struct store_stats store = {.refusing = NULL};
	struct app_stats app = {
		.confirms = true, .credentials = {.valid = true}, .ledger = {.reachable = true}};
	if (operations->store)
		store_stats(operations->store, &store);
	if (operations->app)
		app_stats(operations->app, &app);
	if (atomic_load(&operations->stopping))
		strbuf_adds(out, "not ready: stopping\n");
	if (store.refusing)
		strbuf_addf(out, "not ready: the store refuses changes: %s\n", store.refusing);
	if (store.silent)
		strbuf_addf(out, "not ready: the store cannot be reached: %s\n", store.silent);
	if (app.confirms && app.forbidden)
		strbuf_adds(out, "not ready: callbacks cannot be confirmed: the key may not read "
				 "(oss:GetObject)\n");
	if (!app.credentials.valid)
		strbuf_adds(
			out, "not ready: there are no valid credentials: nothing can be signed\n");
	if (!app.ledger.reachable)
		strbuf_adds(out, "not ready: the ledger's database cannot be reached\n");
	else if (app.ledger_fails && !app.ledger.shared)
		strbuf_adds(out, "not ready: the last upload could not be written to the ledger\n");
	return out->len > before;
}

/* 503 takes a copy out of a load balancer, so it is for what makes it useless. */
static void send_ready(const struct operations *operations, struct exchange *x)
{
	SCOPED_STRBUF(out, KIB(4));
	struct app_stats app = {.forbidden = false};
	bool ready = !add_reasons(operations, &out);
	if (ready)
		strbuf_adds(&out, "ready\n");
	if (operations->app)
		app_stats(operations->app, &app);
	if (app.forbidden && !app.confirms)
		strbuf_adds(
			&out, "uploads are not confirmed: the key may not read (oss:GetObject)\n");
	if (app.parts_forbidden)
		strbuf_addf(&out, "there are no uploads in parts: the key may not do %s\n",
			app.parts_forbidden);
	exchange_header(x, "Content-Type", S("text/plain"));
	exchange_send(x, ready ? 200 : 503, strbuf_slice(&out));
}

static void send_misdirected(struct exchange *x)
{
	exchange_note(x, "refused=\"a host name that is not in [console] hosts\"");
	exchange_header(x, "Cache-Control", S("no-store"));
	exchange_header(x, "Content-Type", S("text/plain"));
	exchange_send(x, 421,
		S("This server is not known under the host name of the request. If it is one of "
		  "its names, add it to hosts in [console].\n"));
}

static void begin(void *ctx, struct exchange *x)
{
	const struct operations *operations = ctx;
	const struct request_head *head = exchange_head(x);
	if (!hosts_admit(&operations->hosts, head->host)) {
		send_misdirected(x);
		return;
	}
	if (operations->sts && sts_begin(operations->sts, x))
		return;
	if (operations->console && console_begin(operations->console, x))
		return;
	exchange_header(x, "Cache-Control", S("no-store"));
	if (head->method != HTTP_GET && head->method != HTTP_HEAD) {
		exchange_header(x, "Allow", S("GET, HEAD"));
		exchange_send(x, 405, S(""));
	} else if (slice_eq(head->path, S("/health"))) {
		exchange_header(x, "Content-Type", S("text/plain"));
		exchange_send(x, 200, S("ok\n"));
	} else if (slice_eq(head->path, S("/ready"))) {
		send_ready(operations, x);
	} else if (slice_eq(head->path, S("/metrics"))) {
		send_metrics(operations, x);
	} else {
		exchange_header(x, "Content-Type", S("text/plain"));
		exchange_send(x, 404, S("There is /health, /ready and /metrics here.\n"));
	}
}

void operations_init(struct operations *operations)
{
	operations->service = (struct service){.name = "operations",
		.begin = begin,
		.ctx = operations,
		.secret_params = ops_secret_params,
		.pool = BUDGET_CONSOLE};
}
