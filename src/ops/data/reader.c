/* SPDX-License-Identifier: Apache-2.0 */
#include "ops/data/reader.h"

#include <errno.h>
#include <pthread.h>
#include <unistd.h>

#include "base/log.h"

enum {
	BUFFERS = 4
};

struct reader {
	pthread_t thread;
	pthread_mutex_t lock; /* all that follows */
	pthread_cond_t more;
	struct read_request *first;
	struct read_request **last;
	char *spare[BUFFERS];
	size_t spares;
	bool stop;
};

static int read_all(int fd, char *to, size_t size, uint64_t offset)
{
	size_t at = 0;
	while (at < size) {
		ssize_t n = pread(fd, to + at, size - at, (off_t)(offset + at));
		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return n < 0 ? errno : ENODATA;
		at += (size_t)n;
	}
	return 0;
}

/* The next request with a buffer for it; NULL when it is time to stop. */
static struct read_request *take(struct reader *reader)
{
	(void)pthread_mutex_lock(&reader->lock);
	while (!reader->stop && !(reader->first && reader->spares))
		(void)pthread_cond_wait(&reader->more, &reader->lock);
	struct read_request *request = reader->stop ? NULL : reader->first;
	if (request) {
		reader->first = request->next;
		if (!reader->first)
			reader->last = &reader->first;
		request->buffer = reader->spare[--reader->spares];
	}
	(void)pthread_mutex_unlock(&reader->lock);
	return request;
}

static void *run(void *arg)
{
	struct reader *reader = arg;
	struct read_request *request;
	while ((request = take(reader))) {
		request->error =
			read_all(request->fd, request->buffer, request->size, request->offset);
		request->bytes = slice_of(request->buffer, request->error ? 0 : request->size);
		executor_post(request->home, &request->done);
	}
	return NULL;
}

static void free_all(struct reader *reader)
{
	(void)pthread_cond_destroy(&reader->more);
	(void)pthread_mutex_destroy(&reader->lock);
	for (size_t i = 0; i < reader->spares; i++)
		free(reader->spare[i]);
	free(reader);
}

struct reader *reader_new(void)
{
	struct reader *reader = calloc(1, sizeof(*reader));
	if (!reader)
		return NULL;
	reader->last = &reader->first;
	(void)pthread_mutex_init(&reader->lock, NULL);
	(void)pthread_cond_init(&reader->more, NULL);
	while (reader->spares < BUFFERS &&
		(reader->spare[reader->spares] = malloc(READER_PIECE_BYTES)))
		reader->spares++;
	int failed = reader->spares == BUFFERS ? pthread_create(&reader->thread, NULL, run, reader)
					       : ENOMEM;
	if (failed) {
		log_error("cannot start a thread: %s", strerror(failed));
		free_all(reader);
		return NULL;
	}
	(void)pthread_setname_np(reader->thread, "copy-reader");
	return reader;
}

void reader_free(struct reader *reader)
{
	if (!reader)
		return;
	(void)pthread_mutex_lock(&reader->lock);
	reader->stop = true;
	(void)pthread_cond_signal(&reader->more);
	(void)pthread_mutex_unlock(&reader->lock);
	(void)pthread_join(reader->thread, NULL);
	free_all(reader);
}

void reader_request(struct reader *reader, struct read_request *request)
{
	request->next = NULL;
	if (request->memory) {
		request->error = 0;
		request->bytes = slice_of(request->memory + request->offset, request->size);
		executor_post(request->home, &request->done);
		return;
	}
	(void)pthread_mutex_lock(&reader->lock);
	*reader->last = request;
	reader->last = &request->next;
	(void)pthread_cond_signal(&reader->more);
	(void)pthread_mutex_unlock(&reader->lock);
}

void reader_give_back(struct reader *reader, struct read_request *request)
{
	request->bytes = S("");
	if (!request->buffer)
		return;
	(void)pthread_mutex_lock(&reader->lock);
	reader->spare[reader->spares++] = TAKE(request->buffer);
	(void)pthread_cond_signal(&reader->more);
	(void)pthread_mutex_unlock(&reader->lock);
}
