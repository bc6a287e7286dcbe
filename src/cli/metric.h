/* SPDX-License-Identifier: Apache-2.0 */
/* Metrics in Prometheus' text format. Names are without their `postern_`. */
#ifndef CLI_METRIC_H
#define CLI_METRIC_H

#include "base/strbuf.h"

/* One that is a single number. `type` is `counter` or `gauge`. */
void metric(
	struct strbuf *out, const char *name, const char *type, const char *help, uint64_t value);
/* What is said of one that has several numbers; they follow. */
void metric_begin(struct strbuf *out, const char *name, const char *type, const char *help);

#endif
