/* SPDX-License-Identifier: Apache-2.0 */
/* A walk through one bucket, for pass.c and the files that know what to walk. */
#ifndef LIFECYCLE_PASS_INTERNAL_H
#define LIFECYCLE_PASS_INTERNAL_H

#include "base/limits.h"
#include "base/waiter.h"
#include "lifecycle/pass.h"
#include "oss/rules/lifecycle.h"

struct walk {
	const struct pass *pass;
	const struct store_bucket *bucket;
	const struct lifecycle *rules;
	struct waiter waiter;
	struct pass_counts *counts;
	unsigned changes; /* since the last pause */
	unsigned pages;   /* that were read since the last pause */
	enum err err;     /* the first fault */
};

/* Whether the rules say that it is over. */
bool walk_is_due(const struct walk *walk, const struct lifecycle_facts *facts);
/* Counts the outcome of a change. */
void walk_count(struct walk *walk, enum err e, uint64_t *counter);
/* Between two pages or batches: rests after what was done. False: stop here. */
bool walk_should_continue(struct walk *walk);

/* All objects and versions, and all uploads, whose keys begin with the prefix. False: stopped. */
bool walk_objects(struct walk *walk, struct slice prefix);
bool walk_uploads(struct walk *walk, struct slice prefix);

#endif
