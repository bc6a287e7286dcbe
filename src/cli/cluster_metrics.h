/* SPDX-License-Identifier: Apache-2.0 */
/* The metrics of a store that is on a cluster. */
#ifndef CLI_CLUSTER_METRICS_H
#define CLI_CLUSTER_METRICS_H

#include "base/strbuf.h"
#include "store/store.h"

void add_cluster_metrics(const struct store_cluster *cluster, struct strbuf *out);

#endif
