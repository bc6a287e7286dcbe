/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Small files that hold secrets (keys), in the data folder, mode 0600. Blocking: for the start of
 * the program. Failures are logged here, where errno is known.
 */
#ifndef BASE_PRIVATE_FILE_H
#define BASE_PRIVATE_FILE_H

#include "base/err.h"
#include "base/strbuf.h"

/*
 * Appends the contents of `folder`/`name`. ERR_OK with *ret_found false if there is no such file;
 * ERR_INTERNAL if it cannot be read or exceeds the ceiling of `out`. The caller wipes `out`.
 */
enum err private_file_read(
	const char *folder, const char *name, struct strbuf *out, bool *ret_found) MUST_USE;

/*
 * Writes the file durably, and whole or not at all; its owner is that of the folder. ERR_DISK_FULL,
 * ERR_INTERNAL.
 */
enum err private_file_write(const char *folder, const char *name, struct slice bytes) MUST_USE;

#endif
