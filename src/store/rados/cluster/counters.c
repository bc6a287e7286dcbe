/* SPDX-License-Identifier: Apache-2.0 */
/* How many operations there were, of which kind, with what result, and how long they took. */
#include <errno.h>
#include <time.h>

#include "store/rados/cluster/cluster_internal.h"

enum {
	US_PER_SECOND = 1000000,
	NS_PER_US = 1000,
};

int64_t counting_begin(void)
{
	struct timespec now;
	(void)clock_gettime(CLOCK_MONOTONIC, &now);
	return (int64_t)now.tv_sec * US_PER_SECOND + now.tv_nsec / NS_PER_US;
}

static enum cluster_result result_of(int result)
{
	if (result >= 0)
		return CLUSTER_DONE;
	switch (result) {
	case -ECANCELED:
		return CLUSTER_OVERTAKEN;
	case -ENOENT:
		return CLUSTER_MISSING;
	case -ETIMEDOUT:
		return CLUSTER_LOST;
	default:
		return CLUSTER_FAILED;
	}
}

void counting_end(struct pool *pool, enum cluster_operation operation, int64_t begin_us, int result)
{
	struct counters *counters = pool->counters;
	(void)atomic_fetch_add_explicit(
		&counters->counts[operation][result_of(result)], 1, memory_order_relaxed);
	histogram_add(&counters->latency[operation], (uint64_t)(counting_begin() - begin_us));
}

void cluster_counts(const struct cluster *cluster, struct cluster_counts *ret)
{
	const struct counters *counters = &cluster->counters;
	*ret = (struct cluster_counts){.latency = {{.micros = 0}}};
	for (unsigned i = 0; i < CLUSTER_OPERATIONS; i++) {
		histogram_sum(&counters->latency[i], &ret->latency[i]);
		for (unsigned j = 0; j < CLUSTER_RESULTS; j++)
			ret->counts[i][j] =
				atomic_load_explicit(&counters->counts[i][j], memory_order_relaxed);
	}
}
