/* SPDX-License-Identifier: Apache-2.0 */
#include "store/local/state/removals.h"

#include <errno.h>
#include <fcntl.h>

/*
 * Two bytes, so that a backup that waits for the end of one removal is not passed by by the next:
 * who forbids has the first, and then waits for the second, which who removes has.
 */
enum {
	BYTE_FORBIDDEN,
	BYTE_REMOVING,
};

static int call(int fd, int command, short type, int byte, short *ret_type)
{
	struct flock lock = {.l_type = type, .l_whence = SEEK_SET, .l_start = byte, .l_len = 1};
	int result;
	do {
		result = fcntl(fd, command, &lock);
	} while (result != 0 && errno == EINTR);
	if (ret_type)
		*ret_type = lock.l_type;
	return result == 0 ? 0 : errno;
}

bool removals_begin(int lock)
{
	short found = F_WRLCK;
	if (call(lock, F_OFD_SETLK, F_WRLCK, BYTE_REMOVING, NULL) != 0)
		return false;
	if (call(lock, F_OFD_GETLK, F_WRLCK, BYTE_FORBIDDEN, &found) == 0 && found == F_UNLCK)
		return true;
	removals_end(lock);
	return false;
}

void removals_end(int lock)
{
	int ignored = call(lock, F_OFD_SETLK, F_UNLCK, BYTE_REMOVING, NULL);
	(void)ignored;
}

int removals_forbid(int lock)
{
	int e = call(lock, F_OFD_SETLK, F_WRLCK, BYTE_FORBIDDEN, NULL);
	if (e == EACCES)
		e = EAGAIN;
	if (e == 0)
		e = call(lock, F_OFD_SETLKW, F_WRLCK, BYTE_REMOVING, NULL);
	if (e == 0)
		e = call(lock, F_OFD_SETLK, F_UNLCK, BYTE_REMOVING, NULL);
	return e;
}
