/* SPDX-License-Identifier: Apache-2.0 */
/* Which call fails: a test tells by a small file that both have mapped. */
#include "recorder.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

static struct control *control;
static atomic_bool failing;
static _Thread_local bool ends_behind;

__attribute__((constructor)) static void begin(void)
{
	const char *name = getenv("TORTURE_CONTROL");
	int fd = name ? open(name, O_RDWR | O_CLOEXEC) : -1;
	if (fd < 0)
		return;
	void *map = mmap(NULL, sizeof(*control), PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	(void)close(fd);
	if (map != MAP_FAILED)
		control = map;
}

bool fault_armed(void)
{
	return control && control->acts != 0;
}

bool fault_before(enum act act, enum place place)
{
	if (!control || !(control->acts & (int64_t)act) || !(control->places & (int64_t)place))
		return false;
	atomic_fetch_add(&control->seen, 1);
	if (!control->behind)
		failing = false;
	bool now = control->left > 0 && atomic_fetch_sub(&control->left, 1) == 1;
	if (!now && !failing)
		return false;
	int64_t failure = control->failure;
	atomic_fetch_add(&control->failed, 1);
	if (failure == 0)
		(void)raise(SIGKILL);
	if (failure < 0) {
		ends_behind = true;
		return false;
	}
	failing = control->behind == 1;
	errno = (int)failure;
	return true;
}

void fault_after(void)
{
	if (ends_behind)
		(void)raise(SIGKILL);
}
