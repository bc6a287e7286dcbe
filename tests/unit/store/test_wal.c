/* SPDX-License-Identifier: Apache-2.0 */
/* The end of the log, and the job that takes space ahead of it. */
#include "store/local/wal/wal.h"

#include <fcntl.h>
#include <sys/stat.h>

#include "base/limits.h"
#include "tap.h"
#include "unit/store/folder.h"

/* ---- What happens when a lock is let go: the linker's --wrap puts this in its place ------------
 */

int __real_pthread_mutex_unlock(pthread_mutex_t *mutex);
int __wrap_pthread_mutex_unlock(pthread_mutex_t *mutex);

static pthread_mutex_t *_Atomic watched;
static void (*then)(void);

/* Once the watched lock is free, and before whoever held it goes on. */
int __wrap_pthread_mutex_unlock(pthread_mutex_t *mutex)
{
	int e = __real_pthread_mutex_unlock(mutex);
	if (watched && atomic_compare_exchange_strong(&watched, &(pthread_mutex_t *){mutex}, NULL))
		then();
	return e;
}

/* ---- A segment that ends while the job waits --------------------------------------------------
 */

static struct thread_queue *queue;

/* Occupies the only thread of the queue until it is told. */
struct blocker {
	struct task job;
	int pipe[2];
};

static struct blocker blocker;

static void block(struct task *job)
{
	char byte;
	(void)job;
	if (read(blocker.pipe[0], &byte, 1) != 1)
		abort();
}

static void let_the_job_run(void)
{
	if (write(blocker.pipe[1], "", 1) != 1)
		abort();
	thread_queue_drain(queue);
}

static void rotation(struct wal *wal, struct segments *segments)
{
	struct stat st;
	struct segment *first = segment_pin(segments, 1);
	blocker.job.run = block;
	thread_queue_add(queue, &blocker.job);
	OK(wal_reserve(wal, MIB(10), false) == 0 && wal->filling,
		"space is taken, and more is to be taken in the background");
	then = let_the_job_run;
	watched = &wal->extend_lock;
	OK(wal_rotate(wal, 2) == 0 && !watched && !wal->filling,
		"the segment ends, and the job runs as soon as it can");
	OK(fstat(first->fd, &st) == 0, "the segment that has ended");
	IS_INT(st.st_size, SEGMENT_HEADER_BYTES, "does not grow any more");
	segment_unpin(first);
}

int main(void)
{
	char folder[FOLDER_PATH_MAX];
	struct segments *segments;
	struct wal wal;
	folder_make(folder);
	int dir = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (dir < 0 || pipe2(blocker.pipe, O_CLOEXEC) != 0 ||
		segments_open(dir, 0, &segments) != ERR_OK ||
		thread_queue_new(&(struct thread_queue_options){.name = "test"}, &queue) !=
			ERR_OK ||
		wal_open(&wal, segments,
			&(struct wal_options){.writers = queue, .segment_bytes = MIB(64)}, 0, 0, 1,
			1) != 0)
		return 1;
	rotation(&wal, segments);
	thread_queue_free(queue);
	wal_close(&wal);
	segments_free(segments);
	folder_remove(folder);
	return tap_done();
}
