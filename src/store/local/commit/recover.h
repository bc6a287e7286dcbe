/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Opens a store after a shutdown or a crash: loads the counts and buckets that the index holds,
 * replays the log from the index's position, cuts off what a crash left half written, and removes
 * files that no object has; if the log is damaged these are moved aside.
 *
 * What follows the last good record is handled in two ways. If it belongs to the group commit that
 * was being written, it was never reported as done and is cut off. If a later group commit follows,
 * a record that was reported as done is damaged: that is logged as an error, and the good records
 * after it are kept. What a damaged record says all the same (wal/walk.h) is done.
 */
#ifndef STORE_LOCAL_COMMIT_RECOVER_H
#define STORE_LOCAL_COMMIT_RECOVER_H

#include "base/compiler.h"
#include "base/err.h"

struct local;

/* Before any thread but the pools' runs. Fills in buckets, index batch and log. Logs why on
 * failure. */
enum err recover(struct local *local) MUST_USE;

#endif
