/* SPDX-License-Identifier: Apache-2.0 */
#include "net/prefetcher.h"

#include <errno.h>
#include <pthread.h>
#include <sys/uio.h>

#include "base/limits.h"
#include "base/log.h"

enum {
	SCRATCH_BYTES = 1 << 20
};

struct prefetcher {
	pthread_t thread;
	pthread_mutex_t lock; /* the queue and `stop` */
	pthread_cond_t more;
	struct prefetch_request *first;
	struct prefetch_request **last;
	bool stop;
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

static void *run(void *arg)
{
	struct prefetcher *prefetcher = arg;
	(void)pthread_mutex_lock(&prefetcher->lock);
	for (;;) {
		while (!prefetcher->first && !prefetcher->stop)
			(void)pthread_cond_wait(&prefetcher->more, &prefetcher->lock);
		struct prefetch_request *request = prefetcher->first;
		if (!request)
			break;
		prefetcher->first = request->next;
		if (!prefetcher->first)
			prefetcher->last = &prefetcher->first;
		(void)pthread_mutex_unlock(&prefetcher->lock);
		read_range(prefetcher, request);
		executor_post(request->home, &request->done);
		(void)pthread_mutex_lock(&prefetcher->lock);
	}
	(void)pthread_mutex_unlock(&prefetcher->lock);
	return NULL;
}

struct prefetcher *prefetcher_new(void)
{
	struct prefetcher *prefetcher = calloc(1, sizeof(*prefetcher));
	if (!prefetcher)
		return NULL;
	prefetcher->last = &prefetcher->first;
	prefetcher->scratch = malloc(SCRATCH_BYTES);
	(void)pthread_mutex_init(&prefetcher->lock, NULL);
	(void)pthread_cond_init(&prefetcher->more, NULL);
	int failed = prefetcher->scratch
			     ? pthread_create(&prefetcher->thread, NULL, run, prefetcher)
			     : ENOMEM;
	if (failed) {
		log_error("cannot start a thread: %s", strerror(failed));
		free(prefetcher->scratch);
		free(prefetcher);
		return NULL;
	}
	(void)pthread_setname_np(prefetcher->thread, "prefetcher");
	return prefetcher;
}

void prefetcher_free(struct prefetcher *prefetcher)
{
	if (!prefetcher)
		return;
	(void)pthread_mutex_lock(&prefetcher->lock);
	prefetcher->stop = true;
	(void)pthread_cond_signal(&prefetcher->more);
	(void)pthread_mutex_unlock(&prefetcher->lock);
	(void)pthread_join(prefetcher->thread, NULL);
	(void)pthread_cond_destroy(&prefetcher->more);
	(void)pthread_mutex_destroy(&prefetcher->lock);
	free(prefetcher->scratch);
	free(prefetcher);
}

void prefetcher_request(struct prefetcher *prefetcher, struct prefetch_request *request)
{
	request->next = NULL;
	(void)pthread_mutex_lock(&prefetcher->lock);
	*prefetcher->last = request;
	prefetcher->last = &request->next;
	(void)pthread_cond_signal(&prefetcher->more);
	(void)pthread_mutex_unlock(&prefetcher->lock);
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
