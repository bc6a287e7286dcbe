/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The main of a fuzz target where there is no fuzzer: feeds it each file that is named, and every
 * file of each folder that is named. So a corpus is replayed with any compiler and sanitizer.
 */
#include <dirent.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>

#include "base/compiler.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len);

static size_t replayed;

static bool replay_file(const char *path, size_t len)
{
	FILE *file = fopen(path, "rb");
	SCOPED_FREE uint8_t *bytes = malloc(len > 0 ? len : 1);
	bool ok = file && bytes && fread(bytes, 1, len, file) == len;
	if (file)
		(void)fclose(file);
	if (ok) {
		(void)LLVMFuzzerTestOneInput(bytes, len);
		replayed++;
	}
	return ok;
}

static bool replay(const char *path);

static bool replay_folder(const char *path)
{
	DIR *folder = opendir(path);
	if (!folder)
		return false;
	bool ok = true;
	const struct dirent *entry;
	while (ok && (entry = readdir(folder)) != NULL) {
		SCOPED_FREE char *inner = NULL;
		if (entry->d_name[0] == '.')
			continue;
		ok = asprintf(&inner, "%s/%s", path, entry->d_name) >= 0 && replay(inner);
	}
	(void)closedir(folder);
	return ok;
}

static bool replay(const char *path)
{
	struct stat st;
	if (stat(path, &st) != 0)
		return false;
	return S_ISDIR(st.st_mode) ? replay_folder(path) : replay_file(path, (size_t)st.st_size);
}

int main(int argc, char **argv)
{
	for (int i = 1; i < argc; i++) {
		if (!replay(argv[i])) {
			fprintf(stderr, "cannot read %s\n", argv[i]);
			return 1;
		}
	}
	printf("%zu inputs replayed\n", replayed);
	return replayed > 0 ? 0 : 1;
}
