/* SPDX-License-Identifier: Apache-2.0 */
#include "net/prefetcher.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/uio.h>
#include <unistd.h>

#include "base/thread_queue.h"

enum {
	SCRATCH_BYTES = 1 << 20
};

struct prefetcher {
	struct thread_queue *queue;
	char *scratch;
};

static void read_range(struct prefetcher *prefetcher, const struct prefetch_request *request)
{
	uint64_t at = request->offset;
	uint64_t end = at + request->size;
	while (at < end) {
		size_t want = end - at < SCRATCH_BYTES ? (size_t)(end - at) : SCRATCH_BYTES;
		ssize_t n = pread(request->fd, prefetcher->scratch, want, (off_t)at);
		if (n <= 0)
			return;
		at += (uint64_t)n;
	}
}

static void on_request(struct task *task)
{
	struct prefetch_request *request = CONTAINER_OF(task, struct prefetch_request, task_);
	read_range(request->prefetcher_, request);
	executor_post(request->home, &request->done);
}

struct prefetcher *prefetcher_new(void)
{
	struct prefetcher *prefetcher = calloc(1, sizeof(*prefetcher));
	if (!prefetcher)
		return NULL;
	prefetcher->scratch = malloc(SCRATCH_BYTES);
	if (!prefetcher->scratch ||
		thread_queue_new(
			&(struct thread_queue_options){.name = "prefetcher", .duty = THREAD_DISK},
			&prefetcher->queue) != ERR_OK) {
		prefetcher_free(prefetcher);
		return NULL;
	}
	return prefetcher;
}

void prefetcher_free(struct prefetcher *prefetcher)
{
	if (!prefetcher)
		return;
	thread_queue_free(prefetcher->queue);
	free(prefetcher->scratch);
	free(prefetcher);
}

void prefetcher_request(struct prefetcher *prefetcher, struct prefetch_request *request)
{
	request->prefetcher_ = prefetcher;
	request->task_.run = on_request;
	thread_queue_add(prefetcher->queue, &request->task_);
}

/* EAGAIN is the only answer that says cold; a file system that cannot tell is taken as it is. */
static bool byte_is_cached(int fd, uint64_t offset)
{
	char byte;
	struct iovec to = {&byte, 1};
	return preadv2(fd, &to, 1, (off_t)offset, RWF_NOWAIT) >= 0 || errno != EAGAIN;
}

bool prefetcher_is_cached(int fd, uint64_t offset, uint64_t size)
{
	return size == 0 || (byte_is_cached(fd, offset) && byte_is_cached(fd, offset + size - 1));
}
