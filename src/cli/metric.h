/* SPDX-License-Identifier: Apache-2.0 */
/* Metrics in Prometheus' text format. Names are without their `postern_`. */
#ifndef CLI_METRIC_H
#define CLI_METRIC_H

#include "base/histogram.h"
#include "base/strbuf.h"

/* One that is a single number. `type` is `counter` or `gauge`. */
void metric(
	struct strbuf *out, const char *name, const char *type, const char *help, uint64_t value);
/* What is said of one that has several numbers; they follow. */
void metric_begin(struct strbuf *out, const char *name, const char *type, const char *help);

/* One line of a histogram of seconds after another, for what `label` says: `operation="read"`. */
void metric_histogram(struct strbuf *out, const char *name, const char *label,
	const struct histogram_sum *histogram);

#endif
