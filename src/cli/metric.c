/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/metric.h"

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
