/* SPDX-License-Identifier: Apache-2.0 */
/* `postern fsck` of a store on Ceph. */
#ifndef CLI_FSCK_CEPH_H
#define CLI_FSCK_CEPH_H

#include <stdbool.h>

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
	const char *config;
	const char *id;
	const char *space;
	const char *index_pool;
	const char *small_pool;
	const char *data_pool;
};

/* The exit status. */
int fsck_ceph(const struct fsck_ceph_flags *given);
/* Whether a signal has ended the command (fsck.c). */
bool fsck_is_ended(void);

#endif
