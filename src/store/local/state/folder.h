/* SPDX-License-Identifier: Apache-2.0 */
/* The data folder: opens and locks it, and reads and writes its format. */
#ifndef STORE_LOCAL_STATE_FOLDER_H
#define STORE_LOCAL_STATE_FOLDER_H

#include <stdbool.h>
#include <stdint.h>

#include "base/compiler.h"
#include "base/err.h"

/*
 * The file `format`. Since version 3 the log has all that the index has. In a folder that once had
 * version 2 that is true from the sequence `since` on; `is_whole` is false until all of the index
 * has been written to the log.
 */
struct folder_format {
	unsigned version;
	uint64_t since;
	bool is_whole;
};

/* Each logs why on failure. */

/* Opens the folder; with `make` it is made if there is none. */
enum err folder_open(const char *path, bool make, int *ret_dir) MUST_USE;
enum err folder_lock(int dir, const char *path, int *ret_lock) MUST_USE;
/*
 * Reads the file `format`, and with `make` writes it if there is none. A newer version is a
 * failure. Of an older one nothing is changed here.
 */
enum err folder_check_format(
	int dir, const char *path, bool make, struct folder_format *ret) MUST_USE;
/*
 * While a folder is filled by a copy it has a file `copying`, which names the source. A folder that
 * is not empty takes no copy, unless one of the same source was begun there.
 */
enum err folder_begin_copy(int dir, const char *path, const char *source) MUST_USE;
/* Fails while there is such a file, or if nobody knows. */
enum err folder_check_copy(int dir, const char *path) MUST_USE;
enum err folder_end_copy(int dir, const char *path) MUST_USE;
/* The content of the file while a restore fills the folder: no store opens that. */
#define FOLDER_RESTORING "postern restore\n"
bool folder_is_restoring(int dir) MUST_USE;
/* Replaces the file `format`, durably; or with that of a new folder. */
enum err folder_write_format(int dir, const struct folder_format *format) MUST_USE;
enum err folder_write_new_format(int dir, struct folder_format *ret) MUST_USE;

#endif
