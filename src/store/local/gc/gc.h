/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The collector: one thread that removes files which are no object's any more, rewrites segments
 * of which little is live (by putting their live records at the end of the log, at a bounded
 * rate), and flushes the index now and then so that a replay is short. It sleeps on
 * local->collector, which whoever made garbage wakes.
 */
#ifndef STORE_LOCAL_GC_GC_H
#define STORE_LOCAL_GC_GC_H

#include "base/compiler.h"
#include "base/err.h"

struct local;
struct gc;

enum err gc_new(struct local *local, struct gc **ret) MUST_USE;
/* Ends the thread, at the next record; before the committer ends. NULL is allowed. */
void gc_stop(struct gc *gc);
/* After gc_stop(). NULL is allowed. */
void gc_free(struct gc *gc);

#endif
