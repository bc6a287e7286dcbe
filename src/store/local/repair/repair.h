/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Repairs a data folder that no process uses, as far as can be: what is whole stays, what is
 * damaged is moved to the folder `damaged` and nothing is deleted, and what was lost is listed.
 * Nothing older takes the place of what was lost: a delete marker does where versions are kept,
 * else the key is gone.
 *
 * It may be broken off at any time, and run again.
 */
#ifndef STORE_LOCAL_REPAIR_REPAIR_H
#define STORE_LOCAL_REPAIR_REPAIR_H

#include "store/local/fsck/fsck.h"

struct repair_options {
	const char *path; /* the data folder */
	/* Told now and then of bytes that were read; false to break off. May be NULL. */
	bool (*progress)(uint64_t done, uint64_t total, void *ctx);
	/* Told of each object, version and upload that was lost, and where it was damaged. */
	void (*lost)(const struct fsck_finding *finding, void *ctx);
	void *ctx;
};

struct repair_result {
	uint64_t lost;     /* objects, versions and uploads that were told */
	uint64_t unknown;  /* places of the log that say nothing, and what they said is not known */
	uint64_t segments; /* damaged ones that were moved aside */
	uint64_t kept;     /* damaged ones that were not, for bytes in them are needed */
	bool made_index;   /* the index was damaged or missing, and was made from the log */
};

/* ERR_OK if all was done. Logs why it was not, and what it does. */
enum err repair(const struct repair_options *options, struct repair_result *ret) MUST_USE;

#endif
