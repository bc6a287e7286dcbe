/* SPDX-License-Identifier: Apache-2.0 */
/* When space is short the collector takes the active segment, too, but not while a backup is made.
 */
#include <errno.h>
#include <stdatomic.h>
#include <sys/statvfs.h>
#include <sys/syscall.h>

#include "base/limits.h"
#include "store/local/local.h"
#include "store/local/state/removals.h"
#include "tap.h"
#include "unit/store/cut_log.h"
#include "unit/store/versions.h"

enum {
	RESERVE = 16 << 20,
	OBJECT_BYTES = 200000,
	OBJECTS = 10,
	LOOKS = 60,
};

/* In the place of the C library's: how much there is, and how often it was asked. */
static _Atomic uint64_t left = GIB(1);
static atomic_uint asked;

int fstatvfs(int fd UNUSED, struct statvfs *ret)
{
	uint64_t blocks = left / 4096;
	*ret = (struct statvfs){
		.f_bsize = 4096, .f_frsize = 4096, .f_blocks = 1 << 20, .f_bavail = blocks};
	asked++;
	return 0;
}

static char folder[FOLDER_PATH_MAX];

static bool waits_for_looks(void)
{
	unsigned before = asked;
	for (int64_t end = clock_monotonic_ms() + 60000; clock_monotonic_ms() < end;) {
		if (asked - before >= LOOKS)
			return true;
		(void)usleep(2000);
	}
	return false;
}

static bool goes(uint64_t id)
{
	for (int64_t end = clock_monotonic_ms() + 60000; clock_monotonic_ms() < end;) {
		if (!cut_log_has(folder, id))
			return true;
		(void)usleep(2000);
	}
	return false;
}

static int open_lock(void)
{
	char path[2 * FOLDER_PATH_MAX];
	(void)snprintf(path, sizeof(path), "%s/lock", folder);
	int fd = open(path, O_RDWR | O_CLOEXEC);
	if (fd < 0)
		abort();
	return fd;
}

int main(void)
{
	static char bytes[OBJECT_BYTES];
	struct store *s;
	folder_make(folder);
	const struct local_options options = {.path = folder,
		.clock = &clock_system,
		.segment_bytes = MIB(4),
		.reserve_bytes = RESERVE,
		.gc_bytes_per_second = GIB(1),
		.gc_interval_ms = 5};
	if (local_store_open(&options, &s) != ERR_OK ||
		bucket_create(s, S("b"), STORE_ACL_PRIVATE) != ERR_OK)
		return 1;
	uint64_t id = bucket_id(s, S("b"));
	bool ok = true;
	for (unsigned i = 0; i < OBJECTS; i++)
		ok = put_object(s, id, S("k"), slice_of(bytes, sizeof(bytes)), NULL) == ERR_OK &&
		     delete_object(s, id, S("k"), NULL) == ERR_OK && ok;
	OK(ok && cut_log_has(folder, 1) && !cut_log_has(folder, 2),
		"the active segment has what was deleted");
	int lock = open_lock();
	IS_INT(removals_forbid(lock), 0, "a backup begins");
	left = RESERVE - MIB(4);
	OK(waits_for_looks(), "then space becomes short, and the collector looks");
	OK(!cut_log_has(folder, 2), "the segment is not sealed for nothing");
	(void)close(lock);
	OK(goes(1), "when the backup has ended it goes");
	left = GIB(1);
	store_close(s);
	folder_remove(folder);
	return tap_done();
}
