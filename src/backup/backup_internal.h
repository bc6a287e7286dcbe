/* SPDX-License-Identifier: Apache-2.0 */
/* Shared by backup.c, backup_log.c and backup_large.c. */
#ifndef BACKUP_BACKUP_INTERNAL_H
#define BACKUP_BACKUP_INTERNAL_H

#include "backup/backup.h"
#include "backup/copy.h"
#include "backup/folder.h"
#include "store/local/wal/scan.h"

struct backup {
	const struct backup_options *options;
	struct backup_result *result;
	int data; /* the data folder */
	int lock; /* its file `lock`: nothing is removed from it */
	int to;   /* the folder of backups */
	int to_lock;
	struct manifest before;
	struct manifest now;
	struct copy copy;
	struct scan scan;
	const char *what; /* for progress */
	uint64_t done;
	uint64_t total;
};

/* Begins another part of the work, with so many bytes; and more of it was done. */
void backup_begin_part(struct backup *b, const char *what, uint64_t total);
void backup_add_progress(struct backup *b, uint64_t bytes);
/* Counts a file of the backup. */
void backup_count(struct backup *b, const struct backup_copy *copy);

/* Copies the segments, and notes what large files they name. */
enum err backup_log(struct backup *b) MUST_USE;
/* Then copies those that are there. */
enum err backup_large_files(struct backup *b) MUST_USE;

#endif
