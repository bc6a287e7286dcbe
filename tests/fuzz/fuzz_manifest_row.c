/* SPDX-License-Identifier: Apache-2.0 */
/* Lines of a backup's manifest: what is taken is written again, and read as the same. */
#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "backup/manifest.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct backup_row row;
	struct backup_row again;
	char line[BACKUP_ROW_MAX];
	char second[BACKUP_ROW_MAX];
	/* A block of its own, so that the sanitizer sees who reads behind it. */
	char *copy = malloc(size ? size : 1);
	if (!copy)
		abort();
	if (size)
		memcpy(copy, data, size);
	if (backup_row_parse(slice_of(copy, size), &row)) {
		size_t len = backup_row_write(&row, line);
		assert(len <= BACKUP_ROW_MAX && line[len - 1] == '\n');
		assert(backup_row_parse(slice_of(line, len - 1), &again));
		assert(backup_row_write(&again, second) == len && memcmp(line, second, len) == 0);
	}
	free(copy);
	return 0;
}
