/* SPDX-License-Identifier: Apache-2.0 */
#include "ops/data/file_reader.h"

#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/thread_queue.h"

enum {
	BUFFERS = 4
};

struct file_reader {
	struct thread_queue *queue; /* of requests that have a buffer */
	pthread_mutex_t lock;       /* all that follows; a leaf */
	struct read_request *first; /* those that wait for one */
	struct read_request **last;
	char *spare[BUFFERS];
	size_t spares;
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

static void on_request(struct task *task)
{
	struct read_request *request = CONTAINER_OF(task, struct read_request, task);
	request->error = read_all(request->fd, request->buffer, request->size, request->offset);
	request->bytes = slice_of(request->buffer, request->error ? 0 : request->size);
	executor_post(request->home, &request->done);
}

struct file_reader *file_reader_new(void)
{
	struct file_reader *file_reader = calloc(1, sizeof(*file_reader));
	if (!file_reader)
		return NULL;
	file_reader->last = &file_reader->first;
	(void)pthread_mutex_init(&file_reader->lock, NULL);
	while (file_reader->spares < BUFFERS &&
		(file_reader->spare[file_reader->spares] = malloc(FILE_READER_PIECE_BYTES)))
		file_reader->spares++;
	if (file_reader->spares < BUFFERS ||
		thread_queue_new(
			&(struct thread_queue_options){.name = "copy-reader", .duty = THREAD_DISK},
			&file_reader->queue) != ERR_OK) {
		file_reader_free(file_reader);
		return NULL;
	}
	return file_reader;
}

void file_reader_free(struct file_reader *file_reader)
{
	if (!file_reader)
		return;
	thread_queue_free(file_reader->queue);
	(void)pthread_mutex_destroy(&file_reader->lock);
	for (size_t i = 0; i < file_reader->spares; i++)
		free(file_reader->spare[i]);
	free(file_reader);
}

/* The first that waits may begin if there is a spare buffer. Under the lock. */
static void begin_next(struct file_reader *file_reader)
{
	struct read_request *request = file_reader->spares ? file_reader->first : NULL;
	if (!request)
		return;
	file_reader->first = request->next;
	if (!file_reader->first)
		file_reader->last = &file_reader->first;
	request->buffer = file_reader->spare[--file_reader->spares];
	/* Under the lock, so that they are served in turn. */
	thread_queue_add(file_reader->queue, &request->task);
}

void file_reader_request(struct file_reader *file_reader, struct read_request *request)
{
	request->next = NULL;
	request->task.run = on_request;
	if (request->memory) {
		request->error = 0;
		request->bytes = slice_of(request->memory + request->offset, request->size);
		executor_post(request->home, &request->done);
		return;
	}
	(void)pthread_mutex_lock(&file_reader->lock);
	*file_reader->last = request;
	file_reader->last = &request->next;
	begin_next(file_reader);
	(void)pthread_mutex_unlock(&file_reader->lock);
}

void file_reader_give_back(struct file_reader *file_reader, struct read_request *request)
{
	request->bytes = S("");
	if (!request->buffer)
		return;
	(void)pthread_mutex_lock(&file_reader->lock);
	file_reader->spare[file_reader->spares++] = TAKE(request->buffer);
	begin_next(file_reader);
	(void)pthread_mutex_unlock(&file_reader->lock);
}
