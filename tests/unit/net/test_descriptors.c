/* SPDX-License-Identifier: Apache-2.0 */
#include "net/descriptors.h"

#include "base/limits.h"
#include "tap.h"

static void shares(void)
{
	static const uint64_t limits[] = {128, 256, 1024, 20000, 65536, 1 << 20};
	for (size_t i = 0; i < ARRAY_LEN(limits); i++) {
		struct descriptors d = descriptors_share(limits[i]);
		OK(d.outgoing >= limits[i] / 8 || d.outgoing == LIMIT_OUTGOING,
			"%" PRIu64 ": some for requests to others", limits[i]);
		OK(d.connections >= limits[i] / 2 || d.connections == LIMIT_CONNECTIONS,
			"most for connections");
		OK(limits[i] - d.connections - d.outgoing >= limits[i] / 8, "and for files");
	}
	struct descriptors many = descriptors_share(1 << 20);
	IS_INT(many.connections, LIMIT_CONNECTIONS, "all connections with many descriptors");
	IS_INT(many.outgoing, LIMIT_OUTGOING, "all requests to others");
}

static void ports(void)
{
	struct descriptors_ports all = descriptors_ports(1600, true, true, true);
	IS_INT(all.operators, 100, "a sixteenth for the operator");
	IS_INT(all.app, 200, "an eighth for the application server");
	IS_INT(all.store, 1300, "the rest for the store");
	all = descriptors_ports(LIMIT_CONNECTIONS, true, true, true);
	IS_INT(all.operators, LIMIT_CONSOLE_CONNECTIONS, "no operator needs more");
	all = descriptors_ports(1600, false, true, false);
	IS_INT(all.app, 1600, "an application server alone has all");
	IS_INT(all.operators + all.store, 0, "and the others none");
	all = descriptors_ports(1600, true, false, true);
	IS_INT(all.store, 1500, "a store without application server");
}

int main(void)
{
	shares();
	ports();
	return tap_done();
}
