/* SPDX-License-Identifier: Apache-2.0 */
/* The data folder that a restore fills. */
#ifndef BACKUP_TARGET_H
#define BACKUP_TARGET_H

#include <stdbool.h>

#include "base/compiler.h"
#include "base/err.h"

/* What the file `format` is called until all else is there. */
#define TARGET_NEW_FORMAT "format.new"

/*
 * Opens the folder, which is made if it is missing, and marks it as not whole. It has to be empty,
 * or to have that mark: then it is emptied. Logs why on failure.
 */
enum err target_begin(const char *path, int *ret) MUST_USE;
/* All is there: puts the new format in the place of the mark, or removes that. */
enum err target_finish(int dir, bool has_format) MUST_USE;
/* Removes all that there is, then the mark. What cannot be removed is logged, and keeps the mark.
 */
void target_clear(int dir);

#endif
