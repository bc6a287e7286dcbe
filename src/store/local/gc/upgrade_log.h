/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Folders of format 2: the log does not have all that the index has, for the collector has removed
 * records that only the index knew of. All of it is written to the log once, and from there on the
 * log is whole. docs/on-disk.md says how.
 */
#ifndef STORE_LOCAL_GC_UPGRADE_LOG_H
#define STORE_LOCAL_GC_UPGRADE_LOG_H

#include "base/compiler.h"
#include "base/err.h"

struct local;

/*
 * Does that, if it is needed, or goes on with it. The committer must run, and nothing else may
 * change anything. A failure to begin ends the start: no record that older versions do not know may
 * come into a folder that they open. After a later one, which is logged, the store works as before,
 * and it is gone on with at the next start.
 */
enum err upgrade_log(struct local *local) MUST_USE;

/*
 * The same for a log that is whole as far as formats go, but damaged: the index knows what the
 * damaged records said. No record before those that are written now says anything then, though
 * bytes are read from them. An error also if it is not done; it is gone on with at the next start.
 */
enum err upgrade_log_anew(struct local *local) MUST_USE;

#endif
