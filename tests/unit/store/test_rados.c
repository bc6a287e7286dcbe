/* SPDX-License-Identifier: Apache-2.0 */
/* The back end on Ceph RADOS: the conformance suite, with usual sizes, and with small ones. */
#include "store/rados/rados.h"

#include "tap.h"
#include "unit/store/ceph.h"
#include "unit/store/conformance.h"

static struct ceph ceph;

static struct store *open_rados(void *ctx)
{
	const struct rados_options *options = ctx;
	return ceph_open(&ceph, *options);
}

static void report(bool ok, const char *name)
{
	OK(ok, "%s", name);
}

static void conformance(struct rados_options options)
{
	const struct conformance with = {
		.open = open_rados, .ctx = &options, .keeps = true, .ok = report};
	printf("# %s\n", options.space);
	conformance_run(&with);
}

int main(void)
{
	if (!ceph_start(&ceph))
		return tap_done();
	conformance((struct rados_options){.space = "usual"});
	conformance(ceph_small("small"));
	ceph_stop(&ceph);
	return tap_done();
}
