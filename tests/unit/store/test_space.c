/* SPDX-License-Identifier: Apache-2.0 */
/* What is left of a disk, as its file system says. */
#include "store/local/state/space.h"

#include <errno.h>
#include <sys/statvfs.h>

#include "base/limits.h"
#include "store/local/wal/wal.h"
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

/* Likewise, while the log has taken `ahead` besides what it keeps for deletes. */
static bool fits_with_log(uint64_t ahead, uint64_t bytes)
{
	struct wal log = {.at = 4096, .ready = 4096 + MIB(1) + ahead};
	struct space space;
	space_init(&space, 0, MIB(1));
	space_count_log(&space, &log);
	bool ok = space_claim(&space, bytes);
	space_destroy(&space);
	return ok;
}

int main(void)
{
	says = (struct statvfs){.f_frsize = 4096, .f_blocks = 1000, .f_bavail = 300};
	OK(fits(300 * 4096 - MIB(1)), "up to the reserve");
	OK(!fits(300 * 4096 - MIB(1) + 1), "and not a byte more");
	OK(fits_with_log(8192, 300 * 4096 - MIB(1) + 8192), "what the log took ahead is room");
	OK(!fits_with_log(8192, 300 * 4096 - MIB(1) + 8193), "and not a byte more");
	OK(!fits_with_log(MIB(1), 300 * 4096 - KIB(768) + 1), "up to a quarter of the reserve");
	OK(fits_with_log(MIB(1), 300 * 4096 - KIB(768)), "which it may take");
	says.f_bavail = 0;
	OK(!fits(1), "a full disk");
	says.f_blocks = 0;
	OK(fits(GIB(1)), "a file system that has no blocks does not tell");
	says.f_blocks = 1000;
	fails = ENOSYS;
	OK(fits(GIB(1)), "nor does one that fails to");
	return tap_done();
}
