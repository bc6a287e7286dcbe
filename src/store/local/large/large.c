/* SPDX-License-Identifier: Apache-2.0 */
#include "store/local/large/large_internal.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <sys/stat.h>

#include "base/limits.h"
#include "base/log.h"
#include "crypto/crc64.h"
#include "store/local/disk/files.h"
#include "store/local/state/local_internal.h"

static struct large_files *files_of(const struct large *large)
{
	return large->local->files;
}

static enum err complain(const char *doing, int e)
{
	if (files_err(e) != ERR_DISK_FULL)
		log_error("store: cannot %s the file of a large object: %s", doing, files_text(e));
	return files_err(e);
}

/* ---- Buffers --------------------------------------------------------------------------------- */

static struct large_buffer *buffer_get(struct large_files *files)
{
	(void)pthread_mutex_lock(&files->lock);
	struct large_buffer *buffer = files->spare;
	if (buffer) {
		files->spare = buffer->next;
		files->spares--;
	}
	(void)pthread_mutex_unlock(&files->lock);
	if (!buffer) {
		void *bytes;
		buffer = malloc(sizeof(*buffer));
		if (!buffer || posix_memalign(&bytes, LARGE_ALIGN, LARGE_BUFFER_BYTES) != 0) {
			free(buffer);
			return NULL;
		}
		buffer->bytes = bytes;
	}
	buffer->len = 0;
	buffer->next = NULL;
	return buffer;
}

/* Under the lock. */
static void buffer_put(struct large_files *files, struct large_buffer *buffer)
{
	if (files->spares == LARGE_SPARE_BUFFERS) {
		free(buffer->bytes);
		free(buffer);
		return;
	}
	buffer->next = files->spare;
	files->spare = buffer;
	files->spares++;
}

/* ---- The file -------------------------------------------------------------------------------- */

/* A file that has a name in staging/, where unnamed ones are not supported. */
static int open_staged(struct large *large, int flags)
{
	struct large_files *files = files_of(large);
	char name[LARGE_NAME_BYTES];
	(void)pthread_mutex_lock(&files->lock);
	uint64_t number = ++files->next_staged;
	(void)pthread_mutex_unlock(&files->lock);
	large_files_name(number, name);
	large->fd =
		openat(files->staging, name, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | flags, 0600);
	if (large->fd < 0)
		return errno;
	large->staged = number;
	return 0;
}

static int open_with(struct large *large, int flags)
{
	large->fd =
		openat(files_of(large)->dir, ".", O_WRONLY | O_TMPFILE | O_CLOEXEC | flags, 0600);
	if (large->fd >= 0)
		return 0;
	if (errno == EOPNOTSUPP || errno == EISDIR || errno == ENOENT)
		return open_staged(large, flags);
	return errno;
}

static int open_file(struct large *large)
{
	int e = open_with(large, O_DIRECT);
	large->direct = e == 0;
	if (e == EINVAL || e == EOPNOTSUPP)
		e = open_with(large, 0);
	return e;
}

static int stop_direct(struct large *large)
{
	int flags = fcntl(large->fd, F_GETFL);
	large->direct = false;
	return fcntl(large->fd, F_SETFL, flags & ~O_DIRECT) == 0 ? 0 : errno;
}

static enum err write_buffer(struct large *large, struct large_buffer *buffer)
{
	int e = large->fd < 0 ? open_file(large) : 0;
	if (e)
		return complain("make", e);
	size_t len = buffer->len;
	if (large->direct && len % LARGE_ALIGN) {
		/* Only the last one; the sums stand behind the padding. */
		size_t whole = (len / LARGE_ALIGN + 1) * LARGE_ALIGN;
		memset(buffer->bytes + len, 0, whole - len);
		len = whole;
	}
	struct iovec iov = {.iov_base = buffer->bytes, .iov_len = len};
	e = files_write(large->fd, &iov, 1, large->written);
	if (e == EINVAL && large->direct) {
		e = stop_direct(large);
		iov = (struct iovec){.iov_base = buffer->bytes, .iov_len = buffer->len};
		if (e == 0)
			e = files_write(large->fd, &iov, 1, large->written);
	}
	if (e)
		return complain("write", e);
	if (!large->direct)
		(void)sync_file_range(large->fd, (off_t)large->written, (off_t)buffer->len,
			SYNC_FILE_RANGE_WRITE);
	large->written += buffer->len;
	return ERR_OK;
}

/* Gives the file its name below `dir`. */
static int link_file(struct large *large, int dir, const char *name)
{
	char path[64];
	if (large->staged) {
		large_files_name(large->staged, path);
		if (renameat(files_of(large)->staging, path, dir, name) != 0)
			return errno;
		large->staged = 0;
		return 0;
	}
	(void)snprintf(path, sizeof(path), "/proc/self/fd/%d", large->fd);
	if (linkat(AT_FDCWD, path, dir, name, AT_SYMLINK_FOLLOW) == 0)
		return 0;
	/* Without /proc this works for the superuser. */
	return linkat(large->fd, "", dir, name, AT_EMPTY_PATH) == 0 ? 0 : errno;
}

static int write_page(struct large *large, void *page, uint64_t at)
{
	struct iovec iov = {.iov_base = page, .iov_len = SUMS_PAGE_BYTES};
	int e = files_write(large->fd, &iov, 1, at);
	if (e != EINVAL || !large->direct)
		return e;
	e = stop_direct(large);
	iov = (struct iovec){.iov_base = page, .iov_len = SUMS_PAGE_BYTES};
	return e ? e : files_write(large->fd, &iov, 1, at);
}

/* Writes the sums of the blocks behind the bytes, and the zeros that fill these up. */
static int write_sums(struct large *large)
{
	SCOPED_FREE void *page = NULL;
	if (posix_memalign(&page, LARGE_ALIGN, SUMS_PAGE_BYTES) != 0)
		return ENOMEM;
	uint64_t at = sums_offset(large->size);
	uint64_t pages = sums_pages(large->size);
	for (uint64_t i = 0; i < pages; i++) {
		sums_page_write(&large->sums, large->file, i, page);
		int e = write_page(large, page, at + i * SUMS_PAGE_BYTES);
		if (e)
			return e;
	}
	return 0;
}

/* Makes the written file durable, then its name. */
static enum err finish_file(struct large *large)
{
	SCOPED_FD int dir = -1;
	large_files_number(files_of(large), large);
	int e = write_sums(large);
	if (e)
		return complain("write the sums of", e);
	if (fdatasync(large->fd) != 0)
		return complain("sync", errno);
	e = large_files_dir(files_of(large), large->file, true, &dir);
	if (e)
		return complain("make a folder for", e);
	char name[LARGE_NAME_BYTES];
	large_files_name(large->file, name);
	e = link_file(large, dir, name);
	if (e == 0)
		e = files_sync_dir(dir);
	return e ? complain("name", e) : ERR_OK;
}

/* Closes the file, which frees its blocks if it has no name. */
static void close_file(struct large *large)
{
	if (large->fd >= 0)
		(void)close(large->fd);
	large->fd = -1;
	if (!large->staged)
		return;
	char name[LARGE_NAME_BYTES];
	large_files_name(large->staged, name);
	(void)unlinkat(files_of(large)->staging, name, 0);
	large->staged = 0;
}

static void free_large(struct large *large)
{
	struct large_files *files = files_of(large);
	large_files_unnumber(files, large);
	if (large->filling) {
		(void)pthread_mutex_lock(&files->lock);
		buffer_put(files, large->filling);
		(void)pthread_mutex_unlock(&files->lock);
	}
	budget_close(&large->memory);
	sums_release(&large->sums);
	free(large);
}

/* ---- The lanes ------------------------------------------------------------------------------- */

static enum err work_on(struct large *large, enum large_lane_kind kind, struct large_buffer *buffer)
{
	if (kind == LANE_WRITE)
		return write_buffer(large, buffer);
	struct slice bytes = slice_of(buffer->bytes, buffer->len);
	digest_md5_update(&large->md5, bytes);
	large->crc64 = crc64_update(large->crc64, bytes);
	return sums_add(&large->sums, bytes) ? ERR_OK : ERR_UNAVAILABLE;
}

/* Both lanes have had the oldest buffer. Under the lock. */
static void retire(struct large *large)
{
	struct large_files *files = files_of(large);
	struct large_buffer *buffer = large->first;
	large->first = buffer->next;
	if (!large->first)
		large->last = &large->first;
	large->in_flight--;
	buffer_put(files, buffer);
	space_release(&large->local->space, LARGE_BUFFER_BYTES);
}

/* Queues the last job when there is nothing left to work on. Under the lock. */
static void check_last(struct large *large)
{
	if ((!large->finishing && !large->aborted) || large->first)
		return;
	for (unsigned i = 0; i < LANE_COUNT; i++)
		if (large->lanes[i].busy)
			return;
	thread_queue_add(large->local->writers, &large->last_job);
}

/* The wait that can be answered now, or NULL. Under the lock. */
static struct store_wait *take_waiting(struct large *large)
{
	if (large->in_flight >= large->buffers && large->err == ERR_OK)
		return NULL;
	if (large->waiting)
		large->waiting->err = large->err;
	return TAKE(large->waiting);
}

/* The job of a lane: one buffer. `large` may be gone once the lock is given back. */
static void run_lane(struct task *job)
{
	struct large_lane *lane = CONTAINER_OF(job, struct large_lane, job);
	struct large *large = lane->large;
	struct large_files *files = files_of(large);
	enum large_lane_kind kind = (enum large_lane_kind)(lane - large->lanes);
	(void)pthread_mutex_lock(&files->lock);
	struct large_buffer *buffer = lane->at;
	bool in_vain = large->err != ERR_OK || large->aborted;
	(void)pthread_mutex_unlock(&files->lock);

	enum err e = in_vain ? ERR_OK : work_on(large, kind, buffer);

	(void)pthread_mutex_lock(&files->lock);
	if (large->err == ERR_OK)
		large->err = e;
	lane->at = buffer->next;
	if (--buffer->lanes_left == 0)
		retire(large);
	lane->busy = lane->at != NULL;
	if (lane->busy)
		thread_queue_add(large->local->writers, &lane->job);
	struct store_wait *waiting = take_waiting(large);
	check_last(large);
	(void)pthread_mutex_unlock(&files->lock);
	if (waiting)
		executor_post(waiting->home, &waiting->task);
}

/* Hands the filled buffer over to the lanes. */
static void hand_over(struct large *large)
{
	struct large_files *files = files_of(large);
	struct large_buffer *buffer = TAKE(large->filling);
	bool room = space_claim(&large->local->space, LARGE_BUFFER_BYTES);
	(void)pthread_mutex_lock(&files->lock);
	if (!room) {
		large->err = large->err == ERR_OK ? ERR_DISK_FULL : large->err;
		buffer_put(files, buffer);
		(void)pthread_mutex_unlock(&files->lock);
		return;
	}
	large->size += buffer->len;
	buffer->next = NULL;
	buffer->lanes_left = LANE_COUNT;
	*large->last = buffer;
	large->last = &buffer->next;
	large->in_flight++;
	for (unsigned i = 0; i < LANE_COUNT; i++) {
		struct large_lane *lane = &large->lanes[i];
		if (!lane->at)
			lane->at = buffer;
		if (!lane->busy) {
			lane->busy = true;
			thread_queue_add(large->local->writers, &lane->job);
		}
	}
	(void)pthread_mutex_unlock(&files->lock);
}

/* ---- The end --------------------------------------------------------------------------------- */

static void finish(struct large *large)
{
	struct large_result result = {.err = large->err};
	digest_md5_final(&large->md5, result.md5);
	if (result.err == ERR_OK && large->expect_md5 &&
		memcmp(result.md5, large->expect_md5, sizeof(result.md5)) != 0)
		result.err = ERR_INVALID_DIGEST;
	if (result.err == ERR_OK)
		result.err = finish_file(large);
	close_file(large);
	result.file = large->file;
	result.size = large->size;
	result.crc64 = large->crc64;
	large->done(large, &result, large->ctx);
}

static void run_last(struct task *job)
{
	struct large *large = CONTAINER_OF(job, struct large, last_job);
	if (!large->aborted) {
		finish(large);
		return;
	}
	close_file(large);
	free_large(large);
}

static void run_remove(struct task *job)
{
	struct large *large = CONTAINER_OF(job, struct large, last_job);
	int e = large_files_remove(files_of(large), large->file);
	if (e)
		(void)complain("remove", e);
	/* If it is still there the next start finds it, for its number stays in the mark. */
	if (e)
		return;
	free_large(large);
}

enum err large_new(struct local *local, unsigned buffers, struct large **ret)
{
	struct large *large = calloc(1, sizeof(*large));
	if (!large)
		return ERR_UNAVAILABLE;
	large->local = local;
	large->buffers = buffers;
	large->last = &large->first;
	large->fd = -1;
	large->last_job.run = run_last;
	digest_md5_init(&large->md5);
	for (unsigned i = 0; i < LANE_COUNT; i++) {
		large->lanes[i].large = large;
		large->lanes[i].job.run = run_lane;
	}
	*ret = large;
	return ERR_OK;
}

void large_count(struct large *large, struct budget_account *memory)
{
	large->memory = *memory;
	*memory = (struct budget_account){.bytes = 0};
}

static enum err read_err(struct large *large)
{
	struct large_files *files = files_of(large);
	(void)pthread_mutex_lock(&files->lock);
	enum err e = large->err;
	(void)pthread_mutex_unlock(&files->lock);
	return e;
}

static void set_err(struct large *large, enum err e)
{
	struct large_files *files = files_of(large);
	(void)pthread_mutex_lock(&files->lock);
	if (large->err == ERR_OK)
		large->err = e;
	(void)pthread_mutex_unlock(&files->lock);
}

enum store_now large_write(struct large *large, struct slice bytes, struct store_wait *wait)
{
	while (bytes.len && read_err(large) == ERR_OK) {
		if (!large->filling)
			large->filling = buffer_get(files_of(large));
		if (!large->filling) {
			set_err(large, ERR_UNAVAILABLE);
			break;
		}
		struct slice piece = slice_head(bytes, LARGE_BUFFER_BYTES - large->filling->len);
		memcpy(large->filling->bytes + large->filling->len, piece.ptr, piece.len);
		large->filling->len += piece.len;
		bytes = slice_from(bytes, piece.len);
		if (large->filling->len == LARGE_BUFFER_BYTES)
			hand_over(large);
	}
	struct large_files *files = files_of(large);
	(void)pthread_mutex_lock(&files->lock);
	bool must_wait = wait && large->err == ERR_OK && large->in_flight >= large->buffers;
	if (must_wait)
		large->waiting = wait;
	else if (wait)
		wait->err = large->err;
	(void)pthread_mutex_unlock(&files->lock);
	return must_wait ? STORE_WAIT : STORE_DONE;
}

void large_finish(struct large *large, const unsigned char *expect_md5,
	void (*done)(struct large *large, const struct large_result *result, void *ctx), void *ctx)
{
	struct large_files *files = files_of(large);
	if (large->filling && read_err(large) == ERR_OK)
		hand_over(large);
	(void)pthread_mutex_lock(&files->lock);
	assert(!large->waiting);
	large->expect_md5 = expect_md5;
	large->done = done;
	large->ctx = ctx;
	large->finishing = true;
	check_last(large);
	(void)pthread_mutex_unlock(&files->lock);
}

void large_settle(struct large *large, bool keep)
{
	if (keep || large->file == 0) {
		free_large(large);
		return;
	}
	large->last_job.run = run_remove;
	thread_queue_add(large->local->writers, &large->last_job);
}

void large_doubt(struct large *large)
{
	struct large_files *files = files_of(large);
	if (large->file == 0) {
		free_large(large);
		return;
	}
	(void)pthread_mutex_lock(&files->lock);
	large->doubtful = true;
	(void)pthread_mutex_unlock(&files->lock);
}

/* One of those, which is none any more; NULL if there is none. */
static struct large *take_doubtful(struct large_files *files)
{
	(void)pthread_mutex_lock(&files->lock);
	struct large *large = files->numbered;
	while (large && !large->doubtful)
		large = large->numbered_next;
	if (large)
		large->doubtful = false;
	(void)pthread_mutex_unlock(&files->lock);
	return large;
}

void large_remove_doubtful(struct large_files *files)
{
	struct large *large;
	while ((large = take_doubtful(files)) != NULL)
		large_settle(large, false);
}

void large_free_doubtful(struct large_files *files)
{
	struct large *large;
	while ((large = take_doubtful(files)) != NULL)
		free_large(large);
}

void large_abort(struct large *large)
{
	struct large_files *files = files_of(large);
	(void)pthread_mutex_lock(&files->lock);
	assert(!large->waiting);
	large->aborted = true;
	check_last(large);
	(void)pthread_mutex_unlock(&files->lock);
}
