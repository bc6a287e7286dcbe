/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/metric.h"

#include <inttypes.h>
#include <stdio.h>

enum {
	US_PER_SECOND = 1000000
};

void metric_begin(struct strbuf *out, const char *name, const char *type, const char *help)
{
	strbuf_addf(out, "# HELP postern_%s %s\n# TYPE postern_%s %s\n", name, help, name, type);
}

void metric(
	struct strbuf *out, const char *name, const char *type, const char *help, uint64_t value)
{
	metric_begin(out, name, type, help);
	strbuf_addf(out, "postern_%s ", name);
	strbuf_add_u64(out, value);
	strbuf_addc(out, '\n');
}

/* As seconds, without zeros behind. */
static void add_seconds(struct strbuf *out, uint64_t micros)
{
	char text[32];
	int len = snprintf(text, sizeof(text), "%" PRIu64 ".%06" PRIu64, micros / US_PER_SECOND,
		micros % US_PER_SECOND);
	while (text[len - 1] == '0')
		len--;
	if (text[len - 1] == '.')
		len--;
	strbuf_add(out, text, (size_t)len);
}

void metric_histogram(struct strbuf *out, const char *name, const char *label,
	const struct histogram_sum *histogram)
{
	uint64_t count = 0;
	for (unsigned i = 0; i < HISTOGRAM_BOUNDS; i++) {
		count += histogram->counts[i];
		strbuf_addf(out, "postern_%s_bucket{%s,le=\"", name, label);
		add_seconds(out, histogram_bounds[i]);
		strbuf_addf(out, "\"} %" PRIu64 "\n", count);
	}
	count += histogram->counts[HISTOGRAM_BOUNDS];
	strbuf_addf(out, "postern_%s_bucket{%s,le=\"+Inf\"} %" PRIu64 "\n", name, label, count);
	strbuf_addf(out, "postern_%s_sum{%s} ", name, label);
	add_seconds(out, histogram->micros);
	strbuf_addf(out, "\npostern_%s_count{%s} %" PRIu64 "\n", name, label, count);
}
