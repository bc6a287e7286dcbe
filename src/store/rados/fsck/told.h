/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Which findings were told: what is begun anew, because it was split or merged meanwhile, meets
 * them again. In a file of SQLite of their own, for of the references those are dropped then.
 * Errors are sticky: told_err() says whether all has gone well.
 */
#ifndef STORE_RADOS_FSCK_TOLD_H
#define STORE_RADOS_FSCK_TOLD_H

#include <stdbool.h>

#include "base/compiler.h"
#include "base/err.h"
#include "base/slice.h"

struct told;

enum {
	TOLD_NEVER = -1
};

/* ERR_INTERNAL, logged, or ERR_UNAVAILABLE. */
enum err told_open(struct told **ret) MUST_USE;
/* NULL is allowed. */
void told_close(struct told *told);
enum err told_err(const struct told *told);
/* What became of that finding when it was told last, or TOLD_NEVER. */
int told_fate(struct told *told, struct slice finding);
/* It is told now, and that becomes of it. */
void told_note(struct told *told, struct slice finding, int fate);

#endif
