/* SPDX-License-Identifier: Apache-2.0 */
/* What is left of a disk, as its file system says. */
#include "store/local/state/space.h"

#include <errno.h>
#include <sys/statvfs.h>

#include "base/limits.h"
#include "tap.h"

/* What the file system says: this takes the place of the C library's. */
static struct statvfs says;
static int fails;

int fstatvfs(int fd, struct statvfs *ret)
{
	(void)fd;
	*ret = says;
	errno = fails;
	return fails ? -1 : 0;
}

static bool fits(uint64_t bytes)
{
	struct space space;
	space_init(&space, 0, MIB(1));
	bool ok = space_claim(&space, bytes);
	if (ok)
		space_release(&space, bytes);
	space_destroy(&space);
	return ok;
}

int main(void)
{
	says = (struct statvfs){.f_frsize = 4096, .f_blocks = 1000, .f_bavail = 300};
	OK(fits(300 * 4096 - MIB(1)), "up to the reserve");
	OK(!fits(300 * 4096 - MIB(1) + 1), "and not a byte more");
	says.f_bavail = 0;
	OK(!fits(1), "a full disk");
	says.f_blocks = 0;
	OK(fits(GIB(1)), "a file system that has no blocks does not tell");
	says.f_blocks = 1000;
	fails = ENOSYS;
	OK(fits(GIB(1)), "nor does one that fails to");
	return tap_done();
}
