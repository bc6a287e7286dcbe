/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/machine.h"

#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/limits.h"
#include "tap.h"

static char root[64] = "/tmp/postern-machine-XXXXXX";

/* Makes the file, and the folders that it lies in. */
static void put(const char *path, const char *text)
{
	char name[256];
	size_t len = (size_t)snprintf(name, sizeof(name), "%s%s", root, path);
	for (size_t i = strlen(root) + 1; i < len; i++) {
		if (name[i] != '/')
			continue;
		name[i] = '\0';
		(void)mkdir(name, 0700);
		name[i] = '/';
	}
	SCOPED_FD int fd = open(name, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	if (fd < 0 || write(fd, text, strlen(text)) != (ssize_t)strlen(text))
		abort();
}

static void unlimited(void)
{
	IS_INT(machine_memory(root), 0, "nothing to be read, nothing known");
	put("/proc/meminfo", "MemTotal:        4194304 kB\nMemFree:          100 kB\n");
	IS_INT(machine_memory(root), GIB(4), "the machine's own");
	put("/proc/self/cgroup", "0::/system.slice/postern.service\n");
	put("/sys/fs/cgroup/system.slice/postern.service/memory.max", "max\n");
	IS_INT(machine_memory(root), GIB(4), "a group without limit");
}

static void limited(void)
{
	put("/sys/fs/cgroup/system.slice/memory.max", "1073741824\n");
	IS_INT(machine_memory(root), GIB(1), "the limit of a group around it");
	put("/sys/fs/cgroup/system.slice/postern.service/memory.max", "536870912\n");
	IS_INT(machine_memory(root), MIB(512), "its own, which is smaller");
	put("/proc/self/cgroup", "0::/\n");
	IS_INT(machine_memory(root), GIB(4), "none at the top");
	put("/sys/fs/cgroup/memory.max", "268435456");
	IS_INT(machine_memory(root), MIB(256), "as a container sees its own");
}

static void version_one(void)
{
	put("/proc/self/cgroup", "7:cpu:/a\n5:memory:/docker/0123\n1:name=systemd:/b\n");
	put("/sys/fs/cgroup/memory/docker/0123/memory.limit_in_bytes", "9223372036854771712\n");
	IS_INT(machine_memory(root), GIB(4), "version 1 without limit");
	put("/sys/fs/cgroup/memory/docker/0123/memory.limit_in_bytes", "134217728\n");
	IS_INT(machine_memory(root), MIB(128), "and with one");
}

int main(void)
{
	char command[128];
	if (!mkdtemp(root))
		return 1;
	unlimited();
	limited();
	version_one();
	(void)snprintf(command, sizeof(command), "rm -rf %s", root);
	OK(system(command) == 0, "removed");
	return tap_done();
}
