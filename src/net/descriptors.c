/* SPDX-License-Identifier: Apache-2.0 */
#include "net/descriptors.h"

#include <sys/resource.h>

#include "base/limits.h"

static uint64_t smaller(uint64_t a, uint64_t b)
{
	return a < b ? a : b;
}

struct descriptors descriptors_share(uint64_t limit)
{
	uint64_t eighth = limit / LIMIT_DESCRIPTORS_PART;
	uint64_t files = smaller(eighth, LIMIT_FILES_RESERVED);
	struct descriptors ret = {.outgoing = smaller(eighth, LIMIT_OUTGOING)};
	/* The index, segments and loops have some from the beginning. */
	uint64_t own = smaller(limit / LIMIT_DESCRIPTORS_PART, LIMIT_DESCRIPTORS_OWN);
	ret.connections = smaller(limit - files - own - ret.outgoing, LIMIT_CONNECTIONS);
	return ret;
}

struct descriptors_ports descriptors_ports(
	uint64_t connections, bool with_operators, bool with_app, bool with_store)
{
	struct descriptors_ports ret = {0};
	if (with_operators)
		ret.operators = smaller(
			connections / LIMIT_CONSOLE_CONNECTIONS_PART, LIMIT_CONSOLE_CONNECTIONS);
	if (with_app)
		ret.app = with_store ? connections / LIMIT_APP_CONNECTIONS_PART
				     : connections - ret.operators;
	if (with_store)
		ret.store = connections - ret.operators - ret.app;
	return ret;
}

uint64_t descriptors_raise_limit(void)
{
	struct rlimit limit;
	if (getrlimit(RLIMIT_NOFILE, &limit) != 0)
		return 1024;
	struct rlimit raised = {.rlim_cur = limit.rlim_max, .rlim_max = limit.rlim_max};
	if (limit.rlim_cur < limit.rlim_max && setrlimit(RLIMIT_NOFILE, &raised) == 0)
		return raised.rlim_cur;
	return limit.rlim_cur;
}
