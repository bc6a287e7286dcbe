/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The folder that backups are made in. It has a file `postern-backup`, which tells it from others
 * and is locked while it is used, the manifest, and copies in `files`, `segments` and `large`. No
 * copy that the manifest names is ever changed: each has in its name the number of the backup that
 * made it, and is removed when no manifest names it any more.
 */
#ifndef BACKUP_FOLDER_H
#define BACKUP_FOLDER_H

#include "backup/manifest.h"

enum {
	BACKUP_PATH_MAX = 96
};

/* Where copies are, below the folder; into BACKUP_PATH_MAX bytes. */
void folder_file_path(enum backup_name name, uint64_t made, char *to);
void folder_segment_path(uint64_t id, uint64_t made, char *to);
void folder_large_path(uint64_t number, uint64_t made, char *to);

/*
 * Opens the folder, and locks it until both descriptors are closed: for writing, which makes it if
 * it is missing or empty, or for reading. Logs why on failure; what is something else is refused.
 */
enum err folder_open_backup(const char *path, bool writes, int *ret_dir, int *ret_lock) MUST_USE;

/* Whether that copy is there, with its length. */
bool folder_has(int dir, const char *path, const struct backup_copy *copy) MUST_USE;

/* Removes the copies that the manifest does not name. What cannot be removed is logged. */
void folder_clean(int dir, const struct manifest *manifest);

#endif
