/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/machine.h"

#include <fcntl.h>
#include <stdio.h>

#include "base/compiler.h"
#include "base/limits.h"
#include "base/slice.h"
#include "base/strbuf.h"

enum {
	PATH_BYTES = 4096,
	FILE_BYTES = 16 << 10,
};

/* The beginning of a file, as much as fits; empty if it cannot be read. */
static struct slice read_file(const char *path, char *buffer, size_t size)
{
	size_t len = 0;
	SCOPED_FD int fd = open(path, O_RDONLY | O_CLOEXEC);
	while (fd >= 0 && len < size) {
		ssize_t got = read(fd, buffer + len, size - len);
		if (got <= 0)
			break;
		len += (size_t)got;
	}
	return slice_of(buffer, len);
}

/* "max", and what cgroup v1 writes for it, a number larger than any memory, are no limit. */
static void lower(uint64_t *memory, const char *path)
{
	char buffer[64];
	uint64_t limit;
	struct slice text = slice_trim(read_file(path, buffer, sizeof(buffer)));
	text = slice_head(text, slice_find(text, '\n'));
	if (slice_to_u64(text, &limit) && limit < *memory)
		*memory = limit;
}

/* The group at `path` below `mount`, and all around it. */
static void lower_by_groups(
	uint64_t *memory, const char *root, const char *mount, struct slice path, const char *file)
{
	for (;;) {
		char name[PATH_BYTES];
		(void)snprintf(
			name, sizeof(name), "%s%s%.*s/%s", root, mount, SLICE_FMT(path), file);
		lower(memory, name);
		if (path.len == 0)
			return;
		while (path.len && path.ptr[path.len - 1] != '/')
			path.len--;
		if (path.len)
			path.len--;
	}
}

static void lower_by_cgroup(uint64_t *memory, const char *root)
{
	char name[PATH_BYTES];
	char buffer[FILE_BYTES];
	(void)snprintf(name, sizeof(name), "%s/proc/self/cgroup", root);
	struct slice rest = read_file(name, buffer, sizeof(buffer));
	while (rest.len) {
		/* "0::/path" of version 2, "5:memory:/path" of version 1 */
		struct slice line;
		struct slice number;
		struct slice controllers;
		(void)slice_cut(&rest, '\n', &line);
		if (!slice_cut(&line, ':', &number) || !slice_cut(&line, ':', &controllers))
			continue;
		if (slice_eq(line, S("/")))
			line = S("");
		if (slice_eq(number, S("0")))
			lower_by_groups(memory, root, "/sys/fs/cgroup", line, "memory.max");
		else if (slice_eq(controllers, S("memory")))
			lower_by_groups(memory, root, "/sys/fs/cgroup/memory", line,
				"memory.limit_in_bytes");
	}
}

uint64_t machine_memory(const char *root)
{
	char name[PATH_BYTES];
	char buffer[FILE_BYTES];
	uint64_t memory = 0;
	(void)snprintf(name, sizeof(name), "%s/proc/meminfo", root);
	struct slice rest = read_file(name, buffer, sizeof(buffer));
	while (rest.len && memory == 0) {
		struct slice line;
		struct slice word;
		(void)slice_cut(&rest, '\n', &line);
		if (!slice_cut(&line, ':', &word) || !slice_eq(word, S("MemTotal")))
			continue;
		line = slice_trim(line);
		if (slice_cut(&line, ' ', &word) && slice_to_u64(word, &memory))
			memory *= 1024;
	}
	if (memory)
		lower_by_cgroup(&memory, root);
	return memory;
}
