/* SPDX-License-Identifier: Apache-2.0 */
/* Another user than root. */
#ifndef SANDBOX_USER_H
#define SANDBOX_USER_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#include "base/compiler.h"

enum {
	USER_GROUPS_MAX = 64,
	USER_NAME_BYTES = 64,
};

struct user {
	uid_t id;
	gid_t group;
	gid_t groups[USER_GROUPS_MAX];
	size_t group_count;
	char name[USER_NAME_BYTES]; /* or its number, if it has none */
};

/* By name or number; false if there is none. */
bool user_find(const char *name, struct user *ret) MUST_USE;
/* By number; one without a name has one group, `group`. */
void user_find_id(uid_t id, gid_t group, struct user *ret);
/* Who the process is. */
void user_find_self(struct user *ret);

/* For good: user, groups and capabilities. As root. False, with errno, if that could not be done.
 */
bool user_become(const struct user *user) MUST_USE;

/*
 * Gives up all capabilities, so that who stays root has the rights of the owner of root's files
 * only. False, with errno, if that could not be done.
 */
bool user_drop_capabilities(void) MUST_USE;

#endif
