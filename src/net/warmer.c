/* SPDX-License-Identifier: Apache-2.0 */
#include "net/warmer.h"

#include <errno.h>
#include <pthread.h>
#include <sys/uio.h>

#include "base/limits.h"
#include "base/log.h"

enum {
	SCRATCH_BYTES = 1 << 20
};

struct warmer {
	pthread_t thread;
	pthread_mutex_t lock; /* the queue and `stop` */
	pthread_cond_t more;
	struct warm_request *first;
	struct warm_request **last;
	bool stop;
	char *scratch;
};

static void read_range(struct warmer *warmer, const struct warm_request *request)
{
	uint64_t at = request->offset;
	uint64_t end = at + request->size;
	while (at < end) {
		size_t want = end - at < SCRATCH_BYTES ? (size_t)(end - at) : SCRATCH_BYTES;
		ssize_t n = pread(request->fd, warmer->scratch, want, (off_t)at);
		if (n <= 0)
			return;
		at += (uint64_t)n;
	}
}

static void *run(void *arg)
{
	struct warmer *warmer = arg;
	(void)pthread_mutex_lock(&warmer->lock);
	for (;;) {
		while (!warmer->first && !warmer->stop)
			(void)pthread_cond_wait(&warmer->more, &warmer->lock);
		struct warm_request *request = warmer->first;
		if (!request)
			break;
		warmer->first = request->next;
		if (!warmer->first)
			warmer->last = &warmer->first;
		(void)pthread_mutex_unlock(&warmer->lock);
		read_range(warmer, request);
		executor_post(request->home, &request->done);
		(void)pthread_mutex_lock(&warmer->lock);
	}
	(void)pthread_mutex_unlock(&warmer->lock);
	return NULL;
}

struct warmer *warmer_new(void)
{
	struct warmer *warmer = calloc(1, sizeof(*warmer));
	if (!warmer)
		return NULL;
	warmer->last = &warmer->first;
	warmer->scratch = malloc(SCRATCH_BYTES);
	(void)pthread_mutex_init(&warmer->lock, NULL);
	(void)pthread_cond_init(&warmer->more, NULL);
	int failed = warmer->scratch ? pthread_create(&warmer->thread, NULL, run, warmer) : ENOMEM;
	if (failed) {
		log_error("cannot start a thread: %s", strerror(failed));
		free(warmer->scratch);
		free(warmer);
		return NULL;
	}
	(void)pthread_setname_np(warmer->thread, "warmer");
	return warmer;
}

void warmer_free(struct warmer *warmer)
{
	if (!warmer)
		return;
	(void)pthread_mutex_lock(&warmer->lock);
	warmer->stop = true;
	(void)pthread_cond_signal(&warmer->more);
	(void)pthread_mutex_unlock(&warmer->lock);
	(void)pthread_join(warmer->thread, NULL);
	(void)pthread_cond_destroy(&warmer->more);
	(void)pthread_mutex_destroy(&warmer->lock);
	free(warmer->scratch);
	free(warmer);
}

void warmer_request(struct warmer *warmer, struct warm_request *request)
{
	request->next = NULL;
	(void)pthread_mutex_lock(&warmer->lock);
	*warmer->last = request;
	warmer->last = &request->next;
	(void)pthread_cond_signal(&warmer->more);
	(void)pthread_mutex_unlock(&warmer->lock);
}

/* EAGAIN is the only answer that says cold; a file system that cannot tell is taken as it is. */
static bool byte_is_warm(int fd, uint64_t offset)
{
	char byte;
	struct iovec to = {&byte, 1};
	return preadv2(fd, &to, 1, (off_t)offset, RWF_NOWAIT) >= 0 || errno != EAGAIN;
}

bool warmer_is_warm(int fd, uint64_t offset, uint64_t size)
{
	return size == 0 || (byte_is_warm(fd, offset) && byte_is_warm(fd, offset + size - 1));
}
