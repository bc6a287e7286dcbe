/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/cluster_metrics.h"

#include <inttypes.h>
#include <stdio.h>

#include "cli/metric.h"

static void add_operations(const struct store_cluster *cluster, struct strbuf *out)
{
	metric_begin(out, "store_cluster_operations_total", "counter",
		"Operations of the cluster that have ended, by kind and result.");
	for (size_t i = 0; i < STORE_OPERATIONS; i++)
		for (size_t j = 0; j < STORE_RESULTS; j++)
			strbuf_addf(out,
				"postern_store_cluster_operations_total{operation=\"%s\",result="
				"\"%s\"} %" PRIu64 "\n",
				cluster->operations[i], cluster->results[j], cluster->counts[i][j]);
	metric_begin(out, "store_cluster_operation_seconds", "histogram", "What they took.");
	for (size_t i = 0; i < STORE_OPERATIONS; i++) {
		char label[64];
		(void)snprintf(label, sizeof(label), "operation=\"%s\"", cluster->operations[i]);
		metric_histogram(
			out, "store_cluster_operation_seconds", label, &cluster->latency[i]);
	}
}

void add_cluster_metrics(const struct store_cluster *cluster, struct strbuf *out)
{
	add_operations(cluster, out);
	metric_begin(out, "store_cluster_waiting", "gauge",
		"What waits for what is under way: changes for that of their tablet, reads for "
		"others.");
	strbuf_addf(out, "postern_store_cluster_waiting{queue=\"changes\"} %" PRIu64 "\n",
		cluster->changes);
	strbuf_addf(out, "postern_store_cluster_waiting{queue=\"reads\"} %" PRIu64 "\n",
		cluster->reads);
	metric(out, "store_cluster_lost_total", "counter",
		"Changes whose outcome had to be asked for.", cluster->lost);
	metric(out, "store_cluster_tablets", "gauge", "Tablets that this gateway knows of.",
		cluster->tablets);
	metric(out, "store_cluster_splits_total", "counter", "Tablets that this gateway has split.",
		cluster->splits);
	metric(out, "store_cluster_merges_total", "counter",
		"Tablets that this gateway has made part of others.", cluster->merges);
	metric(out, "store_cluster_garbage_removed_total", "counter",
		"Data without a reference that this gateway has removed.", cluster->removed);
	metric(out, "store_cluster_gateways", "gauge", "Gateways that serve the store.",
		cluster->gateways);
	metric(out, "store_cluster_full", "gauge",
		"1: Ceph is full, and what needs room is answered 507.", cluster->is_full);
	metric(out, "store_cluster_unheard_seconds", "gauge",
		"Since the others have last heard of this gateway.", cluster->heard_seconds);
}
