/* SPDX-License-Identifier: Apache-2.0 */
#include "ops/data/file_reader.h"

#include <errno.h>
#include <pthread.h>
#include <unistd.h>

#include "base/log.h"

enum {
	BUFFERS = 4
};

struct file_reader {
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
static struct read_request *take(struct file_reader *file_reader)
{
	(void)pthread_mutex_lock(&file_reader->lock);
	while (!file_reader->stop && !(file_reader->first && file_reader->spares))
		(void)pthread_cond_wait(&file_reader->more, &file_reader->lock);
	struct read_request *request = file_reader->stop ? NULL : file_reader->first;
	if (request) {
		file_reader->first = request->next;
		if (!file_reader->first)
			file_reader->last = &file_reader->first;
		request->buffer = file_reader->spare[--file_reader->spares];
	}
	(void)pthread_mutex_unlock(&file_reader->lock);
	return request;
}

static void *run(void *arg)
{
	struct file_reader *file_reader = arg;
	struct read_request *request;
	while ((request = take(file_reader))) {
		request->error =
			read_all(request->fd, request->buffer, request->size, request->offset);
		request->bytes = slice_of(request->buffer, request->error ? 0 : request->size);
		executor_post(request->home, &request->done);
	}
	return NULL;
}

static void free_all(struct file_reader *file_reader)
{
	(void)pthread_cond_destroy(&file_reader->more);
	(void)pthread_mutex_destroy(&file_reader->lock);
	for (size_t i = 0; i < file_reader->spares; i++)
		free(file_reader->spare[i]);
	free(file_reader);
}

struct file_reader *file_reader_new(void)
{
	struct file_reader *file_reader = calloc(1, sizeof(*file_reader));
	if (!file_reader)
		return NULL;
	file_reader->last = &file_reader->first;
	(void)pthread_mutex_init(&file_reader->lock, NULL);
	(void)pthread_cond_init(&file_reader->more, NULL);
	while (file_reader->spares < BUFFERS &&
		(file_reader->spare[file_reader->spares] = malloc(FILE_READER_PIECE_BYTES)))
		file_reader->spares++;
	int failed = file_reader->spares == BUFFERS
			     ? pthread_create(&file_reader->thread, NULL, run, file_reader)
			     : ENOMEM;
	if (failed) {
		log_error("cannot start a thread: %s", strerror(failed));
		free_all(file_reader);
		return NULL;
	}
	(void)pthread_setname_np(file_reader->thread, "copy-reader");
	return file_reader;
}

void file_reader_free(struct file_reader *file_reader)
{
	if (!file_reader)
		return;
	(void)pthread_mutex_lock(&file_reader->lock);
	file_reader->stop = true;
	(void)pthread_cond_signal(&file_reader->more);
	(void)pthread_mutex_unlock(&file_reader->lock);
	(void)pthread_join(file_reader->thread, NULL);
	free_all(file_reader);
}

void file_reader_request(struct file_reader *file_reader, struct read_request *request)
{
	request->next = NULL;
	if (request->memory) {
		request->error = 0;
		request->bytes = slice_of(request->memory + request->offset, request->size);
		executor_post(request->home, &request->done);
		return;
	}
	(void)pthread_mutex_lock(&file_reader->lock);
	*file_reader->last = request;
	file_reader->last = &request->next;
	(void)pthread_cond_signal(&file_reader->more);
	(void)pthread_mutex_unlock(&file_reader->lock);
}

void file_reader_give_back(struct file_reader *file_reader, struct read_request *request)
{
	request->bytes = S("");
	if (!request->buffer)
		return;
	(void)pthread_mutex_lock(&file_reader->lock);
	file_reader->spare[file_reader->spares++] = TAKE(request->buffer);
	(void)pthread_cond_signal(&file_reader->more);
	(void)pthread_mutex_unlock(&file_reader->lock);
}
