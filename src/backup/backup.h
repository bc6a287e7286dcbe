/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Copies a data folder, also while a process uses it, into a folder of backups. The copy is the log
 * up to some record, with all files that it names, the keys, and the databases, each as of a moment
 * during the backup; the index is left out, for the log makes it (docs/decisions/0066). What the
 * backup before has is not copied again. Until the new manifest has taken the place of the old one,
 * with the last rename, the backup before is the one that counts.
 */
#ifndef BACKUP_BACKUP_H
#define BACKUP_BACKUP_H

#include <stdint.h>

#include "base/compiler.h"
#include "base/err.h"

struct backup_options {
	const char *data;        /* the data folder */
	const char *destination; /* made if it is not there */
	/* Told now and then how many bytes of `what` were seen to. May be NULL. */
	void (*progress)(const char *what, uint64_t done, uint64_t total, void *ctx);
	void *ctx;
};

struct backup_result {
	uint64_t number; /* of the backup: one more than that of the one before */
	uint64_t files;  /* of all kinds */
	uint64_t bytes;
	uint64_t copied_files; /* of these, that the one before does not have */
	uint64_t copied_bytes;
	uint64_t damaged; /* places in the data folder that are not what was stored */
	uint64_t gone;    /* large files that are not there, of which a copy is kept */
};

/* Logs why on failure: then the backup before is as it was. */
enum err backup_make(const struct backup_options *options, struct backup_result *ret) MUST_USE;

#endif
