/* SPDX-License-Identifier: Apache-2.0 */
/* `postern fsck` of a store on Ceph. */
#ifndef CLI_FSCK_CEPH_H
#define CLI_FSCK_CEPH_H

#include <stdbool.h>

#include "store/rados/rados.h"

/* Exit statuses of the command. */
enum {
	FSCK_CLEAN = 0,
	FSCK_FINDINGS = 1,
	FSCK_FAULT = 2, /* the command is at fault, too */
};

struct fsck_ceph_flags {
	const char *temp;
	bool json;
	bool repair;
	bool skips_bytes;
};

/* The exit status. */
int fsck_ceph(const struct rados_options *store, const struct fsck_ceph_flags *given);
/* Whether a signal has ended the command (fsck.c). */
bool fsck_is_ended(void);

#endif
