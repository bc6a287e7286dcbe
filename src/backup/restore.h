/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Makes a data folder of a backup. All that is copied is compared with the sums of the manifest,
 * and the index is made from the log. Until all is there the file `format` says so, and no store
 * opens the folder.
 */
#ifndef BACKUP_RESTORE_H
#define BACKUP_RESTORE_H

#include <stdbool.h>
#include <stdint.h>

#include "base/compiler.h"
#include "base/err.h"

struct restore_options {
	const char *source; /* the folder of backups */
	const char *data; /* the data folder: missing, empty, or of a restore that was broken off */
	bool takes_damaged; /* goes on with what is left of a damaged backup */
	bool only_checks;   /* reads the backup, and makes nothing */
	/* As in backup.h. */
	void (*progress)(const char *what, uint64_t done, uint64_t total, void *ctx);
	void *ctx;
};

struct restore_result {
	uint64_t number; /* of the backup */
	uint64_t ms;     /* when it was begun, since 1970 UTC */
	uint64_t files;
	uint64_t bytes;
	uint64_t objects; /* current ones, that there are now */
	uint64_t damaged; /* files of the backup that are missing or not what was copied */
	/* Places of the log, and large files, that the backup does not have, or has as damaged. */
	uint64_t lost;
	bool has_files; /* all files are there; on failure the index is not, which a rebuild makes
			 */
};

/*
 * Logs why on failure: then, unless ret->has_files, the data folder is as it was, or empty; or if
 * not all could be removed from it, one that no store opens, and that the next restore empties.
 */
enum err backup_restore(const struct restore_options *options, struct restore_result *ret) MUST_USE;

#endif
