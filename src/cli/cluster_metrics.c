/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/cluster_metrics.h"

#include <inttypes.h>

#include "cli/metric.h"

enum {
	US_PER_SECOND = 1000000
};

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
	metric_begin(out, "store_cluster_operation_seconds_total", "counter",
		"What they took, all together.");
	for (size_t i = 0; i < STORE_OPERATIONS; i++)
		strbuf_addf(out,
			"postern_store_cluster_operation_seconds_total{operation=\"%s\"} %" PRIu64
			".%06" PRIu64 "\n",
			cluster->operations[i], cluster->micros[i] / US_PER_SECOND,
			cluster->micros[i] % US_PER_SECOND);
}

void add_cluster_metrics(const struct store_cluster *cluster, struct strbuf *out)
{
	add_operations(cluster, out);
	metric(out, "store_cluster_lost_total", "counter",
		"Changes whose outcome had to be asked for.", cluster->lost);
	metric(out, "store_cluster_tablets", "gauge", "Tablets that this gateway knows of.",
		cluster->tablets);
	metric(out, "store_cluster_splits_total", "counter", "Tablets that this gateway has split.",
		cluster->splits);
	metric(out, "store_cluster_garbage_removed_total", "counter",
		"Data without a reference that this gateway has removed.", cluster->removed);
	metric(out, "store_cluster_gateways", "gauge", "Gateways that serve the store.",
		cluster->gateways);
	metric(out, "store_cluster_unheard_seconds", "gauge",
		"Since the others have last heard of this gateway.", cluster->heard_seconds);
}
