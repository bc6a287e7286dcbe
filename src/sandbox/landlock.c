/* SPDX-License-Identifier: Apache-2.0 */
#include "sandbox/landlock.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/landlock.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/log.h"

/*
 * Rights that are younger than the headers of Debian 12, by the version that brought them, and the
 * attributes of a set of rules with all members so far. A kernel takes fewer members and fewer
 * rights, as its version says.
 */
#define RIGHT_TRUNCATE (UINT64_C(1) << 14)            /* 3 */
#define RIGHT_IOCTL_DEV (UINT64_C(1) << 15)           /* 5 */
#define NET_BIND_TCP (UINT64_C(1) << 0)               /* 4 */
#define SCOPE_ABSTRACT_UNIX_SOCKET (UINT64_C(1) << 0) /* 6 */
#define SCOPE_SIGNAL (UINT64_C(1) << 1)               /* 6 */

enum {
	/* The first one refuses every rename between folders, which the store needs. */
	LANDLOCK_ABI_MIN = 2,
	ABI_TRUNCATE = 3,
	ABI_NET = 4,
	ABI_IOCTL_DEV = 5,
	ABI_SCOPES = 6,
};

struct attributes {
	uint64_t files;
	uint64_t net;
	uint64_t scopes;
};

static const uint64_t reads_file = LANDLOCK_ACCESS_FS_READ_FILE;
static const uint64_t reads = LANDLOCK_ACCESS_FS_READ_FILE | LANDLOCK_ACCESS_FS_READ_DIR;
static const uint64_t writes_file =
	LANDLOCK_ACCESS_FS_READ_FILE | LANDLOCK_ACCESS_FS_WRITE_FILE | RIGHT_TRUNCATE;
static const uint64_t writes = LANDLOCK_ACCESS_FS_READ_FILE | LANDLOCK_ACCESS_FS_READ_DIR |
			       LANDLOCK_ACCESS_FS_WRITE_FILE | RIGHT_TRUNCATE |
			       LANDLOCK_ACCESS_FS_REMOVE_DIR | LANDLOCK_ACCESS_FS_REMOVE_FILE |
			       LANDLOCK_ACCESS_FS_MAKE_DIR | LANDLOCK_ACCESS_FS_MAKE_REG |
			       LANDLOCK_ACCESS_FS_MAKE_SOCK | LANDLOCK_ACCESS_FS_REFER;

/* All that the version can refuse. What a rule does not give is. */
static struct attributes all_of(int abi)
{
	/* The rights of version 1 are the lowest 13 bits. */
	struct attributes ret = {.files = (UINT64_C(1) << 13) - 1};
	ret.files |= LANDLOCK_ACCESS_FS_REFER;
	if (abi >= ABI_TRUNCATE)
		ret.files |= RIGHT_TRUNCATE;
	if (abi >= ABI_IOCTL_DEV)
		ret.files |= RIGHT_IOCTL_DEV;
	if (abi >= ABI_NET)
		ret.net = NET_BIND_TCP;
	if (abi >= ABI_SCOPES)
		ret.scopes = SCOPE_ABSTRACT_UNIX_SOCKET | SCOPE_SIGNAL;
	return ret;
}

static size_t size_of(int abi)
{
	if (abi >= ABI_SCOPES)
		return sizeof(struct attributes);
	return abi >= ABI_NET ? offsetof(struct attributes, scopes)
			      : offsetof(struct attributes, net);
}

int landlock_version(const char **ret_why)
{
	long abi = syscall(
		SYS_landlock_create_ruleset, NULL, (size_t)0, LANDLOCK_CREATE_RULESET_VERSION);
	if (abi >= LANDLOCK_ABI_MIN)
		return (int)abi;
	*ret_why = "the kernel or the container does not have it";
	if (abi > 0)
		*ret_why = "that of a kernel before 5.19 does not let a file be moved";
	else if (errno == EOPNOTSUPP)
		*ret_why = "it was turned off when the kernel started";
	return 0;
}

static bool add_path(int rules, const struct attributes *all, const struct sandbox_path *path)
{
	struct stat st;
	SCOPED_FD int fd = open(path->path, O_PATH | O_CLOEXEC);
	if (fd < 0 && !path->writes)
		return true;
	if (fd < 0 || fstat(fd, &st) != 0)
		return false;
	struct landlock_path_beneath_attr rule = {
		.parent_fd = fd, .allowed_access = path->writes ? writes : reads};
	if (!S_ISDIR(st.st_mode))
		rule.allowed_access = path->writes ? writes_file : reads_file;
	rule.allowed_access &= all->files;
	return syscall(SYS_landlock_add_rule, rules, LANDLOCK_RULE_PATH_BENEATH, &rule, 0) == 0;
}

bool landlock_restrict(int abi, const struct sandbox_path *paths, const char **ret_why)
{
	const struct attributes all = all_of(abi);
	SCOPED_FD int rules = (int)syscall(SYS_landlock_create_ruleset, &all, size_of(abi), 0);
	*ret_why = "its rules could not be made";
	if (rules < 0)
		return false;
	for (; paths->path; paths++)
		if (!add_path(rules, &all, paths)) {
			log_error("sandbox: %s: %s", paths->path, strerror(errno));
			return false;
		}
	*ret_why = "its rules were not accepted";
	return syscall(SYS_landlock_restrict_self, rules, 0) == 0;
}
