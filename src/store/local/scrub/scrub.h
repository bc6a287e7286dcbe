/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The scrub: one thread of low priority that reads all that is stored, at a bounded rate, and
 * compares it with its checksums: each record of the log, and each large file that an object or a
 * part has. Damage is told as that which a reader meets, and once. Nothing is removed or served.
 * A large file without sums of its blocks gets them when all of it is as it was stored.
 *
 * It goes through the log, segment by segment, up to where that ended when the pass began. Where
 * it is stands in the file `scrub` of the data folder, so that a restart goes on there.
 */
#ifndef STORE_LOCAL_SCRUB_SCRUB_H
#define STORE_LOCAL_SCRUB_SCRUB_H

#include "base/compiler.h"
#include "base/err.h"

struct local;
struct scrub;
struct store_scrub;

/* *ret is NULL if the options say that there is none. */
enum err scrub_new(struct local *local, struct scrub **ret) MUST_USE;
/* Ends the thread, soon; before the committer ends. NULL is allowed. */
void scrub_stop(struct scrub *scrub);
/* NULL is allowed. */
void scrub_free(struct scrub *scrub);
/* Any thread. All zeros of NULL. */
void scrub_stats(struct scrub *scrub, struct store_scrub *ret);

#endif
