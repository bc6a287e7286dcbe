/* SPDX-License-Identifier: Apache-2.0 */
#include "sandbox/user.h"

#include <errno.h>
#include <grp.h>
#include <linux/capability.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

static void fill(const struct passwd *entry, struct user *ret)
{
	int count = USER_GROUPS_MAX;
	*ret = (struct user){.id = entry->pw_uid, .group = entry->pw_gid};
	(void)snprintf(ret->name, sizeof(ret->name), "%s", entry->pw_name);
	/* Who is in more groups has the first of them. */
	if (getgrouplist(entry->pw_name, entry->pw_gid, ret->groups, &count) < 0)
		count = USER_GROUPS_MAX;
	ret->group_count = (size_t)count;
}

void user_find_id(uid_t id, gid_t group, struct user *ret)
{
	const struct passwd *entry = getpwuid(id);
	if (entry) {
		fill(entry, ret);
		return;
	}
	*ret = (struct user){.id = id, .group = group, .groups = {group}, .group_count = 1};
	(void)snprintf(ret->name, sizeof(ret->name), "%u", id);
}

bool user_find(const char *name, struct user *ret)
{
	const struct passwd *entry = getpwnam(name);
	if (entry) {
		fill(entry, ret);
		return true;
	}
	char *end;
	errno = 0;
	unsigned long id = strtoul(name, &end, 10);
	/* The highest number means `no user`. */
	if (errno || end == name || *end || name[0] == '-' || id >= (uid_t)-1)
		return false;
	user_find_id((uid_t)id, (gid_t)id, ret);
	return true;
}

void user_find_self(struct user *ret)
{
	user_find_id(geteuid(), getegid(), ret);
}

bool user_drop_capabilities(void)
{
	struct __user_cap_header_struct header = {.version = _LINUX_CAPABILITY_VERSION_3};
	const struct __user_cap_data_struct none[_LINUX_CAPABILITY_U32S_3] = {{0}};
	(void)prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0);
	return syscall(SYS_capset, &header, none) == 0;
}

bool user_become(const struct user *user)
{
	if (setgroups(user->group_count, user->groups) != 0 ||
		setresgid(user->group, user->group, user->group) != 0 ||
		setresuid(user->id, user->id, user->id) != 0 || !user_drop_capabilities())
		return false;
	/* There must be no way back. */
	if (user->id != 0 && setresuid(0, 0, 0) == 0) {
		errno = EPERM;
		return false;
	}
	return true;
}
