/* SPDX-License-Identifier: Apache-2.0 */
/* Who removes and who forbids it exclude each other, and the lock goes with whoever had it. */
#include "store/local/state/removals.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>

#include "tap.h"
#include "unit/store/folder.h"

static char folder[FOLDER_PATH_MAX];

static int open_lock(void)
{
	char path[2 * FOLDER_PATH_MAX];
	(void)snprintf(path, sizeof(path), "%s/lock", folder);
	int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	if (fd < 0)
		abort();
	return fd;
}

/* Waits until somebody has the first byte. */
static void wait_until_wished(int fd)
{
	struct flock lock;
	do {
		lock = (struct flock){.l_type = F_WRLCK, .l_whence = SEEK_SET, .l_len = 1};
		if (fcntl(fd, F_OFD_GETLK, &lock) != 0)
			abort();
		(void)usleep(1000);
	} while (lock.l_type == F_UNLCK);
}

struct backup {
	int lock;
	int result;
	atomic_bool returned;
};

static void *forbid(void *arg)
{
	struct backup *backup = arg;
	backup->result = removals_forbid(backup->lock);
	backup->returned = true;
	return NULL;
}

int main(void)
{
	folder_make(folder);
	int collector = open_lock();
	struct backup backup = {.lock = open_lock()};
	int another = open_lock();
	OK(removals_begin(collector), "nothing is forbidden at first");
	pthread_t thread;
	if (pthread_create(&thread, NULL, forbid, &backup) != 0)
		abort();
	wait_until_wished(another);
	OK(!backup.returned, "a backup waits for the removal that is going on");
	removals_end(collector);
	(void)pthread_join(thread, NULL);
	IS_INT(backup.result, 0, "and begins when that has ended");
	OK(!removals_begin(collector), "then none begins");
	OK(!removals_begin(collector), "nor when it is asked again");
	IS_INT(removals_forbid(another), EAGAIN, "there is one backup at a time");
	(void)close(backup.lock);
	OK(removals_begin(collector), "until its process has ended, in whatever way");
	removals_end(collector);
	IS_INT(removals_forbid(another), 0, "likewise for the next backup");
	(void)close(another);
	(void)close(collector);
	folder_remove(folder);
	return tap_done();
}
