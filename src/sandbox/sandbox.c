/* SPDX-License-Identifier: Apache-2.0 */
#include "sandbox/sandbox.h"

#include <errno.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>

#include "base/log.h"
#include "base/thread.h"
#include "sandbox/calls.h"

#if !defined(__has_feature)
#define __has_feature(name) 0
#endif

/*
 * Landlock holds for the calling thread and those that it starts, not for others. (The runtime of
 * ThreadSanitizer has a thread from the beginning.)
 */
static bool is_alone(void)
{
	struct stat st;
	/* The folder itself, its parent, and each thread. */
	return __has_feature(thread_sanitizer) || stat("/proc/self/task", &st) != 0 ||
	       st.st_nlink <= 3;
}

bool sandbox_enter(const struct sandbox_path *paths, struct sandbox_state *ret)
{
	*ret = (struct sandbox_state){0};
	if (!is_alone()) {
		log_error("sandbox: there are threads already, which would stay outside");
		return false;
	}
	/* Without it neither is given to who has no capabilities. */
	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0) {
		log_error("sandbox: no_new_privs: %s", strerror(errno));
		return false;
	}
	ret->landlock = landlock_version(&ret->no_landlock);
	if (ret->landlock && !landlock_restrict(ret->landlock, paths, &ret->no_landlock)) {
		log_error("sandbox: landlock: %s: %s", ret->no_landlock, strerror(errno));
		return false;
	}
	size_t calls = 0;
	if (!calls_restrict(&calls, &ret->no_calls))
		return true;
	ret->calls = calls;
	thread_set_begin(calls_restrict_thread);
	return true;
}
